"""Which packets a receiver's feedback covers: some read no retransmissions, so they never report these, lost or not.

A packet that is not covered proves neither loss nor room. So nothing is concluded from packets on SSRCs of
retransmissions until the receiver has reported one of them.
"""

from webrtc.estimation.probing import CLEAN
from webrtc.estimation.sent import SentPackets

LOOKED_THROUGH = 1024  # packets: a probe has some hundreds
ENOUGH = 12  # packets that were not reported: less than the smallest probe has


class FeedbackCoverage:
    """`omits_padding`: the receiver does not report padding, so that the link cannot be tried with it."""

    def __init__(self) -> None:
        self.omits_padding = False
        self._reported: set[int] = set()  # SSRCs of retransmissions
        self._skipped = 0  # packets on them that were not reported, while all media around them were

    def take(self, packets: SentPackets, first: int, count: int) -> None:
        """Note that `count` packets from transport number `first` on were reported."""
        if len(self._reported) == len(packets.repeating):
            return
        for number in range(first, first + count):
            ssrc = packets.repeat_on(number & 0xFFFF)
            if ssrc is not None:
                self._reported.add(ssrc)
                self.omits_padding = False

    def skip(self, packets: SentPackets, start: int, end: int) -> None:
        """Note that none of the packets from `start` to before `end` was reported, but later ones were."""
        if self._reported or not packets.repeating or not 0 < end - start <= LOOKED_THROUGH:
            return
        skipped = sum(self.omits(packets, number) for number in range(start, end))
        if end - start - skipped <= (1 - CLEAN) * skipped:
            self._skipped += skipped
            self.omits_padding = self._skipped >= ENOUGH

    @property
    def reports_repeats(self) -> bool:
        return bool(self._reported)

    def last_sent(self, packets: SentPackets) -> float:
        """When the newest packet went out that the receiver would report; 0.0 where none is remembered."""
        newest = packets.sequence - 1
        if not self.omits(packets, newest):
            return packets.last_sent
        before = range(newest - 1, max(newest - LOOKED_THROUGH, -1), -1)
        number = next((number for number in before if not self.omits(packets, number)), None)
        times, _ = packets.sent(number & 0xFFFF, 1) if number is not None else ([], [])
        return times[0] if times else 0.0

    def omits(self, packets: SentPackets, number: int) -> bool:
        """Whether the receiver would not report the packet of that transport number if it came."""
        ssrc = packets.repeat_on(number & 0xFFFF)
        return ssrc is not None and ssrc not in self._reported
