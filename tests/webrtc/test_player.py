"""A WHEP player not written here, `@eyevinn/webrtc-player` in Chromium, plays what FFmpeg publishes."""

import asyncio
import shutil
from pathlib import Path
from urllib.parse import urlencode

import pytest

from testing.chromium import chromium
from testing.webrtc.browsers import served
from testing.webrtc.nodes import node_here, token
from tests.webrtc.bundle import PLAYER, bundle
from tests.webrtc.encoder import ffmpeg


@pytest.fixture
async def folder(tmp_path: Path) -> Path:
    """The page and its bundled script, in a folder of this test."""
    await bundle(PLAYER / "page.js", tmp_path / "page.js")
    shutil.copy(PLAYER / "page.html", tmp_path)
    return tmp_path


async def test_foreign_player_plays_what_ffmpeg_publishes(folder: Path) -> None:
    async with node_here() as node, served(folder) as origin, chromium() as browser, asyncio.timeout(60):
        page = await browser.new_page()
        await node.open_bridge("lesson", ["encoder"])
        asked = {"url": node.media("whep", "lesson"), "token": token("lesson", "viewer-1", publish=False)}
        async with ffmpeg(node.media("whip", "lesson"), token("lesson", "encoder")):
            await page.goto(f"{origin}/page.html?{urlencode(asked)}")
            await page.wait_for_function("document.querySelector('video').videoWidth === 640", timeout=30_000)
            first = await page.evaluate("window.framesDecoded")
            await page.wait_for_function(f"window.framesDecoded > {first + 20}", timeout=20_000)
        await page.evaluate("window.stop()")
