"""A teacher shows the screen of their own machine to the other classes, as their room's."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from testing.browser import hears_and_sees, log_in, open_display, page_of
from testing.installation import House

WITHOUT_CAPTURE = "delete MediaDevices.prototype.getDisplayMedia"
SHARED = "Màn hình chia sẻ"
UP_MS = 20_000
RENEWED_WITHIN_MS = 150_000  # half of what a token is good for


@dataclass(frozen=True, slots=True)
class Lesson:
    """A live one: the teacher's page, the display of the teacher's room and that of the other class."""

    house: House
    id: str
    teacher: Page
    own: Page
    other: Page

    async def expect_stage(self, *, shared: bool) -> None:
        """Whether the other class sees a screen of the teacher's room, and its camera beside it."""
        tile = self.other.get_by_test_id(f"site-{self.house.classrooms[0].room_id}")
        await expect(tile.filter(has_text=SHARED)).to_have_count(int(shared), timeout=UP_MS)
        await expect(tile).to_have_count(1 + int(shared), timeout=UP_MS)
        await hears_and_sees(self.other)

    async def sharing(self) -> str | None:
        """What the server says of the teacher's room."""
        client: str | None = (await self.house.site(self.id, self.house.classrooms[0]))["media"]["sharing"]
        return client


@pytest_asyncio.fixture(loop_scope="session")
async def lesson(shared: House, browser: Browser) -> AsyncIterator[Lesson]:
    async with AsyncExitStack() as stack:
        pages = [await stack.enter_async_context(page_of(browser)) for _ in range(3)]
        for page, school in zip(pages, ("truong-a", "truong-b"), strict=False):
            await open_display(page, shared, await shared.add_classroom(school, devices=False))
        own, other, teacher = pages
        id = await shared.plan_lesson(*shared.classrooms)
        await shared.start_lesson(id)
        await log_in(teacher, shared, "teacher-truong-a")
        await teacher.goto(f"{shared.url}/today")
        for page in (own, other):
            await hears_and_sees(page, within_s=60)
        yield Lesson(shared, id, teacher, own, other)


async def test_screen_is_on_the_other_stage_until_the_teacher_stops(lesson: Lesson) -> None:
    button = lesson.teacher.get_by_test_id("share-screen")
    await expect(button).to_have_text("Chia sẻ màn hình")
    await button.click()
    await expect(lesson.teacher.get_by_test_id("sharing")).to_have_attribute("data-connected", "true", timeout=UP_MS)
    shown = await lesson.teacher.get_by_test_id("shared-picture").element_handle()
    await lesson.teacher.wait_for_function("(video) => video.videoWidth > 0", arg=shown)  # and to the teacher, too
    await expect(button).to_have_text("Dừng chia sẻ")
    await lesson.expect_stage(shared=True)
    mine = lesson.own.get_by_test_id(f"site-{lesson.house.classrooms[0].room_id}")
    await expect(mine).to_contain_text(SHARED, timeout=UP_MS)  # on the stage of the teacher's own class, too
    await expect(mine).to_have_attribute("data-moving", "true", timeout=UP_MS)
    await hears_and_sees(lesson.own)  # and the other class beside it
    await button.click()
    await lesson.expect_stage(shared=False)
    await expect(mine).to_have_count(0, timeout=UP_MS)
    await expect(button).to_have_text("Chia sẻ màn hình")


async def test_the_browsers_own_stop_ends_it_and_so_does_a_closed_page(lesson: Lesson) -> None:
    await remember_captures(lesson.teacher)
    button = lesson.teacher.get_by_test_id("share-screen")
    await button.click()
    await lesson.expect_stage(shared=True)
    # what the browser's bar does: no script stopped it
    await lesson.teacher.evaluate("captured.getTracks()[0].dispatchEvent(new Event('ended'))")
    await lesson.expect_stage(shared=False)
    await button.click()
    await lesson.expect_stage(shared=True)
    await lesson.teacher.close(run_before_unload=True)
    await lesson.expect_stage(shared=False)


async def test_of_two_machines_of_a_room_the_last_one_shares(lesson: Lesson) -> None:
    teachers, displays = (page.get_by_test_id("share-screen") for page in (lesson.teacher, lesson.own))
    await teachers.click()
    await lesson.expect_stage(shared=True)
    first = await lesson.sharing()
    await displays.click()
    await expect(lesson.teacher.get_by_test_id("share-replaced")).to_be_visible(timeout=UP_MS)
    await expect(teachers).to_have_attribute("aria-pressed", "false")
    await lesson.expect_stage(shared=True)
    second = await lesson.sharing()
    mine = lesson.own.get_by_test_id(f"site-{lesson.house.classrooms[0].room_id}")
    await expect(mine).to_have_count(0, timeout=UP_MS)  # no screen comes back to its own machine
    await teachers.click()
    await expect(lesson.own.get_by_test_id("share-replaced")).to_be_visible(timeout=UP_MS)
    await expect(displays).to_have_attribute("aria-pressed", "false")
    await lesson.expect_stage(shared=True)
    assert len({first, second, await lesson.sharing(), None}) == 4


async def test_another_machine_that_stops_is_no_longer_told_of(lesson: Lesson) -> None:
    teachers, displays = (page.get_by_test_id("share-screen") for page in (lesson.teacher, lesson.own))
    told = lesson.teacher.get_by_test_id("share-replaced")
    await teachers.click()
    await lesson.expect_stage(shared=True)
    await displays.click()
    await expect(told).to_be_visible(timeout=UP_MS)
    await displays.click()
    await expect(told).to_have_count(0, timeout=UP_MS)


async def test_its_token_is_renewed_while_it_lasts(lesson: Lesson) -> None:
    await lesson.teacher.clock.install()
    await lesson.teacher.reload()
    await lesson.teacher.get_by_test_id("share-screen").click()
    await lesson.expect_stage(shared=True)
    async with lesson.teacher.expect_response(lambda response: response.url.endswith("/screen")) as asked:
        await lesson.teacher.clock.fast_forward(RENEWED_WITHIN_MS)
    assert (await (await asked.value).json())["client"] == await lesson.sharing()


async def test_the_lessons_end_ends_it(lesson: Lesson) -> None:
    await remember_captures(lesson.teacher)
    await lesson.teacher.get_by_test_id("share-screen").click()
    await lesson.expect_stage(shared=True)
    await lesson.house.end_lesson(lesson.id)
    await lesson.teacher.wait_for_function("() => captured.getTracks()[0].readyState === 'ended'")


async def test_where_no_screen_can_be_captured_there_is_no_button(lesson: Lesson) -> None:
    await lesson.teacher.add_init_script(WITHOUT_CAPTURE)
    await lesson.teacher.reload()
    await lesson.teacher.get_by_test_id("sound-button").wait_for()
    await expect(lesson.teacher.get_by_test_id("share-screen")).to_have_count(0)


async def remember_captures(page: Page) -> None:
    """The page's next captured screen is its `captured`."""
    await page.evaluate(
        """() => {
            const devices = navigator.mediaDevices;
            const capture = devices.getDisplayMedia.bind(devices);
            devices.getDisplayMedia = async (...options) => (window.captured = await capture(...options));
        }"""
    )
