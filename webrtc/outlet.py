"""The outlet of one subscriber: its SRTP keys, its path, and what the feedback on its packets will be about."""

from webrtc.dtls import SrtpKeys
from webrtc.path import Path

HISTORY = 4096  # packets whose sending is remembered: two seconds of 2,000 a second. A power of two


class Outlet:
    """Where one subscriber's packets leave: its keys and its path, which moves with it. Not used until `open`.

    Made by `Forwarder.outlet`, as the engine in use wants it.
    `transport_cc`, `send_time`: local id of the header extension that numbers its packets, or else of the
    one that tells when they were sent; 0 for none.
    """

    def __init__(self, *, transport_cc: int = 0, send_time: int = 0) -> None:
        self.dropped = 0  # packets that libsrtp or the kernel did not take
        self.octets = 0  # sent, with headers
        self.sequence = 0  # of the transport: packets sent
        self.context: object = None
        self.timed = not transport_cc and bool(send_time)
        # The id and the length of the one element, in the place they have in the word.
        self.extension = (
            (transport_cc << 4 | 1) << 24 if transport_cc else (send_time << 4 | 2) << 24 if send_time else 0
        )
        self.times = [0.0] * HISTORY
        self.sizes = [0] * HISTORY

    def open(self, keys: SrtpKeys, path: Path) -> None:
        self._keys = keys  # held, because libsrtp's context lives as long as they do
        self.context = keys.context
        self.move(path)

    def move(self, path: Path) -> None:
        self.sendto, self.address = path

    def word(self, now: float) -> int:
        """The element for the next packet, numbered `sequence`."""
        if self.timed:  # abs-send-time: seconds in 6.18 fixed point
            return self.extension | int(now * (1 << 18)) & 0xFFFFFF
        return self.extension | (self.sequence & 0xFFFF) << 8

    def note(self, size: int, now: float) -> None:
        """A packet is on its way."""
        at = self.sequence % HISTORY
        self.times[at] = now
        self.sizes[at] = size
        self.sequence += 1
        self.octets += size

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
