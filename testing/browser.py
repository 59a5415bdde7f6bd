"""The pages of people: a display, a teacher, and what they receive."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Page

from testing.installation import PASSWORD, Classroom, House

PanelSize = dict[str, int]
PANEL: PanelSize = {"width": 1280, "height": 800}
SMALL_CAMERA = Path(__file__).parent / "small_camera.js"  # an init script


@dataclass(frozen=True, slots=True)
class Received:
    """What a page receives, summed over its slots: `getStats` of the browser, not our own counters."""

    frames_decoded: int
    audio_energy: float


@asynccontextmanager
async def page_of(browser: Browser) -> AsyncIterator[Page]:
    """A page with cookies and storage of its own."""
    context = await browser.new_context(viewport=PANEL, locale="vi-VN")  # type: ignore[arg-type]
    try:
        yield await context.new_page()
    finally:
        await context.close()


async def open_display(page: Page, house: House, classroom: Classroom, *, url: str = "") -> None:
    """Pair a display to a classroom as a technician does: read the code from the screen, type it in.

    `url`: another way to the house's controller than its own.
    """
    await page.goto(f"{url or house.url}/display")
    code = (await page.get_by_test_id("pairing-code").inner_text()).replace(" ", "").strip()
    await house.call("POST", f"/rooms/{classroom.room_id}/displays", {"code": code, "name": "Bảng"})
    await page.get_by_test_id("idle").wait_for()


async def log_in(page: Page, house: House, name: str) -> None:
    await page.goto(f"{house.url}/login")
    await page.get_by_test_id("login-name").fill(name)
    await page.get_by_test_id("login-password").fill(PASSWORD)
    await page.get_by_test_id("login-submit").click()
    await page.get_by_test_id("who").wait_for()


async def page_stats(page: Page) -> dict[str, Any]:
    """`window.nhipcau.stats()`; empty while the page has no call."""
    stats: dict[str, Any] = await page.evaluate("async () => (window.nhipcau ? await window.nhipcau.stats() : {})")
    return stats


async def received(page: Page) -> Received:
    stats = await page_stats(page)
    return Received(
        frames_decoded=sum(stats.get("framesDecoded", {}).values()),
        audio_energy=sum(stats.get("totalAudioEnergy", {}).values()),
    )


async def picture_since(page: Page, since_ms: float, *, within_s: float = 20.0) -> float:
    """When the page decoded its first frame of a call that it joined after `since_ms` (both: ms since 1970)."""
    async with asyncio.timeout(within_s):
        while True:
            at_ms: float = (await page_stats(page)).get("times", {}).get("firstFrame", 0.0)
            if at_ms > since_ms:
                return at_ms
            await page.wait_for_timeout(50)


async def hears_and_sees(page: Page, *, within_s: float = 20.0) -> Received:
    """Return once frames and sound have come in since now. Raises `TimeoutError`."""
    before = await received(page)
    async with asyncio.timeout(within_s):
        while True:
            now = await received(page)
            rising = now.frames_decoded > before.frames_decoded + 5 and now.audio_energy > before.audio_energy
            if rising:
                return now
            if now.frames_decoded < before.frames_decoded:
                before = now  # joined anew: counters began again
            await page.wait_for_timeout(100)
