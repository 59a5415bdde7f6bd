"""A class answers late, keeps to itself what it likes, leaves, is back; and a lesson ended by mistake goes on."""

from contextlib import AsyncExitStack

from playwright.async_api import Browser, Page, expect

from testing.browser import hears_and_sees, log_in, open_display, page_of, page_stats
from testing.installation import House, JsonObject, eventually


async def test_a_class_decides_for_itself_while_the_lesson_goes_on(house: House, browser: Browser) -> None:
    host, guest = house.classrooms
    async with AsyncExitStack() as stack:
        host_screen, guest_screen, host_page, guest_page = [
            await stack.enter_async_context(page_of(browser)) for _ in range(4)
        ]
        await open_display(host_screen, house, host)
        await open_display(guest_screen, house, guest)
        lesson = await house.plan_lesson(host, guest, answered=False)
        for page, name in ((host_page, "teacher-truong-a"), (guest_page, "teacher-truong-b")):
            await log_in(page, house, name)
            await page.goto(f"{house.url}/today")

        # the host does not wait for an answer; the guest's comes in mid-lesson
        await host_page.get_by_test_id("start-button").click()
        await expect(host_page.get_by_test_id(f"site-{guest.room_id}")).to_have_attribute("data-invitation", "pending")
        await expect(guest_screen.get_by_test_id("asking")).to_be_visible()
        await host_page.get_by_test_id(f"remind-{guest.room_id}").click()
        for page in (guest_page, guest_screen):
            await expect(page.get_by_test_id("reminded")).to_be_visible()
        await guest_page.get_by_test_id(f"decline-{lesson}").click()
        await guest_page.get_by_test_id(f"decline-{lesson}-sure").click()
        await expect(host_page.get_by_test_id(f"site-{guest.room_id}")).to_have_attribute("data-invitation", "declined")
        await guest_page.get_by_test_id(f"accept-{lesson}").click()  # thinks better of it
        for page in (host_screen, guest_screen):
            await hears_and_sees(page)

        async def site() -> JsonObject:
            return await house.site(lesson, guest)

        # muted at its own screen: said to all, and not to be heard
        await guest_screen.get_by_test_id("mute").press("Enter")
        await expect(host_screen.get_by_test_id(f"muted-{guest.room_id}")).to_be_visible()
        await expect(host_page.get_by_test_id(f"kept-{guest.room_id}")).to_be_visible()
        await expect_silence(host_screen)
        assert ((await site())["problems"], (await site())["muted"]) == ([], True)
        own = guest_page.get_by_test_id(f"own-{guest.room_id}")
        await own.get_by_test_id("own-mute").click()
        await expect(host_screen.get_by_test_id(f"muted-{guest.room_id}")).to_have_count(0)
        await hears_and_sees(host_screen)

        # unseen from its teacher's page: the camera is closed, and stays so over a reload
        await own.get_by_test_id("own-camera").click()
        await expect(host_screen.get_by_test_id(f"dark-{guest.room_id}")).to_be_visible()
        await expect(guest_screen.get_by_test_id("camera-off")).to_have_attribute("data-on", "true")

        async def no_picture() -> bool:
            return not (await site())["media"]["video"]

        await eventually(no_picture)
        await guest_screen.reload()
        await expect(guest_screen.get_by_test_id("camera-off")).to_have_attribute("data-on", "true")
        await eventually(lambda: joined(guest_screen))
        assert await no_picture()
        await guest_screen.get_by_test_id("camera-off").click()
        await hears_and_sees(host_screen)

        # it leaves and is back, each in two touches at most
        await guest_screen.get_by_test_id("leave").click()
        await guest_screen.get_by_test_id("leave-sure").click()
        await guest_screen.get_by_test_id("come-back").wait_for()
        await expect(host_page.get_by_test_id(f"site-{guest.room_id}")).to_have_attribute("data-invitation", "declined")
        await guest_screen.get_by_test_id("come-back").click()
        for page in (host_screen, guest_screen):
            await hears_and_sees(page)

        # ended by mistake
        await host_page.get_by_test_id("end-button").click()
        await host_page.get_by_test_id("end-confirm").click()
        for page in (host_screen, guest_screen):
            await page.get_by_test_id("idle").wait_for()
        await host_page.get_by_test_id(f"resume-{lesson}").click()
        for page in (host_screen, guest_screen):
            await hears_and_sees(page)
        states = await house.steps_settled(lesson, guest)
        assert set(states.values()) <= {"confirmed", "assumed"}, states


async def expect_silence(page: Page) -> None:
    """Pictures go on for a while, and nothing is heard meanwhile."""

    async def silent() -> bool:
        before = await page_stats(page)
        frames = sum(before["framesDecoded"].values())

        async def moved() -> bool:
            return bool(sum((await page_stats(page))["framesDecoded"].values()) > frames + 10)

        await eventually(moved)
        after = await page_stats(page)
        louder = sum(after["totalAudioEnergy"].values()) - sum(before["totalAudioEnergy"].values())
        return bool(louder < 1e-6)

    await eventually(silent)


async def joined(page: Page) -> bool:
    return await page.get_by_test_id("display").get_attribute("data-phase") == "joined"
