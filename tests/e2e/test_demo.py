"""`make run`, as the person who tries it sees it."""

import asyncio
import re
import signal
import sys
from pathlib import Path

from playwright.async_api import Browser

from testing.browser import page_of, page_stats
from testing.installation import ROOT, eventually

STARTING_S = 90.0


async def test_the_demo_shows_two_classes_after_one_tap(tmp_path: Path, browser: Browser) -> None:
    demo = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "controller", "demo", "--data-dir", str(tmp_path / "demo"), "--port", "0"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=ROOT,
    )
    assert demo.stdout is not None
    assert demo.stderr is not None
    try:
        async with asyncio.timeout(STARTING_S):
            while not (link := re.search(rb"http://\S+/login#link=\S+", await demo.stdout.readline())):
                assert not demo.stdout.at_eof(), (await demo.stderr.read()).decode()
        async with page_of(browser) as teacher:
            await teacher.goto(link.group().decode())
            await teacher.get_by_test_id("start-button").click()

            async def both_classes_move() -> bool:
                frames = (await page_stats(teacher)).get("framesDecoded", {})
                return len([count for count in frames.values() if count > 15]) == 2

            await eventually(both_classes_move, within_s=30)
            await teacher.get_by_text("đang khởi động").first.wait_for(timeout=30_000)
            await teacher.get_by_text("đang khởi động").last.wait_for(state="detached", timeout=60_000)
    finally:
        demo.send_signal(signal.SIGINT)
        async with asyncio.timeout(20):
            errors = await demo.stderr.read()
            assert await demo.wait() == 0, errors.decode()
    assert b"Traceback" not in errors
