"""A display goes through one lesson after the other, and holds no more at the end than it did at the beginning."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

from playwright.async_api import Browser, CDPSession, Page

from testing.browser import SMALL_CAMERA, open_display, page_of
from testing.installation import Classroom, House
from testing.rounds import rounds

COUNTING = Path(__file__).parent / "counting.js"
SMALL = {"width": 640, "height": 400}
LESSONS = rounds(6, 30)
SETTLED = 3  # lessons after which everything that is made once has been made
NOISE = {"Nodes": 12, "JSEventListeners": 4, "JSHeapUsedSize": 1_000_000}
"""What may be more at the end than once it had settled, of all else 2: less than what a leak leaves in 3 lessons.

The heap takes in what the browser learns of code that runs often: 300 kB in these lessons, 6 kB in a later one.
"""


async def test_display_does_not_grow_with_its_lessons(browser: Browser, shared: House) -> None:
    async with AsyncExitStack() as stack:
        schools = ("truong-a", "truong-b", "truong-b")
        classrooms = [await shared.add_classroom(school, devices=False) for school in schools]
        pages = [await stack.enter_async_context(page_of(browser)) for _ in classrooms]
        for page, classroom in zip(pages, classrooms, strict=True):
            await page.add_init_script(path=SMALL_CAMERA)
            await page.add_init_script(path=COUNTING)
            await page.set_viewport_size(SMALL)  # type: ignore[arg-type]  # a plain dict, as everywhere
            await open_display(page, shared, classroom)
        devtools = await pages[0].context.new_cdp_session(pages[0])
        await devtools.send("Performance.enable")
        for _ in range(SETTLED):
            await hold_lesson(shared, classrooms, pages)
        settled = await held(devtools)
        for _ in range(LESSONS - SETTLED):
            await hold_lesson(shared, classrooms, pages)
        final = await let_go(devtools, settled)
    assert settled["RTCPeerConnection"] > 0, "nothing was counted"
    assert grown(settled, final) == {}, f"from {settled} to {final}"
    assert final["open capture"] == final["open AudioContext"] == 0


def grown(settled: dict[str, int], final: dict[str, int]) -> dict[str, tuple[int, int]]:
    return {name: (settled[name], count) for name, count in final.items() if count > settled[name] + NOISE.get(name, 2)}


async def let_go(devtools: CDPSession, settled: dict[str, int]) -> dict[str, int]:
    """What the page holds once it holds no more than when it had `settled`, or after 20 s.

    Chromium gives up the tracks of ended cameras one after the other, over ten seconds and as many collections.
    """
    final = await held(devtools)
    for _ in range(80):
        if not grown(settled, final):
            break
        await asyncio.sleep(0.25)
        final = await held(devtools)
    return final


async def hold_lesson(house: House, classrooms: list[Classroom], pages: list[Page]) -> None:
    """All three rooms come, two of them are called on, one leaves; then it ends."""
    page, leaving = pages[0], pages[-1]
    lesson = await house.plan_lesson(*classrooms)
    await house.start_lesson(lesson)
    for classroom in classrooms[1:]:
        await shows(page, f"[data-testid=site-{classroom.room_id}][data-moving=true]")
    for classroom in classrooms[1:]:
        body = {"room": classroom.room_id, "seconds": 60}
        await house.call("PUT", f"/lessons/{lesson}/floor", body, token=house.teacher_token)
        await shows(page, f".large[data-testid=site-{classroom.room_id}][data-moving=true]")
    await leaving.goto("about:blank")
    await shows(page, f"[data-testid=site-{classrooms[-1].room_id}][data-moving=false]")
    await house.end_lesson(lesson)
    await leaving.goto(f"{house.url}/display")
    for each in pages:
        await shows(each, "[data-testid=idle]")


async def shows(page: Page, selector: str) -> None:
    """Return once the page has such an element. Unlike a locator, this holds nothing of the page."""
    await page.wait_for_function("selector => document.querySelector(selector) !== null", arg=selector)


async def held(devtools: CDPSession) -> dict[str, int]:
    """What the page holds once its garbage is collected."""
    for _ in range(2):
        await devtools.send("HeapProfiler.collectGarbage")
    metrics = {each["name"]: each["value"] for each in (await devtools.send("Performance.getMetrics"))["metrics"]}
    asked = await devtools.send("Runtime.evaluate", {"expression": "counted()", "returnByValue": True})
    counts: dict[str, int] = asked["result"]["value"]
    return {name: int(metrics[name]) for name in NOISE} | counts
