"""From the tap to the picture: a teacher taps Start, and both rooms' displays show a decoded frame of the other.

A whole house on this machine (controller, broker, node, simulated devices), Chromium with fake cameras as the displays.
The time runs from the tap in the teacher's browser to the first frame that `requestVideoFrameCallback` reports on the
slower display. Between the runs two pages of the same browser call each other directly (`bench/direct_call.py`): how
long that takes says how fast this machine is, and `tap_ratio` what we add.

    python -m bench.join [--runs 10] [--json]
"""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path

from playwright.async_api import Page

from bench.direct_call import direct_call
from testing.browser import log_in, open_display, page_of, page_stats, picture_since
from testing.chromium import chromium
from testing.installation import House, two_classrooms

AIM_S = 1.0
AIM_RATIO = 2.0
PATIENCE_S = 60.0
"""A slow machine is measured, too."""
PUBLISHED_S = 2.7
"""eduMEET's published median join."""


async def measured(runs: int) -> tuple[list[float], list[float]]:
    """Seconds from tap to picture, and of a direct call beside it, one of each per run."""
    with tempfile.TemporaryDirectory() as directory:
        async with two_classrooms(Path(directory)) as house, chromium() as browser, AsyncExitStack() as stack:
            displays = [await stack.enter_async_context(page_of(browser)) for _ in house.classrooms]
            for page, classroom in zip(displays, house.classrooms, strict=True):
                await open_display(page, house, classroom)
            teacher = await stack.enter_async_context(page_of(browser))
            await log_in(teacher, house, "teacher-truong-a")
            pair = [await stack.enter_async_context(page_of(browser)) for _ in displays]
            for page in pair:
                await page.goto(f"{house.url}/login")
            taps_s, direct_s = [], []
            for _ in range(runs):
                direct_s.append(await direct_call(*pair, within_s=PATIENCE_S))
                taps_s.append(await _run(house, teacher, displays))
            return taps_s, direct_s


async def _run(house: House, teacher: Page, displays: list[Page]) -> float:
    lesson = await house.plan_lesson(*house.classrooms)
    await teacher.goto(f"{house.url}/today")
    await teacher.get_by_test_id("start-button").click()
    await teacher.get_by_test_id("end-button").wait_for()
    tapped_ms: float = (await page_stats(teacher))["times"]["startTapped"]
    pictures_ms = [await picture_since(page, tapped_ms, within_s=PATIENCE_S) for page in displays]
    for classroom in house.classrooms:
        await house.steps_settled(lesson, classroom)
    await house.end_lesson(lesson)
    for page in displays:
        await page.get_by_test_id("idle").wait_for()
    for classroom in house.classrooms:
        await house.steps_settled(lesson, classroom)
    return (max(pictures_ms) - tapped_ms) / 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    times_s, direct_s = asyncio.run(measured(options.runs))
    tap_s, call_s = statistics.median(times_s), statistics.median(direct_s)
    figures = {
        "tap_to_picture_median_s": round(tap_s, 3),
        "tap_to_picture_min_s": round(min(times_s), 3),
        "tap_to_picture_max_s": round(max(times_s), 3),
        "direct_call_median_s": round(call_s, 3),
        "tap_ratio": round(tap_s / call_s, 2),
        "runs": len(times_s),
    }
    if options.json:
        json.dump(figures, sys.stdout)
        print()
        return
    print("| from tap to picture, both displays | s |\n|---|---|")
    print(f"| median of {len(times_s)} | {figures['tap_to_picture_median_s']} |")
    print(f"| fastest, slowest | {figures['tap_to_picture_min_s']}, {figures['tap_to_picture_max_s']} |")
    print(f"| two pages that call each other directly, median | {figures['direct_call_median_s']} |")
    print(f"| tap / direct call, aim {AIM_RATIO} | {figures['tap_ratio']} |")
    print(f"| aim | {AIM_S} |\n| eduMEET's published median join | {PUBLISHED_S} |")


if __name__ == "__main__":
    main()
