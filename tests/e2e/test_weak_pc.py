"""A display on a weak PC: it asks for fewer and smaller pictures by itself, and for more again once it can."""

import json
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from pathlib import Path

from playwright.async_api import Browser, Page, Response, expect

from testing.browser import SMALL_CAMERA, open_display, page_of, page_stats
from testing.installation import House, eventually

SLOW_DECODING = Path(__file__).parent / "slow_decoding.js"
SCHOOLS = ("truong-a", "truong-a", "truong-b", "truong-b")
LAYOUTS = {"smaller": (360, True), "fewer": (360, False)}
"""Height of the stage, and whether the last thumbnail is shown."""
PATIENCE_MS = 60_000  # it dares to ask for more after 30 s of calm


async def test_weak_pc_asks_for_fewer_pictures_and_later_for_more(browser: Browser, shared: House) -> None:
    async with AsyncExitStack() as stack:
        classrooms = [await shared.add_classroom(school, devices=False) for school in SCHOOLS]
        page, *others = [await stack.enter_async_context(page_of(browser)) for _ in classrooms]
        await page.add_init_script(path=SLOW_DECODING)
        for each, classroom in zip((page, *others), classrooms, strict=True):
            await each.add_init_script(path=SMALL_CAMERA)
            await open_display(each, shared, classroom)
        await shared.start_lesson(await shared.plan_lesson(*classrooms))
        moving = page.locator("figure[data-moving=true]")
        await expect(moving).to_have_count(3, timeout=60_000)

        async with told(page, "smaller"), told(page, "fewer"):
            await page.evaluate("decodingIsSlow = true")
        async with told(page, "smaller"):
            await page.evaluate("decodingIsSlow = false")
            await expect(page.locator("figure[data-mid]")).to_have_count(2)
            await expect(page.get_by_test_id("also-here")).to_be_visible()  # by name
            await expect(page.get_by_test_id("slow-note")).to_be_visible()
            await stands_still(page, "2")
        await expect(moving).to_have_count(3, timeout=60_000)
        await expect(page.get_by_test_id("also-here")).to_have_count(0)


def told(page: Page, layout: str) -> AbstractAsyncContextManager[object]:
    """To be entered before: left once the bridge has taken the layout of that name."""
    expected = LAYOUTS[layout]

    def is_told(response: Response) -> bool:
        if response.request.method != "PUT" or not response.url.endswith("/layout") or response.status != 204:
            return False
        slots = json.loads(response.request.post_data or "{}")["slots"]
        return (slots["0"]["height"], slots["2"]["height"] > 0) == expected

    return page.expect_response(is_told, timeout=PATIENCE_MS)


async def stands_still(page: Page, mid: str) -> None:
    """Return once the bridge sends nothing more for this slot, while it goes on with the stage."""
    before: dict[str, int] = {}

    async def only_the_stage_moves() -> bool:
        nonlocal before
        earlier, before = before, (await page_stats(page))["framesDecoded"]
        return mid in earlier and before[mid] == earlier[mid] and before["0"] > earlier["0"]

    await eventually(only_the_stage_moves, every_s=1)
