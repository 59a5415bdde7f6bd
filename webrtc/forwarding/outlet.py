"""The outlet of one subscriber: its SRTP keys, its path, and what was sent by it."""

from collections.abc import Sequence
from errno import EAGAIN, ENOBUFS
from socket import IPPROTO_UDP
from sys import byteorder

from webrtc.estimation.sent import SentPackets
from webrtc.transport.path import Path
from webrtc.transport.srtp import SrtpKeys

SEGMENTS = 8  # datagrams in one message
UDP_SEGMENT = 103  # linux/udp.h, since 4.18
FULL = (EAGAIN, ENOBUFS)


class Outlet(SentPackets):
    """Where one subscriber's packets leave: its keys and its path, which moves with it. Not used until `open`.

    `transport_cc`: local id of the header extension that numbers the packets, 0 for none. `send_time`: local id of the
    one that says when each was sent; it counts only without `transport_cc`.
    """

    def __init__(self, *, transport_cc: int = 0, send_time: int = 0) -> None:
        super().__init__()
        self.dropped = 0  # packets that libsrtp or the kernel did not take
        self.context: object = None
        self.timed = not transport_cc and bool(send_time)
        # The id and the length of the one element, at their place in the word.
        self.extension = (
            (transport_cc << 4 | 1) << 24 if transport_cc else (send_time << 4 | 2) << 24 if send_time else 0
        )

    def open(self, keys: SrtpKeys, path: Path) -> None:
        self._keys = keys  # held, because libsrtp's context lives as long as they do
        self.context = keys.context
        self.move(path)

    def move(self, path: Path) -> None:
        self.sendto, self.address = path
        self._socket = path.socket  # None where the path takes no messages to be cut up

    def leave(self, datagrams: Sequence[bytes]) -> None:
        """Send encrypted packets in order; what the kernel does not take is dropped.

        Packets of equal size, and one smaller one behind them, go as one message that the kernel cuts up: it then looks
        up the route once for all of them (UDP_SEGMENT of udp(7)).
        """
        start = 0
        while start < len(datagrams):
            size = len(datagrams[start])
            end = start + 1
            while end < len(datagrams) and len(datagrams[end]) == size and end - start < SEGMENTS:
                end += 1
            if end < len(datagrams) and len(datagrams[end]) < size and end - start < SEGMENTS:
                end += 1
            self._send(datagrams[start:end], size)
            start = end

    def _send(self, datagrams: Sequence[bytes], size: int) -> None:
        if self._socket is not None and len(datagrams) > 1:
            try:
                self._socket.sendmsg(
                    datagrams, [(IPPROTO_UDP, UDP_SEGMENT, size.to_bytes(2, byteorder))], 0, self.address
                )
                return
            except OSError as error:
                if error.errno in FULL:
                    self.dropped += len(datagrams)
                    return
                self._socket = None  # an old kernel, or a device without checksums of its own
        for each in datagrams:
            try:
                self.sendto(each, self.address)
            except OSError:
                self.dropped += 1

    def word(self, now: float) -> int:
        """The element for the next packet, numbered `sequence`."""
        if self.timed:  # abs-send-time: seconds in 6.18 fixed point
            return self.extension | int(now * (1 << 18)) & 0xFFFFFF
        return self.extension | (self.sequence & 0xFFFF) << 8
