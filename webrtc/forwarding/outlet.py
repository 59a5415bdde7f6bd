"""The outlet of one subscriber: its SRTP keys, its path, and what the feedback on its packets will be about."""

from collections.abc import Sequence
from errno import EAGAIN, ENOBUFS
from math import inf
from socket import IPPROTO_UDP
from sys import byteorder
from typing import NamedTuple

from webrtc.estimation.trendline import Trendline
from webrtc.rtp.transport_cc import TICKS
from webrtc.transport.dtls import SrtpKeys
from webrtc.transport.path import Path

SEGMENTS = 8  # datagrams in one message
UDP_SEGMENT = 103  # linux/udp.h, since 4.18
FULL = (EAGAIN, ENOBUFS)
HISTORY = 4096  # packets whose sending is remembered: two seconds of 2,000 a second. A power of two


class Told(NamedTuple):
    """What feedback says of packets sent one after another. `latest_arrived`: later than the last where it overtook."""

    packets: int
    octets: int
    first_sent: float
    last_sent: float
    first_arrived: float
    last_arrived: float
    latest_arrived: float


class Outlet:
    """Where one subscriber's packets leave: its keys and its path, which moves with it. Not used until `open`.

    Made by `Forwarder.outlet`, as the engine in use wants it.
    `transport_cc`, `send_time`: local id of the header extension that numbers its packets, or else of the
    one that tells when they were sent; 0 for none.
    """

    keyframe_at = -inf  # when one went out last

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
        self._repeats: dict[int, tuple[int, int]] = {}  # by 16-bit transport number, the oldest first: see `repeat_on`
        self.repeating: set[int] = set()  # all SSRCs of retransmissions that something went out on
        self.times = [0.0] * HISTORY
        self.sizes = [0] * HISTORY

    def open(self, keys: SrtpKeys, path: Path) -> None:
        self._keys = keys  # held, because libsrtp's context lives as long as they do
        self.context = keys.context
        self.move(path)

    def move(self, path: Path) -> None:
        self.sendto, self.address = path
        self._socket = path.socket  # None where the path takes no messages to be cut up

    def leave(self, datagrams: Sequence[bytes]) -> None:
        """Send encrypted packets in order; what is not taken is dropped.

        Those of equal size, and one smaller one behind them, go as one message that the kernel cuts up: it then looks
        up the way once for all of them (UDP_SEGMENT of udp(7)).
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

    def told(self, sequence: int, ticks: Sequence[int], zero: int, trend: Trendline | None, /) -> Told | None:
        """Of the packets from that 16-bit transport number on, what is told by their arrivals: `zero` and `ticks`.

        `trend`, if any, counts them. Those after the first one that is not known, as in `sent`, are left out.
        """
        times, sizes = self.sent(sequence, len(ticks))
        if not times:
            return None
        arrived = arrivals(ticks[: len(times)], zero)
        if trend is not None:
            trend.take(times, arrived)
        return Told(len(times), sum(sizes), times[0], times[-1], arrived[0], arrived[-1], max(arrived))


def arrivals(ticks: Sequence[int], zero: int) -> list[float]:
    """In seconds."""
    return [(zero + each) / TICKS for each in ticks]
