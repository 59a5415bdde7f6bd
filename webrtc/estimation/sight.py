"""Which of our packets a receiver tells of: some read no retransmissions, so feedback never has these, lost or not.

What a receiver does not see proves neither loss nor room. Until it has told of one packet on an SSRC of
retransmissions, nothing is concluded from the others there.
"""

from webrtc.estimation.probing import CLEAN
from webrtc.forwarding.outlet import Outlet

LOOKED_THROUGH = 1024  # packets: a probe has some hundreds
ENOUGH = 12  # packets that were not told of: less than the smallest probe has


class Sight:
    """`blind`: the receiver does not tell of padding, so that the link cannot be tried with it."""

    def __init__(self) -> None:
        self.blind = False
        self._seen: set[int] = set()  # SSRCs of retransmissions
        self._skipped = 0  # packets on them that were not told of, while all media around them were

    def take(self, outlet: Outlet, first: int, count: int) -> None:
        """Note that `count` packets from transport number `first` on were told of."""
        if len(self._seen) == len(outlet.repeating):
            return
        for number in range(first, first + count):
            ssrc = outlet.repeat_on(number & 0xFFFF)
            if ssrc is not None:
                self._seen.add(ssrc)
                self.blind = False

    def skip(self, outlet: Outlet, start: int, end: int) -> None:
        """Note that of the packets from `start` to before `end` nothing was told, but of later ones."""
        if self._seen or not outlet.repeating or not 0 < end - start <= LOOKED_THROUGH:
            return
        skipped = sum(self.misses(outlet, number) for number in range(start, end))
        if end - start - skipped <= (1 - CLEAN) * skipped:
            self._skipped += skipped
            self.blind = self._skipped >= ENOUGH

    @property
    def sees_repeats(self) -> bool:
        return bool(self._seen)

    def last_sent(self, outlet: Outlet) -> float:
        """When the newest packet went out that the receiver would tell of; 0.0 where none is remembered."""
        newest = outlet.sequence - 1
        if not self.misses(outlet, newest):
            return outlet.last_sent
        before = range(newest - 1, max(newest - LOOKED_THROUGH, -1), -1)
        number = next((number for number in before if not self.misses(outlet, number)), None)
        times, _ = outlet.sent(number & 0xFFFF, 1) if number is not None else ([], [])
        return times[0] if times else 0.0

    def misses(self, outlet: Outlet, number: int) -> bool:
        """Whether the receiver would not tell of the packet of that transport number if it came."""
        ssrc = outlet.repeat_on(number & 0xFFFF)
        return ssrc is not None and ssrc not in self._seen
