"""The packets that were sent to one subscriber, by the transport numbers that feedback uses."""

from collections.abc import Sequence
from math import inf
from typing import NamedTuple

from webrtc.estimation.trendline import Trendline
from webrtc.rtp.transport_cc import TICKS

HISTORY = 4096  # packets whose sending is remembered: two seconds of 2,000 a second. A power of two


class Acked(NamedTuple):
    """What feedback acknowledges of packets that were sent one after another. Times are seconds.

    `latest_arrived`: the arrival of the packet that came last; later than `last_arrived` where the last one overtook.
    """

    packets: int
    octets: int
    first_sent: float
    last_sent: float
    first_arrived: float
    last_arrived: float
    latest_arrived: float


class SentPackets:
    """The packets of one outlet. Each has the next transport number, even where no header extension carries that."""

    keyframe_at = -inf  # when the last keyframe went out

    def __init__(self) -> None:
        self.octets = 0  # with headers
        self.sequence = 0  # the extended transport number of the next packet: how many were sent
        self.repeating: set[int] = set()  # all SSRCs of retransmissions that something went out on
        self._repeats: dict[int, tuple[int, int]] = {}  # by 16-bit transport number, the oldest first: see `repeat_on`
        self.times = [0.0] * HISTORY
        self.sizes = [0] * HISTORY

    def note(self, size: int, now: float) -> None:
        """A packet is on its way."""
        at = self.sequence % HISTORY
        self.times[at] = now
        self.sizes[at] = size
        self.sequence += 1
        self.octets += size

    def note_repeat(self, ssrc: int) -> None:
        """The next packet goes out on an SSRC of retransmissions."""
        number = self.sequence & 0xFFFF
        self.repeating.add(ssrc)
        self._repeats.pop(number, None)
        self._repeats[number] = self.sequence, ssrc
        if len(self._repeats) > HISTORY:
            del self._repeats[next(iter(self._repeats))]

    def repeat_on(self, number: int) -> int | None:
        """The SSRC of retransmissions that the packet of that 16-bit transport number went out on; None for media."""
        sequence, ssrc = self._repeats.get(number, (-0x10000, 0))
        return ssrc if self.sequence - sequence < 0x10000 else None

    @property
    def last_sent(self) -> float:
        """When the newest packet went out; 0.0 before the first."""
        return self.times[(self.sequence - 1) % HISTORY]

    def sent(self, sequence: int, count: int, /) -> tuple[list[float], list[int]]:
        """When `count` packets from that 16-bit transport number on were sent, and the octets of each.

        Fewer where the rest was never sent, and none once the first is forgotten.
        """
        back = (self.sequence - sequence) & 0xFFFF
        if count < 0 or back > min(HISTORY, self.sequence):
            return [], []
        start = (self.sequence - back) % HISTORY
        end = start + min(count, back)
        times, sizes = self.times[start:end], self.sizes[start:end]
        if end > HISTORY:
            times += self.times[: end - HISTORY]
            sizes += self.sizes[: end - HISTORY]
        return times, sizes

    def acked(self, sequence: int, ticks: Sequence[int], zero: int, trend: Trendline | None, /) -> Acked | None:
        """What the arrivals `ticks`, counted from `zero`, show of the packets from that 16-bit transport number on.

        `trend`, if any, counts them. Packets after the first one that is not known, as in `sent`, are left out; None
        where the first is not known.
        """
        times, sizes = self.sent(sequence, len(ticks))
        if not times:
            return None
        arrived = arrivals(ticks[: len(times)], zero)
        if trend is not None:
            trend.take(times, arrived)
        return Acked(len(times), sum(sizes), times[0], times[-1], arrived[0], arrived[-1], max(arrived))


def arrivals(ticks: Sequence[int], zero: int) -> list[float]:
    """The arrivals `ticks`, counted from `zero`, in seconds."""
    return [(zero + each) / TICKS for each in ticks]
