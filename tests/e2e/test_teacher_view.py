"""The teacher's own view of a lesson goes on whatever happens to its permission to be there."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from functools import partial

import pytest_asyncio
from playwright.async_api import Browser, Page, Request, Route, expect

from testing.browser import log_in, open_display, page_of, received
from testing.installation import House, eventually

WATCH, LAYOUT = "**/watch", "**/whep/*/*/layout"


@pytest_asyncio.fixture(loop_scope="session")
async def teacher(house: House, browser: Browser) -> AsyncIterator[Page]:
    """A page of the host's teacher, in a lesson that is live, with a picture of one room. Not at the lesson yet."""
    async with AsyncExitStack() as stack:
        display = await stack.enter_async_context(page_of(browser))
        await open_display(display, house, house.classrooms[1])
        await house.start_lesson(await house.plan_lesson(*house.classrooms))
        page = await stack.enter_async_context(page_of(browser))
        await log_in(page, house, "teacher-truong-a")
        yield page


async def _sees(page: Page, *, frames: int = 30) -> None:
    """Return once it has decoded so many more."""
    before = (await received(page)).frames_decoded

    async def moves() -> bool:
        return (await received(page)).frames_decoded >= before + frames

    await eventually(moves)


async def _refuse_once(page: Page, where: str, status: int) -> list[Request]:
    """Answer the first request to `where` so, and the others as they are. All of them, as they come."""
    asked: list[Request] = []

    async def answer(route: Route) -> None:
        asked.append(route.request)
        await (route.fulfill(status=status, json={}) if len(asked) == 1 else route.continue_())

    await page.route(where, answer)
    return asked


async def test_it_opens_also_where_the_bridge_came_later_than_the_page(house: House, teacher: Page) -> None:
    asked = await _refuse_once(teacher, WATCH, 409)
    await teacher.goto(f"{house.url}/today")
    await _sees(teacher)
    assert len(asked) == 2


async def test_its_pictures_follow_the_page_after_its_token_has_ended(house: House, teacher: Page) -> None:
    told = await _refuse_once(teacher, LAYOUT, 401)
    await teacher.goto(f"{house.url}/today")
    async with teacher.expect_response(lambda answer: answer.request.method == "PUT" and answer.status == 204):
        pass
    assert len(told) == 2
    await _sees(teacher)


async def test_two_windows_of_one_login_see_it_beside_each_other(house: House, teacher: Page) -> None:
    other = await teacher.context.new_page()
    joined: list[str] = []

    def note(asked: Request, name: str) -> None:
        if asked.method == "POST" and "/whep/" in asked.url:
            joined.append(name)

    for name, page in (("first", teacher), ("other", other)):
        page.on("request", partial(note, name=name))
        await page.goto(f"{house.url}/today")
        await _sees(page)
    for page in (teacher, other, teacher):
        await _sees(page)
    assert joined == ["first", "other"]
    sound = teacher.get_by_test_id("sound-button")
    await sound.click()
    await teacher.reload()
    await expect(sound).to_have_attribute("aria-pressed", "true")  # kept over a reload, for this window alone
    await other.reload()
    await expect(other.get_by_test_id("sound-button")).to_have_attribute("aria-pressed", "false")
