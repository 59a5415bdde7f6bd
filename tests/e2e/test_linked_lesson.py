"""The path that everything exists for: a tap, two classes that see and hear each other, a tap, and all is as before."""

from contextlib import AsyncExitStack

from playwright.async_api import Browser, Page, expect

from testing.browser import hears_and_sees, log_in, open_display, page_of, page_stats, received
from testing.installation import House, eventually

DONE = {"confirmed", "assumed"}


async def test_a_tap_joins_two_classrooms_and_another_ends_it(house: House, browser: Browser) -> None:
    first, second = house.classrooms
    async with AsyncExitStack() as stack:
        displays = [await stack.enter_async_context(page_of(browser)) for _ in house.classrooms]
        for page, classroom in zip(displays, house.classrooms, strict=True):
            await open_display(page, house, classroom)
        teacher = await stack.enter_async_context(page_of(browser))
        lesson = await house.plan_lesson(first, second)
        await log_in(teacher, house, "teacher-truong-a")
        await teacher.goto(f"{house.url}/today")
        await teacher.get_by_test_id("start-button").click()

        for page in displays:
            await hears_and_sees(page)
        for classroom in house.classrooms:
            states = await house.steps_settled(lesson, classroom)
            assert set(states.values()) <= DONE, states
            await expect(teacher.get_by_test_id(f"site-{classroom.room_id}")).to_be_visible()

        async def all_ready() -> bool:
            return all([(await house.site(lesson, classroom))["ready"] for classroom in house.classrooms])

        await eventually(all_ready)
        await sees_all_rooms(teacher, house)

        await teacher.get_by_test_id("end-button").click()
        await teacher.get_by_test_id("end-confirm").click()
        for page in displays:
            await page.get_by_test_id("idle").wait_for()
            assert (await received(page)).frames_decoded == 0
        for classroom in house.classrooms:
            states = await house.steps_settled(lesson, classroom)
            assert set(states.values()) <= DONE, states
        rooms = {room["id"]: room for room in (await house.call("GET", "/rooms"))["rooms"]}
        for classroom in house.classrooms:
            projector = next(d for d in rooms[classroom.room_id]["devices"] if d["type"] == "projector")
            power = next(p for p in projector["properties"] if p["capability"] == "power")
            assert (power["value"], power["quality"]) == ("off", "confirmed")
        state = await house.call("GET", f"/lessons/{lesson}")
        assert (state["state"], state["end_reason"]) == ("ended", "tap")


async def sees_all_rooms(teacher: Page, house: House) -> None:
    """The teacher's page plays each room's picture."""

    async def both_move() -> bool:
        frames = (await page_stats(teacher)).get("framesDecoded", {})
        return len([count for count in frames.values() if count > 5]) >= len(house.classrooms)

    await eventually(both_move)


async def test_a_second_tap_and_a_second_end_change_nothing(house: House) -> None:
    lesson = await house.plan_lesson(*house.classrooms)
    await house.start_lesson(lesson)
    started = await house.call("GET", f"/lessons/{lesson}")
    await house.start_lesson(lesson)
    assert (await house.call("GET", f"/lessons/{lesson}"))["started_at"] == started["started_at"]
    await house.end_lesson(lesson)
    ended = await house.call("GET", f"/lessons/{lesson}")
    await house.end_lesson(lesson)
    assert (await house.call("GET", f"/lessons/{lesson}"))["ended_at"] == ended["ended_at"]
