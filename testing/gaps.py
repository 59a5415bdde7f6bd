"""How long a page went without a new picture, as the browser presented them (`requestVideoFrameCallback`)."""

import asyncio

from playwright.async_api import Page

AFTER_S = 4.0
"""Gaps that begin later have other causes; a page goes over to another node within this time."""

WATCH = """(afterMs) => {
  const gaps = { last: performance.now(), longest: 0, since: performance.now(), seen: new Set() };
  window.gaps = gaps;
  gaps.note = () => {
    const now = performance.now();
    if (gaps.last - gaps.since < afterMs) gaps.longest = Math.max(gaps.longest, now - gaps.last);
    return now;
  };
  const watch = (video) => {
    const frame = () => {
      if (video.closest("figure.large") !== null) gaps.last = gaps.note(); // not the room's own, however large that is
      video.requestVideoFrameCallback(frame);
    };
    gaps.seen.add(video);
    video.requestVideoFrameCallback(frame);
  };
  const look = () => {
    for (const video of gaps.seen) if (!video.isConnected) gaps.seen.delete(video);
    for (const video of document.querySelectorAll("video")) if (!gaps.seen.has(video)) watch(video);
  };
  look();
  setInterval(look, 20);
}"""


async def watch_gaps(page: Page) -> None:
    """Begin to note when the page presents a frame of the large picture."""
    await page.evaluate(WATCH, AFTER_S * 1000)


async def forget_gaps(page: Page) -> None:
    await page.evaluate("() => { gaps.longest = 0; gaps.last = gaps.since = performance.now(); }")


async def longest_gap_s(page: Page) -> float:
    """Between two frames, of the gaps that began within `AFTER_S` of `forget_gaps`; one that lasts counts so far."""
    longest_ms: float = await page.evaluate("() => { gaps.note(); return gaps.longest; }")
    return longest_ms / 1000


async def fluid(page: Page, *, for_s: float = 2.0, longest_s: float = 0.3, within_s: float = 60.0) -> None:
    """Return once the picture has moved for `for_s` with no longer gap. Raises `TimeoutError`."""
    async with asyncio.timeout(within_s):
        while True:
            await forget_gaps(page)
            await page.wait_for_timeout(for_s * 1000)
            if await longest_gap_s(page) < longest_s:
                return
