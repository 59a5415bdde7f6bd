"""Receivers that report media alone: what they do not report is no loss, and no reason to stop a picture."""

from heapq import heappush
from itertools import pairwise

import pytest

from tests.webrtc import test_resting
from tests.webrtc.estimation.test_estimate import Sender, Way, changing, steady
from webrtc.estimation.coverage import ENOUGH, FeedbackCoverage
from webrtc.estimation.estimate import START_BPS
from webrtc.estimation.sent import SentPackets

RTX_SSRC = 8


class RepeatingSender(Sender):
    """Repeats what is lost, and pads, on an SSRC of retransmissions.

    `reports_repeats`: whether the receiver reports what comes on it.
    """

    def __init__(
        self, way: Way, *, reports_repeats: bool = False, most_bps: float = 1e9, wanted_bps: int = 2_000_000
    ) -> None:
        super().__init__(way, most_bps=most_bps, wanted_bps=wanted_bps)
        self._reports_repeats = reports_repeats
        self._padding = False
        self._lost: list[tuple[float, int]] = []  # when it is asked for again, and octets

    def _send_due(self) -> None:
        super()._send_due()
        while self._lost and self._lost[0][0] <= self.now:
            self._repeat(self._lost.pop(0)[1])

    def _pad(self, *probe: object) -> None:
        self._padding = True
        super()._pad(*probe)  # type: ignore[arg-type]
        self._padding = False

    def _packet(self, octets: int) -> None:
        if self._padding:
            self._repeat(octets)
            return
        sequence = self._outlet.sequence & 0xFFFF
        self._outlet.note(octets, self.now)
        at = self.way.through(octets, self.now)
        if at is None:
            self._lost.append((self.now + 0.1, octets))
        else:
            heappush(self._air, (at, sequence, octets))

    def _repeat(self, octets: int) -> None:
        sequence = self._outlet.sequence & 0xFFFF
        self._outlet.note_repeat(RTX_SSRC)
        self._outlet.note(octets, self.now)
        at = self.way.through(octets, self.now)
        if at is not None and self._reports_repeats:
            heappush(self._air, (at, sequence, octets))


@pytest.mark.parametrize("loss", [0.0, 0.02])
def test_estimate_stays_where_only_padding_and_repetitions_are_not_reported(loss: float) -> None:
    sender = RepeatingSender(Way(bps=steady(4_000_000), loss=loss), most_bps=400_000)
    sender.run(40)
    assert sender.probed >= 1
    assert sender.least_bps(40) >= START_BPS
    assert sender.estimate.loss <= 1.5 * loss


def test_link_whose_receiver_reports_no_padding_is_tried_with_media() -> None:
    sender = RepeatingSender(Way(bps=steady(4_000_000)))
    sender.run(40)
    assert sender.probed == 1
    assert sender.mean_bps(10) >= 2_000_000


def test_estimate_rises_again_where_padding_is_not_reported() -> None:
    sender = RepeatingSender(Way(bps=changing(300_000, 4_000_000, at=20)))
    sender.run(20)
    assert sender.mean_bps(5) <= 400_000
    sender.run(60)
    assert sender.mean_bps(5) >= 1_500_000


@pytest.mark.parametrize("bps", [300_000, 1_000_000])
def test_full_link_is_found_without_padding_that_is_reported(bps: int) -> None:
    sender = RepeatingSender(Way(bps=steady(bps)))
    sender.run(60)
    assert 0.7 * bps <= sender.mean_bps(40) <= 1.1 * bps


class Host(test_resting.Host, RepeatingSender):
    """Nobody speaks, and what is sent to try the link is not reported."""


@pytest.mark.parametrize("queue_s", [0.3, 1.0])
def test_picture_that_rests_comes_back_though_padding_is_not_reported(queue_s: float) -> None:
    start, end = test_resting.TROUBLE
    host = Host(Way(bps=lambda now: 60_000 if start <= now < end else 2_000_000, queue_s=queue_s))
    host.run(end - test_resting.BEGAN)
    assert host.choice is not test_resting.SCREEN
    host.run(40)
    assert host.choice is test_resting.SCREEN


def test_what_is_not_reported_needs_no_answer() -> None:
    sent, coverage = SentPackets(), FeedbackCoverage()
    assert coverage.last_sent(sent) == 0.0
    for at in range(1, 9):
        if at > 3:
            sent.note_repeat(RTX_SSRC)
        sent.note(100, float(at))
    assert (sent.last_sent, coverage.last_sent(sent)) == (8.0, 3.0)
    coverage.take(sent, 5, 1)
    assert coverage.last_sent(sent) == 8.0


def test_repetitions_that_are_reported_count_as_all_packets_do() -> None:
    sender = RepeatingSender(Way(bps=steady(4_000_000), loss=0.05), reports_repeats=True, most_bps=400_000)
    sender.run(40)
    assert sender.probed >= 2
    assert sender.estimate.bps >= 2_000_000
    assert 0.02 <= sender.estimate.loss <= 0.1


def test_nothing_counts_as_reported_on_a_stream_until_something_on_it_was() -> None:
    sent, coverage = SentPackets(), FeedbackCoverage()
    sent.sequence = 0xFFFE
    for ssrc in (None, 8, None, 9):  # across the wrap
        if ssrc is not None:
            sent.note_repeat(ssrc)
        sent.note(100, 0.0)
    numbers = range(0xFFFE, 0x10002)
    assert [coverage.omits(sent, number) for number in numbers] == [False, True, False, True]
    coverage.take(sent, 0xFFFE, 2)
    assert [coverage.omits(sent, number) for number in numbers] == [False, False, False, True]
    sent.sequence += 0x10000  # by now these numbers are others'
    assert not any(coverage.omits(sent, number) for number in numbers)


@pytest.mark.parametrize(
    ("packets", "omits_padding"),
    [
        ("m" + "r" * ENOUGH + "m", True),
        ("m" + "r" * (ENOUGH - 1) + "m", False),
        ("mrrrm" * (ENOUGH // 3), True),
        ("m" + "r" * ENOUGH + "mm?", False),  # two packets of media in the gap are lost as well
        ("m" + "r" * ENOUGH, False),  # nothing after it is reported
    ],
)
def test_receiver_omits_padding_where_the_media_around_it_came(packets: str, omits_padding: bool) -> None:
    sent, coverage = SentPackets(), FeedbackCoverage()
    for kind in packets:
        if kind == "r":
            sent.note_repeat(RTX_SSRC)
        sent.note(100, 0.0)
    lost = packets.endswith("?")
    reported = [0, len(packets) - 1] if lost else [place for place, kind in enumerate(packets) if kind == "m"]
    for before, after in pairwise(reported):
        coverage.skip(sent, before + 1, after)
    assert coverage.omits_padding == omits_padding
    sent.note_repeat(RTX_SSRC)
    sent.note(100, 0.0)
    coverage.take(sent, len(packets), 1)
    assert not coverage.omits_padding
