"""A room that gets one large picture and no voice, as the host does while its teacher speaks: all may rest at once.

Then nothing is sent, so no feedback shows the link, until it is tried again.
"""

import pytest

from tests.webrtc.estimation.test_estimate import Sender, Way, steady
from webrtc.estimation.estimate import START_WITHOUT_FEEDBACK_BPS, SendEstimate
from webrtc.forwarding.slots import STILL_S
from webrtc.selection.bitrate_allocation import Priority, Rest, Step, Wish, allocate

SCREEN = Step(bps=400_000, layer=0)
KEYFRAME_OCTETS = 60_000
WISH = Wish(mid="s", priority=Priority.SLIDES, steps=(SCREEN,), still_bps=int(KEYFRAME_OCTETS * 8 / STILL_S))
FRAMES_PER_S = 15
BEGAN = 1000.0  # the sender's clock
TROUBLE = (BEGAN + 20, BEGAN + 26)


class Lossy(Way):
    """It loses most for some seconds."""

    def lost(self, now: float) -> bool:
        return (TROUBLE[0] <= now < TROUBLE[1] and self.random.random() < 0.8) or super().lost(now)


class Host(Sender):
    def __init__(self, way: Way) -> None:
        super().__init__(way)
        self.choice = allocate([WISH], self.estimate.bps, {}).choices["s"]
        self._key_at = 0.0

    def _send_due(self) -> None:
        before = self.choice
        allocation = allocate([WISH], self.estimate.bps, {"s": before})
        self.choice, self.wanted_bps = allocation.choices["s"], allocation.wanted_bps
        begins = self.choice is SCREEN and before is not SCREEN
        if begins or (self.choice is Rest.STILL and self.now >= self._key_at + STILL_S):
            self._key_at = self.now
            for _ in range(KEYFRAME_OCTETS // 1000):
                self._packet(1000)
            self.keyframe()
        while self.now >= self._frame_at:
            self._frame_at += 1 / FRAMES_PER_S
            if self.choice is SCREEN:
                for _ in range(3):
                    self._packet(SCREEN.bps // FRAMES_PER_S // 8 // 3)
        if self._probe is not None:
            self._pad(*self._probe)


@pytest.mark.parametrize(
    "way",
    [
        Lossy(bps=steady(2_000_000)),
        Way(bps=lambda now: 60_000 if TROUBLE[0] <= now < TROUBLE[1] else 2_000_000),
        Way(bps=lambda now: 60_000 if TROUBLE[0] <= now < TROUBLE[1] else 2_000_000, queue_s=0.05),
        Way(bps=steady(2_000_000), dark=TROUBLE),
    ],
    ids=["lossy", "narrow", "narrow, shallow queue", "dark"],
)
def test_picture_that_rests_comes_back_though_nobody_speaks(way: Way) -> None:
    host = Host(way)
    host.run(TROUBLE[1] - BEGAN)
    host.run(12)
    assert host.choice is SCREEN


def test_link_of_a_player_without_feedback_is_tried_again_too() -> None:
    estimate = SendEstimate(transport_cc=False, now=0.0)
    for now in range(1, 20):
        estimate.on_loss(0.0 if now < 10 else 0.5, 0.1, 100_000, 1_000_000, now)
    assert estimate.bps < 100_000
    for tenth in range(190, 400):  # nothing is sent, so nothing is reported
        estimate.tick(19.0, tenth / 10)
        assert estimate.probe(1_000_000, tenth / 10) is None
    assert estimate.bps == START_WITHOUT_FEEDBACK_BPS
    estimate.on_loss(0.0, 0.1, estimate.bps, 1_000_000, 41.0)
    assert estimate.bps > START_WITHOUT_FEEDBACK_BPS


def test_link_of_which_nothing_bad_is_known_is_not_tried_with_a_burst() -> None:
    estimate = SendEstimate(transport_cc=True, now=0.0)
    assert all(estimate.probe(2_000_000, tenth / 10) is None for tenth in range(100))


def test_still_on_a_long_way_is_no_silence() -> None:
    host = Host(Way(bps=steady(2_000_000), delay_s=1.0))
    host.run(20)
    before = host.estimate.bps
    for _ in range(20):
        host.quiet = True
        host.run(STILL_S)
        host.quiet = False
        host.run(0.2)
    assert host.least_bps(60) >= 0.7 * before


def test_clock_that_is_set_back_stops_no_congestion_control() -> None:
    sender = Sender(Way(bps=lambda now: 2_000_000 if now < BEGAN + 40 else 400_000, queue_s=1.0), wanted_bps=1_500_000)
    sender.run(30)
    sender.receiver_ahead_s = -900.0
    sender.run(40)
    assert sender.mean_bps(20) <= 450_000
    assert sender.estimate.loss < 0.05
