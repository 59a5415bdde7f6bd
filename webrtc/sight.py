"""Which of our packets a receiver tells of: some read no retransmissions, so feedback never has these, lost or not.

What a receiver does not see proves neither loss nor room. Until it has told of one packet on an SSRC of
retransmissions, nothing is concluded from the others there.
"""

from webrtc.outlet import Outlet
from webrtc.probing import CLEAN, LEAST


class Sight:
    """`blind`: the receiver does not tell of padding, so that the link cannot be tried with it."""

    def __init__(self) -> None:
        self.blind = False
        self._seen: set[int] = set()  # SSRCs of retransmissions

    def take(self, outlet: Outlet, first: int, count: int) -> None:
        """Note that `count` packets from transport number `first` on were told of."""
        if len(self._seen) == len(outlet.repeating):
            return
        for number in range(first, first + count):
            ssrc = outlet.repeat_on(number & 0xFFFF)
            if ssrc is not None:
                self._seen.add(ssrc)
                self.blind = False

    def misses(self, outlet: Outlet, number: int) -> bool:
        """Whether the receiver would not tell of the packet of that transport number if it came."""
        ssrc = outlet.repeat_on(number & 0xFFFF)
        return ssrc is not None and ssrc not in self._seen

    def judge(self, *, sent: int, unseen: int, told: int) -> None:
        """Of a probe of `sent` packets, `unseen` of which it would not tell of, it has told of `told`."""
        if unseen >= LEAST and sent > unseen and told >= CLEAN * (sent - unseen):
            self.blind = True  # all media came, and of all the padding between them nobody knows
