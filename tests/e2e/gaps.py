"""How long a page went without a new picture, as the browser presented them (`requestVideoFrameCallback`)."""

from playwright.async_api import Page

WATCH = """() => {
  const gaps = { last: performance.now(), longest: 0, seen: new Map() };
  window.gaps = gaps;
  const area = (video) => { const box = video.getBoundingClientRect(); return box.width * box.height; };
  const watch = (video) => {
    const frame = () => {
      const now = performance.now();
      const largest = Math.max(...[...gaps.seen.keys()].filter((each) => each.isConnected).map(area));
      if (area(video) >= largest * 0.9) {
        gaps.longest = Math.max(gaps.longest, now - gaps.last);
        gaps.last = now;
      }
      video.requestVideoFrameCallback(frame);
    };
    gaps.seen.set(video, true);
    video.requestVideoFrameCallback(frame);
  };
  const look = () => {
    for (const video of document.querySelectorAll("video")) if (!gaps.seen.has(video)) watch(video);
    for (const video of gaps.seen.keys()) if (!video.isConnected) gaps.seen.delete(video);
  };
  look();
  setInterval(look, 20);
}"""


async def watch_gaps(page: Page) -> None:
    """Begin to note when the page presents a frame of its largest picture."""
    await page.evaluate(WATCH)


async def forget_gaps(page: Page) -> None:
    await page.evaluate("() => { window.gaps.longest = 0; window.gaps.last = performance.now(); }")


async def longest_gap_s(page: Page) -> float:
    """Between two frames since `forget_gaps`, the one that lasts included."""
    longest_ms: float = await page.evaluate("() => Math.max(window.gaps.longest, performance.now() - window.gaps.last)")
    return longest_ms / 1000
