"""The display page in a real browser: it asks for pictures of the size it shows, and shares a screen."""

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest_asyncio
from playwright.async_api import Browser, Page, Response, expect

from testing.browser import PANEL, hears_and_sees, open_display, page_of
from testing.installation import House

PHONE = {"width": 390, "height": 844}


@pytest_asyncio.fixture(loop_scope="session")
async def house(shared: House) -> House:
    """Two classrooms without devices: only their displays matter here."""
    for school in ("truong-a", "truong-b"):
        await shared.add_classroom(school, devices=False)
    return shared


@pytest_asyncio.fixture(loop_scope="session")
async def displays(house: House, browser: Browser) -> AsyncIterator[tuple[Page, Page]]:
    """The displays of both classrooms, in a lesson."""
    async with AsyncExitStack() as stack:
        first, second = [await stack.enter_async_context(page_of(browser)) for _ in house.classrooms]
        for page, classroom in zip((first, second), house.classrooms, strict=True):
            await open_display(page, house, classroom)
        await house.start_lesson(await house.plan_lesson(*house.classrooms))
        for page in (first, second):
            await hears_and_sees(page, within_s=60)
        yield first, second


async def test_bridge_is_told_the_size_of_the_stage(displays: tuple[Page, Page]) -> None:
    page, _ = displays
    small = await told_height(page, PHONE)
    assert 0 < small < await told_height(page, PANEL)


async def told_height(page: Page, size: dict[str, int]) -> int:
    """What the page asks for the stage once it has this size; the bridge takes it."""

    def is_layout(response: Response) -> bool:
        return response.request.method == "PUT" and response.url.endswith("/layout")

    async with page.expect_response(is_layout) as told:
        await page.set_viewport_size(size)  # type: ignore[arg-type]  # a plain dict, as everywhere
    response = await told.value
    assert response.status == 204
    height: int = json.loads(response.request.post_data or "{}")["slots"]["0"]["height"]
    return height


async def test_shared_screen_is_shown_large_until_it_is_stopped(house: House, displays: tuple[Page, Page]) -> None:
    sharing, seeing = displays
    tile = seeing.get_by_test_id(f"site-{house.classrooms[0].room_id}")
    await sharing.get_by_test_id("share-screen").click()
    await expect(tile.filter(has_text="Màn hình chia sẻ")).to_be_visible(timeout=20_000)
    await expect(tile).to_have_count(2)  # the camera goes on, small
    await sharing.get_by_test_id("share-screen").click()
    await expect(tile).to_have_count(1, timeout=20_000)
    await expect(tile.filter(has_text="Màn hình chia sẻ")).to_have_count(0)
    await hears_and_sees(seeing)
