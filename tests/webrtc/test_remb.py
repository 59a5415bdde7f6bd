"""A lesson for a player that tells of its link by REMB and receiver reports: aiortc's own estimator, simulated links.

It counts pictures only. What is sent are voices, and a picture in the steps and with the stills of a real one.
"""

from collections.abc import Callable
from heapq import heappop, heappush
from random import Random

import pytest
from aiortc.rate import RemoteBitrateEstimator

from tests.webrtc.estimation.test_estimate import Way, steady
from webrtc.estimation.estimate import SendEstimate
from webrtc.forwarding.slots import STILL_S
from webrtc.rtp.rtcp import MaximumBitrate
from webrtc.selection.bitrate_allocation import Allocation, Priority, Rest, Step, Wish, allocate

VOICES, VOICE_OCTETS, VOICE_BPS = 3, 150, 60_000
STEPS = (
    Step(bps=90_000, layer=0, temporal=0),
    Step(bps=150_000, layer=0),
    Step(bps=500_000, layer=1),
    Step(bps=1_500_000, layer=2),
)
KEYFRAME_OCTETS = 9_000
STILL_BPS = KEYFRAME_OCTETS * 8 / STILL_S
FRAMES_PER_S = 30
WISHES = (
    *(Wish(mid=f"v{i}", priority=Priority.VOICE, steps=(Step(bps=VOICE_BPS, layer=0),)) for i in range(VOICES)),
    Wish(mid="stage", priority=Priority.STAGE, steps=STEPS, preferred=3, still_bps=int(STILL_BPS)),
)
STEP_S = 0.005
PICTURE = 1  # its SSRC


class Player:
    """`stall_s`: it reads its packets late by up to so much, as on a machine that is full; `now` tells when."""

    def __init__(self, way: Way, *, stall_s: Callable[[float], float] = lambda now: 0.0) -> None:
        self.way = way
        self.now = 0.0
        self.estimate = SendEstimate(transport_cc=False, now=0.0)
        self.shown: list[tuple[float, Step | Rest]] = []
        self.waits: list[tuple[float, float]] = []  # when a voice came, and how long it was under way
        self._stall_s = stall_s
        self._remote = RemoteBitrateEstimator()
        self._random = Random(3)
        self._allocation: Allocation = allocate(WISHES, self.estimate.bps, {})
        self._air: list[tuple[float, float, int, bool]] = []
        self._read_at = 0.0
        self._sound_at = self._frame_at = self._still_at = 0.0
        self._report_at, self._measured = 1.0, (0, 0)
        self._octets, self._pictures = 0, 0
        self._pictures_bps = self._sent_bps = 0
        self._packets = self._lost = 0

    def run(self, seconds: float) -> None:
        end = self.now + seconds
        while self.now < end:
            self.now += STEP_S
            self._send_due()
            self._read_due()
            if self.now >= self._report_at:
                self._report_at += 1.0
                self._report()
            self.estimate.tick(self.now, self.now)

    def moving(self, seconds: float) -> float:
        """The share of the last `seconds` in which the picture moved."""
        late = [choice for at, choice in self.shown if at > self.now - seconds]
        return sum(isinstance(choice, Step) for choice in late) / len(late)

    def wait_s(self, seconds: float, share: float) -> float:
        waits = sorted(wait for at, wait in self.waits if at > self.now - seconds)
        return waits[int(len(waits) * share)]

    def _send_due(self) -> None:
        before = self._allocation.choices["stage"]
        self._allocation = allocate(WISHES, self.estimate.bps, self._allocation.choices)
        stage = self._allocation.choices["stage"]
        self.shown.append((self.now, stage))
        if isinstance(stage, Step) and (not isinstance(before, Step) or before.layer != stage.layer):
            self._picture(KEYFRAME_OCTETS * (1 + 2 * stage.layer))
        if stage is Rest.STILL and self.now >= self._still_at:
            self._still_at = self.now + STILL_S
            self._picture(KEYFRAME_OCTETS)
        while self.now >= self._sound_at:
            self._sound_at += 0.02
            for _ in range(VOICES):
                self._packet(VOICE_OCTETS, picture=False)
        while self.now >= self._frame_at:
            self._frame_at += 1 / FRAMES_PER_S
            if isinstance(stage, Step):
                self._picture(int(stage.bps * self._random.uniform(0.7, 1.3) / FRAMES_PER_S / 8))

    def _picture(self, octets: int) -> None:
        for at in range(0, octets, 1100):
            self._packet(min(1100, octets - at), picture=True)

    def _packet(self, octets: int, *, picture: bool) -> None:
        self._octets += octets
        self._pictures += octets if picture else 0
        self._packets += 1
        at = self.way.through(octets, self.now)
        if at is None:
            self._lost += 1
        else:
            heappush(self._air, (at, self.now, octets, picture))

    def _read_due(self) -> None:
        if self.now < self._read_at:
            return
        self._read_at = self.now + self._stall_s(self.now)
        while self._air and self._air[0][0] <= self.now:
            _, sent, octets, picture = heappop(self._air)
            if not picture:
                self.waits.append((self.now, self.now - sent))
                continue
            told = self._remote.add(
                arrival_time_ms=int(self.now * 1000),
                abs_send_time=int(sent * (1 << 18)) & 0xFFFFFF,
                payload_size=octets,
                ssrc=PICTURE,
            )
            if told is not None:
                bps, sources = told
                remb = MaximumBitrate(ssrc=9, bitrate_bps=bps, media=tuple(sources))
                self.estimate.on_remb(remb, {PICTURE: self._pictures_bps}, self._sent_bps, self.now)

    def _report(self) -> None:
        octets, pictures = self._measured
        self._measured = self._octets, self._pictures
        self._sent_bps = (self._octets - octets) * 8
        self._pictures_bps = (self._pictures - pictures) * 8
        fraction = self._lost / max(1, self._packets)
        self._packets = self._lost = 0
        self.estimate.on_loss(fraction, 2 * self.way.delay_s, self._sent_bps, self._allocation.wanted_bps, self.now)


def test_good_link_gets_the_best_picture() -> None:
    player = Player(Way(bps=steady(20_000_000)))
    player.run(40)
    assert player.moving(40) == 1
    assert player.shown[-1][1] == STEPS[-1]


def test_lossy_link_gets_the_best_picture() -> None:
    player = Player(Way(bps=steady(20_000_000), loss=0.05))
    player.run(50)
    assert player.shown[-1][1] == STEPS[-1]


@pytest.mark.parametrize(("bps", "step"), [(400_000, STEPS[1]), (1_000_000, STEPS[2])])
def test_narrow_link_is_tried_seldom_and_voices_wait_for_nothing(bps: int, step: Step) -> None:
    player = Player(Way(bps=steady(bps)))
    player.run(90)
    late = [choice for at, choice in player.shown if at > 20]
    assert late.count(step) > 0.95 * len(late)
    assert player.wait_s(70, 0.5) < 0.05
    assert player.wait_s(70, 0.9) < 0.15


def test_picture_comes_back_once_the_link_takes_it_again() -> None:
    player = Player(Way(bps=lambda now: 150_000 if 20 <= now < 40 else 2_000_000))
    player.run(40)
    assert player.moving(15) < 0.1  # the voices alone are more than that
    player.run(20)
    assert player.moving(5) == 1
    player.run(20)
    assert player.shown[-1][1] in STEPS[2:]


def test_picture_goes_on_on_a_machine_that_is_full() -> None:
    stalls = Random(1)
    player = Player(
        Way(bps=steady(20_000_000)), stall_s=lambda now: stalls.expovariate(1 / 0.04) if 10 <= now < 40 else 0.0
    )
    player.run(40)
    assert player.moving(30) > 0.95
    player.run(30)
    assert player.shown[-1][1] in STEPS[2:]


def test_remb_that_is_a_cap_is_kept_to() -> None:
    estimate = SendEstimate(transport_cc=False, now=0.0)
    remb = MaximumBitrate(ssrc=9, bitrate_bps=300_000, media=(PICTURE,))
    picture_bps = 450_000
    for tenth in range(1, 300):
        now = tenth / 10
        if tenth % 10 == 0:
            estimate.on_loss(0.0, 0.05, picture_bps + 60_000, 2_000_000, now)
        estimate.on_remb(remb, {PICTURE: picture_bps}, picture_bps + 60_000, now)
        picture_bps = estimate.bps - 60_000
        if now > 3:
            assert picture_bps <= 1.1 * 300_000
    assert picture_bps >= 290_000


def test_rembs_of_two_pictures_are_no_fall_of_one() -> None:
    estimate = SendEstimate(transport_cc=False, now=0.0)
    rates = {PICTURE: 1_500_000, PICTURE + 1: 150_000}
    for now in range(1, 20):
        estimate.on_loss(0.0, 0.05, 1_700_000, 2_000_000, now)
        for ssrc, rate in rates.items():
            remb = MaximumBitrate(ssrc=9, bitrate_bps=rate + now * 1000, media=(ssrc,))
            estimate.on_remb(remb, rates, 1_700_000, now)
    assert estimate.bps >= 2_000_000
