"""What a room sees when its bridge node is killed, and when it is drained: how long the large picture stands still.

A whole house on this machine with two bridge nodes, and Chromium with fake cameras as the displays, all in one lesson.
Time without a new frame of the large picture on the slowest display, each the median of the runs. Between the runs
the lesson goes back and forth between the nodes. The pages and their cameras are small, so that six of them run
fluently on two cores; what happens in them is the same.

    python -m bench.failover [--displays 6] [--runs 5] [--json]
"""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

from playwright.async_api import Page

from testing.browser import SMALL_CAMERA, hears_and_sees, open_display, page_of
from testing.chromium import chromium
from testing.gaps import fluid, forget_gaps, longest_gap_s, watch_gaps
from testing.installation import House, eventually

KILL_AIM_S = 3.0
DRAIN_AIM_S = 1.0
SETTLE_S = 12.0
"""After a move: the new node's bandwidth estimates have grown, the old bridge is closed, a killed node is trusted."""
WITHIN_S = 60.0  # a machine that also runs all the browsers


async def measured(displays: int, runs: int) -> tuple[list[float], list[float]]:
    """Seconds without picture on the slowest display, one per run: after a kill, and after a drain."""
    with tempfile.TemporaryDirectory() as directory:
        async with House(Path(directory), nodes=2) as house, chromium() as browser, AsyncExitStack() as stack:
            for number in range(displays):
                await house.add_classroom(("truong-a", "truong-b")[number % 2], f"p{number}", devices=False)
            pages = [await stack.enter_async_context(page_of(browser)) for _ in house.classrooms]
            for page in pages:
                await page.set_viewport_size({"width": 320, "height": 180})
                await page.add_init_script(path=SMALL_CAMERA)
            for page, classroom in zip(pages, house.classrooms, strict=True):
                await open_display(page, house, classroom)
            await house.start_lesson(await house.plan_lesson(*house.classrooms))
            for page in pages:
                await hears_and_sees(page, within_s=WITHIN_S)
                await watch_gaps(page)
            await asyncio.sleep(SETTLE_S)
            killed = [await _run(house, pages, _kill) for _ in range(runs)]
            drained = [await _run(house, pages, _drain) for _ in range(runs)]
            return killed, drained


async def _run(house: House, pages: list[Page], fell: Callable[[House, str], Awaitable[None]]) -> float:
    holder = await house.holder()
    await asyncio.gather(*(fluid(page, within_s=WITHIN_S) for page in pages))
    await asyncio.gather(*(forget_gaps(page) for page in pages))
    await fell(house, holder)

    async def elsewhere() -> bool:
        return await house.holder() != holder

    await eventually(elsewhere, within_s=WITHIN_S)
    for page in pages:
        await hears_and_sees(page, within_s=WITHIN_S)
    await asyncio.sleep(SETTLE_S)
    gap_s = max([await longest_gap_s(page) for page in pages])
    await house.call("PUT", f"/nodes/{holder}", {"draining": False})
    return gap_s


async def _kill(house: House, node: str) -> None:
    house.kill_child(node.replace("local", "bridge"))


async def _drain(house: House, node: str) -> None:
    await house.call("PUT", f"/nodes/{node}", {"draining": True})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--displays", type=int, default=6)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    killed_s, drained_s = asyncio.run(measured(options.displays, options.runs))
    figures = {
        "node_killed_gap_median_s": round(statistics.median(killed_s), 3),
        "node_killed_gap_max_s": round(max(killed_s), 3),
        "node_drained_gap_median_s": round(statistics.median(drained_s), 3),
        "node_drained_gap_max_s": round(max(drained_s), 3),
        "displays": options.displays,
        "runs": options.runs,
    }
    if options.json:
        json.dump(figures, sys.stdout)
        print()
        return
    print(f"| {options.displays} displays, slowest of them | median of {options.runs}, s | longest, s | aim, s |")
    print("|---|---|---|---|")
    for what, times_s, aim_s in (("killed", killed_s, KILL_AIM_S), ("drained", drained_s, DRAIN_AIM_S)):
        print(f"| node {what} | {statistics.median(times_s):.2f} | {max(times_s):.2f} | {aim_s:g} |")


if __name__ == "__main__":
    main()
