"""Slots: the constant streams of a subscriber, and how the packets of changing sources become one of them.

A slot's SSRC never changes, and its sequence numbers, timestamps and VP8 picture ids go on across a change of source
(`Track`), so that the receiving decoder notices nothing but a keyframe. Between two changes the mapping is constant: a
`Route`, made once, and applied to each packet by `Forwarder`.
"""

import random
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from webrtc.path import Address
from webrtc.rtcp import SenderReport
from webrtc.rtp import NO_PICTURE, extend, read_vp8
from webrtc.sdp import Kind
from webrtc.track import Track

ROUTES = 16  # kept per slot, to find the source of a packet that is asked for again
RESEND_S = 0.1  # a packet is not sent again within so long,
MAX_RESENDS = 3  # and not more often than this
MAX_RESENT = 512  # packets remembered as sent again
RESYNC = 1  # packets left out of the numbering where the last frame of the source before was cut off


class Outlet(Protocol):
    """Where a subscriber's packets leave the node: read by `Forwarder` for each packet."""

    context: object  # SRTP, for sending
    sendto: Callable[[memoryview | bytes, Address], object]
    address: Address
    dropped: int  # packets that libsrtp or the kernel did not take


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """How the packets of `track` become those of one slot: what is added to each number, and what is replaced."""

    track: Track
    outlet: Outlet
    codec: str
    ssrc: int
    payload_type: int
    first: int  # extended sequence number of the source; nothing older goes this way
    sequence: int
    timestamp: int
    picture_id: int
    tl0picidx: int


class Slot:
    """`payload_types`: what the subscriber takes, by codec name."""

    def __init__(self, *, mid: str, kind: Kind, ssrc: int, payload_types: Mapping[str, int], outlet: Outlet) -> None:
        self.mid = mid
        self.kind: Kind = kind
        self.ssrc = ssrc
        self.payload_types = payload_types
        self.route: Route | None = None  # what the slot carries now
        self._outlet = outlet
        self._routes: deque[Route] = deque(maxlen=ROUTES)
        # Where the stream stood when the last route ended. Random at first (RFC 3550 5.1); the top bit stays clear
        # so that the receiver's SRTP sees the number wrap before it has to guess (RFC 3711 3.3.1).
        self._sequence = 0x10000 + random.getrandbits(15)
        self._timestamp = random.getrandbits(32)
        self._stopped_at: float | None = None
        self._whole = True
        self._picture_id = random.getrandbits(15)
        self._tl0picidx = random.getrandbits(8)
        self._packets = 0
        self._octets = 0
        self._started = (0, 0)  # packets and octets of the track when its route began
        self._resent: dict[int, tuple[int, float]] = {}

    # -- sources

    def takes(self, track: Track) -> bool:
        return track.kind == self.kind and track.codec.name in self.payload_types

    def switch(self, track: Track, packet: bytes, number: int, now: float) -> Route:
        """Begin to carry `track` at its plain `packet`, for video the start of a keyframe; `number`: extended."""
        self.stop()
        timestamp = int.from_bytes(packet[4:8], "big")
        picture = read_vp8(packet) if track.codec.name == "VP8" else NO_PICTURE
        elapsed = 0.0 if self._stopped_at is None else now - self._stopped_at
        advance = max(1, round(elapsed * track.codec.clock_rate))
        self._started = track.packets - 1, track.octets - len(packet)  # this packet is the first one sent
        self.route = Route(
            track=track,
            outlet=self._outlet,
            codec=track.codec.name,
            ssrc=self.ssrc,
            payload_type=self.payload_types[track.codec.name],
            first=number,
            sequence=self._sequence + (1 if self._whole else 1 + RESYNC) - number,
            timestamp=(self._timestamp + advance - timestamp) & 0xFFFFFFFF,
            picture_id=self._picture_id + 1 - picture.picture_id if picture.picture_id >= 0 else 0,
            tl0picidx=self._tl0picidx + 1 - picture.tl0picidx if picture.tl0picidx >= 0 else 0,
        )
        self._routes.append(self.route)
        return self.route

    def stop(self) -> None:
        """Carry nothing; remember where the stream stands."""
        if self.route is None:
            return
        route, track = self.route, self.route.track
        self.route = None
        self._sequence = track.highest + route.sequence
        self._timestamp = (track.timestamp + route.timestamp) & 0xFFFFFFFF
        self._stopped_at = track.arrived_at
        self._whole = track.marker or track.kind == "audio"
        last = track.packet(track.highest)
        picture = read_vp8(last) if last is not None and track.codec.name == "VP8" else NO_PICTURE
        if picture.picture_id >= 0:
            self._picture_id = picture.picture_id + route.picture_id
        if picture.tl0picidx >= 0:
            self._tl0picidx = picture.tl0picidx + route.tl0picidx
        self._packets += track.packets - self._started[0]
        self._octets += track.octets - self._started[1]

    # -- reports

    @property
    def packets(self) -> int:
        """Packets sent, without repetitions."""
        return self._packets + (self.route.track.packets - self._started[0] if self.route else 0)

    @property
    def octets(self) -> int:
        return self._octets + (self.route.track.octets - self._started[1] if self.route else 0)

    def report(self, ntp_s: float) -> SenderReport | None:
        """A sender report for this moment, in seconds since 1900 on the node's clock; None before the source's own one.

        All sources come on the node's clock: a picture keeps step with the voice of its own source and of any other.
        """
        route = self.route
        if route is None or (source := route.track.report) is None or (offset_s := route.track.clock.offset_s) is None:
            return None
        elapsed = ntp_s - (source.ntp / (1 << 32) + offset_s)
        rtp = source.rtp + round(elapsed * route.track.codec.clock_rate) + route.timestamp
        return SenderReport(
            ssrc=self.ssrc,
            ntp=int(ntp_s * (1 << 32)),
            rtp=rtp & 0xFFFFFFFF,
            packets=self.packets,
            octets=self.octets,
        )

    # -- retransmission

    def find(self, sequence: int, now: float) -> tuple[Route, int] | None:
        """The route and the source's extended number of packet `sequence` of this slot, if it may be sent again.

        The same route rewrites it to the same octets, which GCM asks for: one number, one content (RFC 7714 8.1).
        """
        highest = self._sequence if self.route is None else self.route.track.highest + self.route.sequence
        number = extend(sequence, highest)
        times, sent_at = self._resent.get(number, (0, -RESEND_S))
        if number > highest or times >= MAX_RESENDS or now - sent_at < RESEND_S:
            return None
        for route in reversed(self._routes):
            if number >= route.first + route.sequence:
                if len(self._resent) >= MAX_RESENT:
                    self._resent.clear()
                self._resent[number] = times + 1, now
                return route, number - route.sequence
        return None
