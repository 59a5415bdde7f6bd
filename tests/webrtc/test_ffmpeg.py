"""FFmpeg's own WHIP publisher, in both DTLS roles, played by our client."""

import asyncio
import json

import aiohttp
import pytest
from av import AudioFrame, VideoFrame

from demo.whip_client import Slot, play
from testing.webrtc.nodes import Node, node_here, token
from tests.webrtc.encoder import ffmpeg
from tests.webrtc.pictures import loudness


async def _different_pictures(slot: Slot, count: int) -> set[bytes]:
    """`count` decoded pictures that differ."""
    seen: set[bytes] = set()
    while len(seen) < count:
        frame = await slot.next_frame()
        assert isinstance(frame, VideoFrame)
        assert (frame.width, frame.height) == (640, 360)
        seen.add(bytes(frame.planes[0]))
    return seen


@pytest.mark.parametrize("options", [[], ["-whip_flags", "dtls_active"]], ids=["passive", "active"])
async def test_ffmpeg_is_published_and_played(options: list[str]) -> None:
    async with node_here() as node:
        await node.open_bridge("lesson", ["encoder"])
        async with (
            asyncio.timeout(30),
            ffmpeg(node.media("whip", "lesson"), token("lesson", "encoder"), *options),
            play(node.media("whep", "lesson"), token("lesson", "room-b")) as playback,
        ):
            (video,), (audio,) = playback.of_kind("video"), playback.of_kind("audio")
            await _different_pictures(video, 10)
            while True:
                frame = await audio.next_frame()
                assert isinstance(frame, AudioFrame)
                if loudness(frame) > 1000:
                    break


async def test_ffmpeg_leaves_the_bridge_when_it_ends() -> None:
    async with node_here() as node:
        await node.open_bridge("lesson", ["encoder"])
        async with node.events() as socket, asyncio.timeout(30):
            async with ffmpeg(node.media("whip", "lesson"), token("lesson", "encoder")) as process:
                await _participants(node, socket, flowing=True)
                process.terminate()
                await process.wait()
                await _participants(node, socket, flowing=False)


async def _participants(node: Node, socket: aiohttp.ClientWebSocketResponse, *, flowing: bool) -> None:
    """Return once the encoder's tracks flow, or once it has left."""
    while True:
        state = json.loads(await socket.receive_str()).get("bridge") or {"participants": []}
        tracks = [track for participant in state["participants"] for track in participant["tracks"]]
        if flowing and {track["codec"] for track in tracks if track["flowing"]} == {"H264", "OPUS"}:
            return
        if not flowing and not state["participants"]:
            return
