"""The estimate on a simulated bottleneck: capacity, queue, delay, jitter, loss and darkness, all with a fixed seed."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from heapq import heappop, heappush
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from webrtc.estimation.estimate import CAP_BPS, FLOOR_BPS, START_BPS, START_WITHOUT_FEEDBACK_BPS, SendEstimate, State
from webrtc.estimation.probing import Probe
from webrtc.forwarding.outlet import Outlet
from webrtc.rtp.rtcp import MaximumBitrate, parse
from webrtc.rtp.transport_cc import Arrivals, Run, TransportFeedback

STEP_S = 0.005
FRAME_S = 1 / 25
SOUND_S, SOUND_OCTETS = 0.02, 120
PACKET_OCTETS = 1100
FEEDBACK_S = 0.1


@dataclass(kw_only=True)
class Way:
    """From the node to the subscriber. `queue_s`: what the bottleneck keeps before it drops."""

    bps: Callable[[float], float]
    delay_s: float = 0.03
    queue_s: float = 0.3
    loss: float = 0.0
    jitter_s: float = 0.0
    back_loss: float = 0.0
    dark: tuple[float, float] = (0.0, 0.0)
    random: Random = field(default_factory=lambda: Random(7))
    free_at: float = 0.0
    dropped: int = 0

    def through(self, octets: int, now: float) -> float | None:
        """When the packet arrives; None if it does not."""
        if self.lost(now):
            return None
        begins = max(now, self.free_at)
        if begins - now > self.queue_s:
            self.dropped += 1
            return None
        self.free_at = begins + octets * 8 / self.bps(now)
        return self.free_at + self.delay_s + self.random.random() * self.jitter_s

    def lost(self, now: float) -> bool:
        return self.dark[0] <= now < self.dark[1] or self.random.random() < self.loss


class Sender:
    """Sends frames as they come, up to the estimate and to what there is, sound, and padding for probes."""

    def __init__(self, way: Way, *, most_bps: float = 1e9, wanted_bps: int = 20_000_000, probes: bool = True) -> None:
        self.way, self.most_bps, self.wanted_bps, self.probes = way, most_bps, wanted_bps, probes
        self.now = 1000.0
        self.estimate = SendEstimate(transport_cc=True, now=self.now)
        self.history: list[tuple[float, int]] = []  # the estimate over time
        self.arrived: list[tuple[float, int]] = []
        self._outlet = Outlet(transport_cc=1)
        self._outlet.sequence = 65_000  # soon past the 16 bits
        self._air: list[tuple[float, int, int]] = []
        self._arrivals = Arrivals()
        self.receiver_ahead_s = 0.0  # its clock is set
        self._back: deque[tuple[float, bytes]] = deque()
        self._frame_at = self._sound_at = self._feedback_at = self._tick_at = self.now
        self._probe: tuple[Probe, float, int] | None = None
        self._padded = 0.0
        self.probed = 0
        self.quiet = False

    def run(self, seconds: float) -> None:
        end = self.now + seconds
        while self.now < end:
            self.now += STEP_S
            if not self.quiet:
                self._send_due()
            self._receive_due()
            if self.now >= self._tick_at:
                self._tick_at += 0.1
                self.estimate.tick(self.estimate.last_sent(self._outlet), self.now)
                self.estimate.on_loss(0.0, 2 * self.way.delay_s, 0, 0, self.now)
                self.history.append((self.now, self.estimate.bps))
                if self._probe is None and self.probes:
                    probe = self.estimate.probe(self.wanted_bps, self.now)
                    if probe is not None:
                        self.probed += 1
                        self._probe = probe, self.now, self._outlet.sequence
                        self._padded = 0.0

    def mean_bps(self, seconds: float) -> float:
        """Of the estimate over the last `seconds`."""
        rates = [bps for at, bps in self.history if at > self.now - seconds]
        return sum(rates) / len(rates)

    def least_bps(self, seconds: float) -> int:
        return min(bps for at, bps in self.history if at > self.now - seconds)

    def keyframe(self) -> None:
        self._outlet.keyframe_at = self.now

    def _send_due(self) -> None:
        while self.now >= self._sound_at:
            self._sound_at += SOUND_S
            self._packet(SOUND_OCTETS)
        while self.now >= self._frame_at:
            self._frame_at += FRAME_S
            rate = min(self.estimate.bps, self.most_bps) - SOUND_OCTETS * 8 / SOUND_S
            octets = int(max(rate, 8_000) * FRAME_S / 8)
            for at in range(0, octets, PACKET_OCTETS):
                self._packet(min(PACKET_OCTETS, octets - at))
        if self._probe is not None:
            self._pad(*self._probe)

    def _pad(self, probe: Probe, began: float, first: int) -> None:
        # Padding fills up what media leaves free of the target.
        target = (min(self.now - began, probe.duration_s)) * probe.target_bps / 8
        sent = sum(self._outlet.sent(first & 0xFFFF, self._outlet.sequence - first)[1])
        while sent < target:
            self._packet(250)
            sent += 250
        if self.now - began >= probe.duration_s:
            self.estimate.probe_sent(probe, first & 0xFFFF, self._outlet.sequence - 1 & 0xFFFF, self.now)
            self._probe = None

    def _packet(self, octets: int) -> None:
        sequence = self._outlet.sequence & 0xFFFF
        self._outlet.note(octets, self.now)
        at = self.way.through(octets, self.now)
        if at is not None:
            heappush(self._air, (at, sequence, octets))

    def _receive_due(self) -> None:
        while self._air and self._air[0][0] <= self.now:
            at, sequence, octets = heappop(self._air)
            self._arrivals.note(sequence, at + self.receiver_ahead_s)
            self.arrived.append((at, octets))
        if self.now >= self._feedback_at:
            self._feedback_at += FEEDBACK_S
            for feedback in self._arrivals.feedback(1, 2):
                if not self.way.lost(self.now) and self.way.random.random() >= self.way.back_loss:
                    self._back.append((self.now + self.way.delay_s, feedback.to_bytes()))
        while self._back and self._back[0][0] <= self.now:
            (packet,) = parse(self._back.popleft()[1])
            assert isinstance(packet, TransportFeedback)
            self.estimate.on_feedback(packet, self._outlet, self.now)


def steady(bps: float) -> Callable[[float], float]:
    return lambda now: bps


def changing(before: float, after: float, at: float) -> Callable[[float], float]:
    return lambda now: before if now < 1000 + at else after


RATES = pytest.mark.parametrize("bps", [300_000, 1_000_000, 2_000_000])


@RATES
def test_estimate_finds_the_capacity(bps: int) -> None:
    sender = Sender(Way(bps=steady(bps)))
    sender.run(10)
    assert 0.7 * bps <= sender.estimate.bps <= 1.25 * bps
    sender.run(30)
    assert 0.8 * bps <= sender.mean_bps(20) <= 1.02 * bps
    assert sender.least_bps(20) >= 0.7 * bps


@RATES
def test_estimate_finds_the_capacity_of_a_link_that_loses_packets(bps: int) -> None:
    sender = Sender(Way(bps=steady(bps), loss=0.05, delay_s=0.15))
    sender.run(40)
    assert sender.mean_bps(30) >= 0.8 * bps
    assert sender.least_bps(30) >= 0.6 * bps
    assert 0.02 <= sender.estimate.loss <= 0.12


@RATES
def test_jitter_is_no_full_queue(bps: int) -> None:
    sender = Sender(Way(bps=steady(bps), jitter_s=0.03))
    sender.run(40)
    assert sender.mean_bps(30) >= 0.8 * bps
    assert sender.least_bps(30) >= 0.7 * bps


@pytest.mark.parametrize("queue_s", [0.04, 2.0])
def test_short_and_long_queues_are_no_trap(queue_s: float) -> None:
    sender = Sender(Way(bps=steady(500_000), queue_s=queue_s))
    sender.run(40)
    assert 0.8 * 500_000 <= sender.mean_bps(20) <= 1.1 * 500_000


def test_long_queue_is_drained() -> None:
    sender = Sender(Way(bps=steady(300_000), queue_s=3.0))
    sender.run(2)
    assert sender.way.free_at - sender.now > 1.0
    sender.run(6)
    assert sender.way.free_at - sender.now < 0.2
    sender.run(20)
    assert sender.mean_bps(10) >= 0.75 * 300_000


def test_estimate_falls_at_once_when_the_capacity_halves() -> None:
    sender = Sender(Way(bps=changing(2_000_000, 1_000_000, at=20)))
    sender.run(20)
    assert sender.estimate.bps > 1_500_000
    sender.run(1)
    assert 700_000 <= sender.estimate.bps <= 1_000_000


def test_keyframes_excuse_no_queue_that_stays() -> None:
    sender = Sender(Way(bps=changing(2_000_000, 500_000, at=20), queue_s=3.0))
    sender.run(20)
    for _ in range(80):
        sender.keyframe()
        sender.run(0.25)
    assert sender.way.free_at - sender.now < 0.9
    assert sender.mean_bps(10) <= 600_000


def test_probes_find_new_capacity() -> None:
    sender = Sender(Way(bps=changing(1_000_000, 3_000_000, at=20)))
    sender.run(35)
    assert sender.estimate.bps >= 2_400_000


def test_probes_become_rare_where_they_find_nothing() -> None:
    sender = Sender(Way(bps=steady(1_000_000)))
    sender.run(60)
    assert 2 <= sender.probed <= 6


def test_only_a_probe_raises_the_estimate_far_above_what_is_sent() -> None:
    timid = Sender(Way(bps=steady(4_000_000)), most_bps=400_000, probes=False)
    timid.run(20)
    assert timid.estimate.bps == START_BPS
    probing = Sender(Way(bps=steady(4_000_000)), most_bps=400_000, wanted_bps=2_000_000)
    probing.run(10)
    assert 2_000_000 <= probing.estimate.bps <= 2_500_000
    assert probing.probed <= 3
    assert probing.way.dropped == 0


def test_nothing_is_probed_that_nobody_wants() -> None:
    sender = Sender(Way(bps=steady(4_000_000)), most_bps=400_000, wanted_bps=900_000)
    sender.run(10)
    assert sender.probed == 0


@pytest.mark.parametrize(("loss", "delay_s"), [(0.0, 0.03), (0.05, 0.15)])
def test_estimate_is_back_soon_after_darkness(loss: float, delay_s: float) -> None:
    sender = Sender(Way(bps=steady(2_000_000), dark=(1020, 1040), loss=loss, delay_s=delay_s))
    sender.run(20)
    before = sender.mean_bps(5)
    sender.run(10)
    assert (sender.estimate.bps, sender.estimate.state) == (FLOOR_BPS, State.SILENT)
    sender.run(11)
    assert sender.estimate.bps >= 0.4 * before
    sender.run(9)
    assert sender.mean_bps(5) >= 0.7 * before


def test_long_way_is_no_silence() -> None:
    sender = Sender(Way(bps=steady(2_000_000), delay_s=1.0))
    sender.run(20)
    assert sender.least_bps(20) >= START_BPS


def test_quiet_sender_is_no_silence() -> None:
    sender = Sender(Way(bps=steady(2_000_000)))
    sender.run(5)
    sender.quiet = True
    sender.run(1)
    before = sender.estimate.bps
    sender.run(20)
    sender.estimate.tick(sender.now, sender.now)
    assert sender.estimate.bps == before
    assert sender.estimate.state is not State.SILENT


def test_way_that_becomes_longer_is_no_queue_for_long() -> None:
    sender = Sender(Way(bps=steady(3_000_000)), wanted_bps=3_000_000)
    sender.run(30)
    before = sender.estimate.bps
    sender.way.delay_s = 1.0
    sender.run(12)
    assert sender.estimate.bps >= 0.7 * before
    sender.run(10)
    assert sender.least_bps(10) >= 0.6 * before


def test_feedback_that_gets_lost_is_no_loss() -> None:
    sender = Sender(Way(bps=steady(1_000_000), back_loss=0.3))
    sender.run(30)
    assert sender.mean_bps(20) >= 800_000
    assert sender.estimate.loss < 0.05


def test_receiver_that_sends_no_feedback_though_it_agreed_is_followed_by_loss() -> None:
    estimate = SendEstimate(transport_cc=True, now=0.0)
    for now in range(1, 10):
        estimate.tick(now - 0.1, now)
        estimate.on_loss(0.0, 0.1, estimate.bps, CAP_BPS, now)
    assert not estimate.transport_cc
    assert estimate.bps > START_BPS


def test_receiver_whose_feedback_comes_late_is_followed_by_it_from_then_on() -> None:
    sender = Sender(Way(bps=steady(20_000_000)))
    sender.estimate.on_loss(0.0, 0.1, sender.estimate.bps, CAP_BPS, sender.now + 5)
    sender.estimate.on_remb(MaximumBitrate(ssrc=9, bitrate_bps=300_000, media=()), {}, 0, sender.now + 5)
    assert not sender.estimate.transport_cc
    sender.run(10)
    assert sender.probed
    assert sender.estimate.bps >= 5_000_000


def test_receiver_without_feedback_is_followed_by_its_reports() -> None:
    estimate = SendEstimate(transport_cc=False, now=0.0)
    assert estimate.bps == START_WITHOUT_FEEDBACK_BPS
    for now in range(1, 11):
        estimate.on_loss(0.0, 0.1, estimate.bps, 1_000_000, now)
    assert 1_000_000 <= estimate.bps <= 1_200_000
    before = estimate.bps
    for now in range(11, 21):  # nothing more is wanted, and little sent
        estimate.on_loss(0.0, 0.1, 200_000, 200_000, now)
    assert estimate.bps == before
    estimate.on_loss(0.5, 0.1, before, 1_000_000, 21.0)
    assert estimate.bps <= before / 2
    assert estimate.state is State.FALLING
    assert estimate.probe(5_000_000, 40.0) is None


FEEDBACK = st.builds(
    lambda base, reference, arrivals: TransportFeedback(
        ssrc=1,
        media=2,
        base=base,
        statuses=max((place for place, _ in arrivals), default=0) + 1,
        reference_time=reference,
        number=0,
        runs=tuple(Run(place, (ticks,)) for place, ticks in sorted(arrivals)),
    ),
    st.integers(0, 0xFFFF),
    st.integers(0, 0xFFFFFF),
    st.lists(st.tuples(st.integers(0, 0xFFFF), st.integers(-1_000_000, 1_000_000)), max_size=60),
)


class Sending(Outlet):
    """Every packet went out, a millisecond after the other; `known`: not each third is forgotten."""

    def __init__(self, *, known: bool) -> None:
        super().__init__()
        self._known = known

    def sent(self, sequence: int, count: int, /) -> tuple[list[float], list[int]]:
        if not self._known and sequence % 3 == 0:
            return [], []
        return [(sequence + i) / 1000 for i in range(count)], [1000] * count


@settings(deadline=None)
@given(st.lists(FEEDBACK, max_size=8), st.booleans())
def test_any_feedback_leaves_an_estimate(feedbacks: list[TransportFeedback], known: bool) -> None:
    estimate = SendEstimate(transport_cc=True, now=0.0)
    for i, feedback in enumerate(feedbacks):
        estimate.on_feedback(feedback, Sending(known=known), i / 10)
        probe = estimate.probe(10_000_000, i / 10)
        if probe is not None:
            estimate.probe_sent(probe, feedback.base, (feedback.base + 20) & 0xFFFF, i / 10)
        assert FLOOR_BPS <= estimate.bps <= CAP_BPS
