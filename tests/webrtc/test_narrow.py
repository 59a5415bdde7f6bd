"""A lesson over 300 kbit/s, simulated: estimate and allocation as they work together, and what comes between them.

Two voices, a picture in the steps of a real 180p layer, its keyframes, and what a page loads beside the lesson. The
picture is to move nearly all the time: to stop and begin again costs a keyframe, which is a queue on such a link.
"""

from random import Random

import pytest

from tests.webrtc.estimation.test_estimate import Sender, Way
from webrtc.selection.bitrate_allocation import Allocation, Priority, Step, Wish, allocate

VOICES, VOICE_OCTETS, VOICE_BPS = 2, 142, 57_000
BASE, FULL, MIDDLE = (
    Step(bps=79_000, layer=0, temporal=0),
    Step(bps=131_000, layer=0),
    Step(bps=320_000, layer=1),
)
FRAMES_PER_S = 15
NARROW_BPS, NARROW_FROM_S, LOOK_FROM_S = 240_000, 10, 15  # 300 kbit/s without headers of IP and UDP
WISHES = (
    *(Wish(mid=f"v{i}", priority=Priority.VOICE, steps=(Step(bps=VOICE_BPS, layer=0),)) for i in range(VOICES)),
    Wish(mid="stage", priority=Priority.STAGE, steps=(BASE, FULL, MIDDLE), preferred=2, still_bps=25_000),
)


class Room(Sender):
    """Who sends to a room behind such a link. `beside_s`: about how often the page loads something."""

    def __init__(self, way: Way, *, keyframe_octets: int, beside_s: float) -> None:
        super().__init__(way, wanted_bps=600_000)
        self.moving: list[bool] = []
        self._keyframe_octets, self._beside_s = keyframe_octets, beside_s
        self._random = Random(5)
        self._beside_at = self.now + beside_s
        self._allocation: Allocation = allocate(WISHES, self.estimate.bps, {})

    def _send_due(self) -> None:
        if self.now >= self._beside_at:
            self._beside_at += self._beside_s * self._random.uniform(0.6, 1.4)
            self.way.free_at = max(self.now, self.way.free_at) + 2500 * 8 / self.way.bps(self.now)
        before = self._allocation.choices
        self._allocation = allocate(WISHES, self.estimate.bps, before)
        stage = self._allocation.choices["stage"]
        if isinstance(stage, Step) and not isinstance(before["stage"], Step):
            for _ in range(self._keyframe_octets // 1000):
                self._packet(1000)
            self.keyframe()
        while self.now >= self._sound_at:
            self._sound_at += 0.02
            for _ in range(VOICES):
                self._packet(VOICE_OCTETS)
        while self.now >= self._frame_at:
            self._frame_at += 1 / FRAMES_PER_S
            if isinstance(stage, Step):
                self._packet(stage.bps // FRAMES_PER_S // 8)
        if self._probe is not None:
            self._pad(*self._probe)
        if self.now >= 1000 + LOOK_FROM_S:
            self.moving.append(isinstance(stage, Step))


@pytest.mark.parametrize("keyframe_octets", [6000, 9000, 13_000, 18_000])
@pytest.mark.parametrize("beside_s", [2.5, 1e9], ids=["a page that loads", "alone"])
def test_picture_goes_on_over_a_narrow_link(keyframe_octets: int, beside_s: float) -> None:
    way = Way(bps=lambda now: NARROW_BPS if now >= 1000 + NARROW_FROM_S else 5_000_000, delay_s=0.02, queue_s=0.5)
    room = Room(way, keyframe_octets=keyframe_octets, beside_s=beside_s)
    room.run(60)
    stops = sum(before and not after for before, after in zip(room.moving, room.moving[1:], strict=False))
    assert sum(room.moving) > 0.8 * len(room.moving)
    assert stops <= 1
    assert room.mean_bps(45) <= 1.2 * NARROW_BPS
