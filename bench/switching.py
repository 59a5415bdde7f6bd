"""What people see when slots change: six rooms in real Chromium, three layers each, on one node.

`python -m bench.switching [--json] [--switches N]`. The floor goes from room to room, so that each time the stages of
five pages change; the gap between two pictures on each stage is taken from the browser's own frame callbacks. Then one
page makes its stage small and large again; the time is until a picture of the other size is on the screen. All ends are
on this machine, so a gap is also what its cores could not do; `busy` says how much they had to.
"""

import argparse
import asyncio
import json
import statistics
import time
from collections.abc import Sequence
from pathlib import Path

from testing.chromium import chromium
from testing.webrtc.browsers import Room, rooms
from testing.webrtc.nodes import Node, node_process

ROOMS = ("r1", "r2", "r3", "r4", "r5", "r6")
BRIDGE = "switching"
WIDTH, HEIGHT, SMALL_HEIGHT = 384, 216, 54  # small, so that six browsers' work fits on two cores: see `busy`
HOLD_S = 3.0  # between two switches
RESIZES = 8
WATCH = """() => {
  window.gaps = [];
  window.sizes = [];
  const stage = document.querySelector("video");
  let before = 0;
  const seen = (now, frame) => {
    if (before) window.gaps.push([Math.round(performance.timeOrigin + now), now - before]);
    window.sizes.push([performance.timeOrigin + now, frame.height]);
    before = now;
    stage.requestVideoFrameCallback(seen);
  };
  stage.requestVideoFrameCallback(seen);
}"""


FIRST_OF_SIZE = "([since, height]) => window.sizes.find(([at, size]) => at > since && size === height)[0]"


async def measure(switches: int) -> dict[str, float]:
    async with (
        node_process() as process,
        chromium("--force-fieldtrials=WebRTC-LegacySimulcastLayerLimit/Disabled/") as browser,
        rooms(browser, process.node, BRIDGE, *ROOMS) as pages,
    ):
        node = process.node
        await node.open_bridge(BRIDGE, ROOMS)
        for page in pages:
            await page.publish(width=WIDTH, height=HEIGHT)
            await page.play(video=6, audio=3)
        for page in pages:
            await page.until("Object.values(video).filter((each) => each.framesDecoded > 30).length >= 5", timeout_s=60)
            await page.layout({"0": HEIGHT} | {str(mid): SMALL_HEIGHT for mid in range(1, 6)})
            await page.page.evaluate(WATCH)
        await asyncio.sleep(HOLD_S)
        idle = await _times()
        gaps = await _switch(node, pages, switches)
        busy = _busy(idle, await _times())
        resizes = await _resize(pages[1])
        stats = [entry for page in pages for entry in (await page.received()).values() if entry["framesDecoded"]]
        sound = [entry for page in pages for entry in (await page.received("audio")).values()]
        samples = sum(entry["totalSamplesReceived"] for entry in sound)
        return {
            "switches": switches * (len(ROOMS) - 1),
            "gap_ms_p50": round(statistics.median(gaps)),
            "gap_ms_max": round(max(gaps)),
            "gaps_over_300_ms": sum(gap > 300 for gap in gaps),
            "resize_ms_p50": round(statistics.median(resizes)),
            "resize_ms_max": round(max(resizes)),
            "keyframe_requests": sum(entry["pliCount"] + entry["firCount"] for entry in stats),
            "frames_decoded": sum(entry["framesDecoded"] for entry in stats),
            "frames_dropped": sum(entry["framesDropped"] for entry in stats),
            "packets_lost": sum(entry["packetsLost"] for entry in stats),
            "concealed": round(sum(entry["concealedSamples"] for entry in sound) / max(1, samples), 4),
            "busy": round(busy, 2),
        }


async def _switch(node: Node, pages: Sequence[Room], switches: int) -> list[float]:
    """The longest gap in milliseconds on each stage that changed, for each switch."""
    gaps = []
    for i in range(switches):
        holder = ROOMS[i % len(ROOMS)]
        started = time.time() * 1000
        await node.open_bridge(BRIDGE, ROOMS, floor=holder)
        await asyncio.sleep(HOLD_S)
        for page in pages:
            if page.name != holder:
                seen = await page.page.evaluate("since => window.gaps.filter(([at]) => at > since)", started)
                gaps.append(max((gap for _, gap in seen), default=HOLD_S * 1000))
    return gaps


async def _resize(page: Room) -> list[float]:
    """Milliseconds from the wish for another size to its first picture."""
    took = []
    for i in range(RESIZES):
        height = SMALL_HEIGHT if i % 2 == 0 else HEIGHT
        started = time.time() * 1000
        await page.layout({"0": height})
        await page.until(f"window.sizes.some(([at, size]) => at > {started} && size === {height})", timeout_s=60)
        first = await page.page.evaluate(FIRST_OF_SIZE, [started, height])
        took.append(first - started)
        await asyncio.sleep(1.0)
    return took


async def _times() -> list[int]:
    text = await asyncio.to_thread(Path("/proc/stat").read_text)
    return [int(each) for each in text.splitlines()[0].split()[1:9]]


def _busy(before: Sequence[int], after: Sequence[int]) -> float:
    spent = [b - a for a, b in zip(before, after, strict=True)]
    return 1 - (spent[3] + spent[4]) / sum(spent)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.switching", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print the figures as one JSON object")
    parser.add_argument("--switches", type=int, default=12)
    arguments = parser.parse_args()
    figures = asyncio.run(measure(arguments.switches))
    if arguments.json:
        print(json.dumps(figures))
        return
    for name, value in figures.items():
        print(f"{name:18} {value}")


if __name__ == "__main__":
    main()
