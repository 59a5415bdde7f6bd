"""Probing: padding shows whether a link takes more, before pictures depend on it."""

from collections.abc import Sequence
from dataclasses import dataclass

from webrtc.rtp.packet import extend

DURATION_S = 0.2
FIRST_S = 1.5  # before the first probe: the estimate must show whether what is sent already is too much
AGAIN_S = 0.5  # after a probe that came through
FAILED_S, LONGEST_S = 5.0, 30.0  # after a probe that did not: doubles up to the longest
EXPIRES_S = 3.0  # a probe that is not sent, or not answered, is forgotten
CLEAN = 0.9  # of it must arrive, in at most 1 / CLEAN of the time in which it was sent
LEAST = 6  # packets; fewer show nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """A request for padding: what is sent in the next `duration_s`, media and padding, is to make `target_bps`."""

    id: int
    target_bps: int
    duration_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeResult:
    """`bps`: the rate that came through. `clean`: without loss or a growing queue, so that the link may take more."""

    bps: float
    clean: bool


class Prober:
    """At most one probe is under way; `due` is the earliest time of the next."""

    def __init__(self, now: float) -> None:
        self.due = now + FIRST_S
        self.under_way: Probe | None = None
        self._failures = 0
        self._id = 0
        self._expires = 0.0
        self._first = self._last = -1  # extended numbers, once it is sent
        self._received: list[tuple[int, float, float, int]] = []  # number, sent, arrived, octets
        self._unreported: list[tuple[int, int]] = []
        self._passed = False

    def begin(self, target_bps: float, now: float) -> Probe:
        self._id += 1
        self.under_way = Probe(id=self._id, target_bps=round(target_bps), duration_s=DURATION_S)
        self._expires = now + EXPIRES_S
        self._first = self._last = -1
        self._received = []
        self._unreported = []
        self._passed = False
        return self.under_way

    def sent(self, probe: Probe, first: int, last: int, highest: int, now: float) -> None:
        """`first`, `last`: 16 bits; `highest`: an extended number near them."""
        if probe == self.under_way:
            self._first = extend(first, highest)
            self._last = extend(last, self._first)
            self._expires = now + EXPIRES_S

    def take(self, first: int, sent: Sequence[float], arrived: Sequence[float], octets: Sequence[int]) -> None:
        """Note packets that arrived, numbered from `first` on, while a probe is under way: they may belong to it."""
        if len(self._received) < 10_000:
            self._received += zip(range(first, first + len(sent)), sent, arrived, octets, strict=True)

    def skip(self, start: int, end: int) -> None:
        """Note that the feedback on the packets from `start` to before `end` got lost: nothing is known of them."""
        if len(self._unreported) < 100:
            self._unreported.append((start, end))

    @property
    def span(self) -> range:
        """The extended numbers of the probe's packets, media and padding; empty until it is sent."""
        return range(self._first, self._last + 1) if self._last >= 0 else range(0)

    def result(self, highest: int, usual_loss: float, now: float, *, omitted: int = 0) -> ProbeResult | None:
        """How the probe came through; None until its last packet, or a later one, is reported.

        `highest`: the highest number reported. `omitted`: how many of its packets the receiver reports in no case.
        """
        if self._last < 0 or highest < self._last:
            return None
        expected = self._last - self._first + 1 - omitted
        expected -= sum(max(0, min(end, self._last + 1) - max(start, self._first)) for start, end in self._unreported)
        cluster = sorted(
            (s, at, octets) for number, s, at, octets in self._received if self._first <= number <= self._last
        )
        if len(cluster) < expected and not self._passed:
            self._passed = True  # the next feedback may bring those that were overtaken
            return None
        self.under_way = None
        result = _judged(cluster, expected, usual_loss)
        if result is not None and result.clean:
            self._failures = 0
            self.due = now + AGAIN_S
        else:
            self.abandon(now)
        return result

    def expire(self, now: float) -> None:
        """Give up a probe that was not sent, or that nobody answers."""
        if self.under_way is not None and now >= self._expires:
            self.abandon(now)

    def abandon(self, now: float) -> None:
        """Note that the link takes no more now: the next probe goes later, and later each time."""
        self.under_way = None
        self.due = now + min(FAILED_S * 2**self._failures, LONGEST_S)
        self._failures = min(self._failures + 1, 8)

    def encourage(self, now: float) -> None:
        """Note a sign that the link may take more: a probe may go at once."""
        self._failures = 0
        self.due = now


def _judged(cluster: list[tuple[float, float, int]], expected: int, usual_loss: float) -> ProbeResult | None:
    """`cluster`: sent, arrived and octets in order of sending."""
    count = len(cluster)
    if count < LEAST:
        return None
    span = cluster[-1][0] - cluster[0][0]
    # How much longer arriving took than sending: the slope of a line through all packets, which jitter moves little.
    sent_mean = sum(sent for sent, _, _ in cluster) / count
    arrived_mean = sum(arrived for _, arrived, _ in cluster) / count
    spread = sum((sent - sent_mean) ** 2 for sent, _, _ in cluster)
    if span < DURATION_S / 4 or spread <= 0:
        return None
    stretch = sum((sent - sent_mean) * (arrived - arrived_mean) for sent, arrived, _ in cluster) / spread
    share = count / expected
    octets = sum(octets for _, _, octets in cluster) - cluster[-1][2]
    bps = octets * 8 / span / max(stretch, 1.0)
    return ProbeResult(bps=bps, clean=share >= CLEAN * (1 - usual_loss) and stretch <= 1 / CLEAN)
