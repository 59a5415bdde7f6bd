import asyncio

from av import AudioFrame, VideoFrame

from demo.whip_client import Slot
from tests.webrtc.peers import lesson
from tests.webrtc.pictures import Picture, Tone, brightness, loudness


async def picture_of(slot: Slot, level: int) -> None:
    """Return once `slot` shows a picture of about that brightness."""
    while True:
        frame = await slot.next_frame()
        assert isinstance(frame, VideoFrame)
        if abs(brightness(frame) - level) < 40:
            return


async def sound_in(slot: Slot) -> None:
    while True:
        frame = await slot.next_frame()
        assert isinstance(frame, AudioFrame)
        if loudness(frame) > 1000:
            return


async def test_room_sees_and_hears_the_other() -> None:
    async with asyncio.timeout(20), lesson("a", "b") as here, here.publishing("a", [Picture(200), Tone()]):
        async with here.watching("b") as b:
            await picture_of(b.slots[0], 200)
            await sound_in(b.slots[1])


async def test_room_never_gets_its_own_sound() -> None:
    async with (
        asyncio.timeout(20),
        lesson("a", "b") as here,
        here.publishing("a", [Picture(60), Tone()]),
        here.publishing("b", [Picture(220), Tone()]),
        here.watching("a", video=2, audio=2) as a,
        here.watching("b", video=2, audio=2) as b,
    ):
        await picture_of(a.slots[0], 220)
        await picture_of(b.slots[0], 60)
        await sound_in(a.slots[2])
        for viewer, other in ((a, "b"), (b, "a")):
            state = here.participant(viewer.connection.participant)
            assert state is not None
            assert [slot.source for slot in state.subscriptions[0].slots] == [other, None, other, None]
            assert (viewer.slots[1].frames, viewer.slots[3].frames) == (0, 0)
