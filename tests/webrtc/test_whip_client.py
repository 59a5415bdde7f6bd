"""Our small client against a node: real ICE, DTLS and codecs on loopback."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from av import AudioFrame, VideoFrame

from demo.whip_client import SignallingFailed, Slot, VideoCodec, play, publish
from testing.webrtc.nodes import Node, node_here, token
from tests.webrtc.pictures import Picture, Tone, brightness, loudness


@pytest.fixture
async def node() -> AsyncIterator[Node]:
    async with node_here() as node:
        await node.open_bridge("lesson", ["room-a", "room-b", "room-c"])
        yield node


async def _picture(slot: Slot) -> int:
    frame = await slot.next_frame()
    assert isinstance(frame, VideoFrame)
    return brightness(frame)


async def _hear_tone(slot: Slot) -> None:
    """Return once the tone is heard; a decoder begins softly."""
    while True:
        frame = await slot.next_frame()
        assert isinstance(frame, AudioFrame)
        if loudness(frame) > 4000:
            return


@pytest.mark.parametrize("codec", ["VP8", "H264"])
async def test_published_picture_and_tone_are_played(node: Node, codec: VideoCodec) -> None:
    async with (
        asyncio.timeout(20),
        publish(node.media("whip", "lesson"), token("lesson", "room-a"), [Picture(200), Tone()], video_codec=codec),
        play(node.media("whep", "lesson"), token("lesson", "room-b")) as playback,
    ):
        await playback.connected()
        (video,), (audio,) = playback.of_kind("video"), playback.of_kind("audio")
        assert abs(await _picture(video) - 200) < 20
        await _hear_tone(audio)
        seen = video.frames
        while video.frames < seen + 15:
            await video.next_frame()


async def test_several_slots_carry_several_rooms_in_order(node: Node) -> None:
    whip, whep = node.media("whip", "lesson"), node.media("whep", "lesson")
    async with (
        asyncio.timeout(20),
        publish(whip, token("lesson", "room-b"), [Picture(220), Tone()]),
        publish(whip, token("lesson", "room-a"), [Picture(90), Tone()]),
        publish(whip, token("lesson", "room-c"), [Picture(30), Tone()]),
        play(whep, token("lesson", "room-c"), video=2, audio=2) as playback,
    ):
        await playback.connected()
        levels = {await _picture(slot) for slot in playback.of_kind("video")}
        assert any(abs(level - 90) < 20 for level in levels)
        assert any(abs(level - 220) < 20 for level in levels)
        for slot in playback.of_kind("audio"):
            await _hear_tone(slot)


async def test_own_picture_never_comes_back(node: Node) -> None:
    whip, whep = node.media("whip", "lesson"), node.media("whep", "lesson")
    async with (
        asyncio.timeout(20),
        publish(whip, token("lesson", "room-a"), [Picture(200)]),
        play(whep, token("lesson", "room-a")) as own,
        play(whep, token("lesson", "room-b")) as other,
    ):
        await own.connected()
        (seen,) = other.of_kind("video")
        while seen.frames < 15:
            await seen.next_frame()
        assert [slot.frames for slot in own.slots] == [0, 0]


async def test_refusal_is_raised_with_its_status(node: Node) -> None:
    with pytest.raises(SignallingFailed, match="403"):
        async with play(node.media("whep", "lesson"), token("another", "room-a")):
            pass


async def test_unreachable_node_is_a_signalling_failure() -> None:
    with pytest.raises(SignallingFailed, match="no answer"):
        async with play("http://127.0.0.1:9/whep/lesson", "token"):
            pass
