"""Slots: the constant streams of a subscriber, and how the packets of changing sources become one of them.

A slot's SSRC never changes. Its sequence numbers, timestamps and VP8 picture ids go on across a change of layer or
source, so that the receiving decoder sees nothing but a keyframe. Between two changes the mapping is constant: a
`Route`, made once, which `Forwarder` applies to each packet. Where packets are left out, a new route closes the gap.
"""

import random
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf
from typing import NamedTuple, Protocol

from webrtc.forwarding.outlet import Outlet
from webrtc.forwarding.track import Track
from webrtc.rtp.packet import HEADER_SIZE, extend
from webrtc.rtp.payload import NO_PICTURE, Picture, read_vp8
from webrtc.rtp.rtcp import SenderReport
from webrtc.sdp.offer import Codec, Kind
from webrtc.shared.state import Flow, Role

ROUTES = 256  # kept per slot, to find the source of a packet that is asked for again
RESEND_S = 0.1  # a packet is not sent again within so long
MAX_RESENDS = 3  # of one packet
MAX_RESENT = 1024  # packets remembered as sent again: as many as a track keeps
NEAR = 16  # packets that are looked through for one that shows where the source stood
RESYNC = 1  # packets left out of the numbering where the last frame of the source before was cut off
STILL_S = 3.0  # between two pictures of a slot whose link takes no more
BELIEVED_S = 1.0  # the distance of two frames by sender reports counts where their arrivals differ from it by less


class Carrier(Protocol):
    """The layer that a slot carries."""

    def release(self, slot: "Slot") -> None:
        """Let go of `slot`: it begins with another one."""

    def want_keyframe(self, now: float) -> None: ...


class Route(NamedTuple):
    """How packets of `track` become those of one slot: what is added to each number, and what is replaced."""

    first: int  # extended sequence number of the source; nothing older goes this way
    sequence: int
    timestamp: int
    ssrc: int
    payload_type: int
    picture_id: int
    tl0picidx: int
    outlet: Outlet
    track: Track


@dataclass(slots=True)
class _SentRange:
    """The packets that went along a route, up to the number `last` of the source; None: it is still in use.

    Later numbers belong to the next route: a number that is used twice would break SRTP (RFC 7714 8.1).
    """

    route: Route
    last: int | None = None

    def covers(self, number: int) -> bool:
        return self.route.first <= number and (self.last is None or number <= self.last)


@dataclass(frozen=True, slots=True, kw_only=True)
class Formats:
    """The formats that a subscriber takes in one m-line. `rtx`: the retransmission format of a payload type."""

    payload_types: Mapping[str, int]  # by codec name
    rtx: Mapping[int, int] = field(default_factory=dict)
    redundant: int | None = None  # payload type of the blocks in its RED packets

    @staticmethod
    def of(codecs: tuple[Codec, ...], rtx: Mapping[int, int]) -> "Formats":
        red = next((codec for codec in codecs if codec.name == "RED"), None)
        return Formats(
            payload_types={codec.name: codec.payload_type for codec in reversed(codecs)},
            rtx={repeated: payload_type for payload_type, repeated in rtx.items()},
            redundant=None if red is None else redundant_type(red),
        )


def redundant_type(codec: Codec) -> int | None:
    """The payload type of the blocks of a RED format: "111/111" in its parameters (RFC 2198 5)."""
    first = next(iter(codec.parameters), "").partition("/")[0]
    return int(first) if first.isascii() and first.isdigit() and len(first) <= 3 else None


class Slot:
    """One m-line of a subscriber. Its subscription chooses the layer that it is to carry; layers make it carry them.

    `base_only`: the higher temporal layers are left out. `still`: only single pictures are sent.
    """

    def __init__(
        self, *, mid: str, kind: Kind, role: Role, ssrc: int, rtx_ssrc: int | None, formats: Formats, outlet: Outlet
    ) -> None:
        self.mid = mid
        self.kind: Kind = kind
        self.role = role
        self.ssrc = ssrc
        self.rtx_ssrc = rtx_ssrc
        self.formats = formats
        self.outlet = outlet
        self.flow = Flow.NONE
        self.carrier: Carrier | None = None
        self.route: Route | None = None  # of what the slot carries now
        self.base_only = False
        self.resuming = False  # the higher temporal layers come back with the next frame that they can begin with
        self.still = False
        self.picture = 0  # the track's timestamp at the beginning of the route
        self._ranges: deque[_SentRange] = deque(maxlen=ROUTES)
        # Where the stream stood when the last route ended. Random at first (RFC 3550 5.1); the top bit stays clear
        # so that the receiver's SRTP sees the number wrap before it has to guess (RFC 3711 3.3.1).
        self._sequence = 0x10000 + random.getrandbits(15)
        self._timestamp = random.getrandbits(32)
        self._stopped_at: float | None = None
        self._captured_s: float | None = None
        self._late_s = 0.0
        self._whole = True
        self._picture_id = random.getrandbits(15)
        self._tl0picidx = random.getrandbits(8)
        self._packets = 0
        self._octets = 0
        self._started = (0, 0)  # packets and octets of the track when its route began
        self._left_out = -1  # the number of the packet that was left out last
        self._resent: dict[int, tuple[int, float]] = {}
        self._rtx_sequence = 0x10000 + random.getrandbits(15)

    # -- sources

    def shown_at(self, track: Track) -> float:
        """When the last packet of `track` that went out had come; minus infinity where that was not carried last."""
        last = self._ranges[-1] if self._ranges else None
        if last is None or last.route.track is not track or self._stopped_at is None:
            return -inf
        return self._stopped_at

    def takes(self, track: Track) -> bool:
        """Whether the subscriber can decode `track`, if need be the Opus inside of its RED."""
        types = self.formats.payload_types
        return track.kind == self.kind and (track.codec.name in types or self.strips(track.codec))

    def strips(self, codec: Codec) -> bool:
        """Whether `codec` is RED that this subscriber does not take, or in which its formats have other numbers."""
        if codec.name != "RED" or "OPUS" not in self.formats.payload_types:
            return False
        return self.formats.redundant is None or self.formats.redundant != redundant_type(codec)

    def switch(self, track: Track, packet: bytes, number: int, now: float) -> Route:
        """Begin to carry `track` at its plain `packet`, for video the start of a keyframe; `number`: extended."""
        self.stop()
        if self._ranges:  # only the source just left can be asked for again
            left = self._ranges[-1].route.track
            self._ranges = deque((each for each in self._ranges if each.route.track is left), maxlen=ROUTES)
        timestamp = int.from_bytes(packet[4:8], "big")
        picture = read_vp8(packet) if track.codec.name == "VP8" else NO_PICTURE
        advance = max(1, round(self._elapsed_s(track, timestamp, now) * track.codec.clock_rate))
        self._started = track.packets - 1, track.octets - len(packet)  # this packet is the first one sent
        self._left_out = -1
        self.picture = timestamp
        codec = "OPUS" if self.strips(track.codec) else track.codec.name
        return self._take(
            Route(
                first=number,
                sequence=self._sequence + (1 if self._whole else 1 + RESYNC) - number,
                timestamp=(self._timestamp + advance - timestamp) & 0xFFFFFFFF,
                ssrc=self.ssrc,
                payload_type=self.formats.payload_types[codec],
                picture_id=self._picture_id + 1 - picture.picture_id if picture.picture_id >= 0 else 0,
                tl0picidx=self._tl0picidx + 1 - picture.tl0picidx if picture.tl0picidx >= 0 else 0,
                outlet=self.outlet,
                track=track,
            )
        )

    def stop(self, last: int | None = None) -> None:
        """Carry nothing; remember where the stream stands. `last`: the track's last packet sent, its newest if None."""
        if self.route is None:
            return
        route, track = self.route, self.route.track
        self.route = None
        number = track.highest if last is None else last
        self._ranges[-1].last = number
        self._sequence = number + route.sequence
        shown = track.shown(number)  # behind padding the last picture counts
        number = shown if shown >= route.first else number
        packet = track.packet(number)
        # Where it is still missing, the packet before it counts: of the same picture, or of the one before.
        near = range(max(0, min(NEAR, number - route.first)) + 1)
        back, known = next(((back, each) for back in near if (each := track.packet(number - back))), (0, None))
        ahead = 0 if back == 0 or back == 1 and known is not None and known[1] < 128 else 1
        timestamp = track.timestamp if known is None else int.from_bytes(known[4:8], "big")
        self._timestamp = (timestamp + route.timestamp) & 0xFFFFFFFF
        self._stopped_at = track.arrived_at
        self._captured_s = track.captured_s(timestamp)
        self._late_s = track.late_s(timestamp, track.arrived_at)
        self._whole = track.kind == "audio" or (packet is not None and packet[1] > 127)
        vp8 = known is not None and track.codec_of(known).name == "VP8"  # the sender may have gone on in another one
        picture = read_vp8(known) if known is not None and vp8 else NO_PICTURE
        if picture.picture_id >= 0:
            self._picture_id = picture.picture_id + route.picture_id + ahead
        if picture.tl0picidx >= 0:
            self._tl0picidx = picture.tl0picidx + route.tl0picidx + ahead
        self._packets += track.packets - self._started[0]
        self._octets += track.octets - self._started[1]

    def _take(self, route: Route) -> Route:
        self.route = route
        self._ranges.append(_SentRange(route))
        return route

    def _elapsed_s(self, track: Track, timestamp: int, now: float) -> float:
        """Between the last frame sent and the first one of `track`: by sender reports, else by arrival.

        Reports count if they agree with the arrivals, or with the arrivals without delay: after an interruption all
        that waited comes at once.
        """
        if self._stopped_at is None:
            return 0.0
        elapsed_s, captured_s = now - self._stopped_at, track.captured_s(timestamp)
        if captured_s is None or self._captured_s is None:
            return elapsed_s
        reported_s = captured_s - self._captured_s
        undelayed_s = elapsed_s - track.late_s(timestamp, now) + self._late_s
        differ_s = min(abs(reported_s - elapsed_s), abs(reported_s - undelayed_s))
        return reported_s if differ_s < BELIEVED_S else elapsed_s

    # -- leaving packets out

    def pass_on(self, number: int, picture: Picture) -> Route | None:
        """The route of a packet of a reduced slot; None for a packet to leave out. Called once for each packet.

        Whether a picture is left out is decided at its first packet. Only packets that come in order are left out: what
        was in a gap is not known.
        """
        route = self.route
        if route is None:
            return None
        track = route.track
        if number < route.first:
            before = (each for each in reversed(self._ranges) if each.route.track is track and each.covers(number))
            return next((each.route for each in before), None)
        packet_before = track.packet(number - 1)
        if packet_before is not None and len(packet_before) == HEADER_SIZE:
            packet_before = track.packet(track.shown(number - 1))
        begins = packet_before is not None and packet_before[1] > 127
        if self.resuming and (picture.keyframe or (begins and picture.sync and picture.temporal)):
            self.base_only = self.resuming = False
        # It follows another picture, or a packet of this one that was left out.
        follows = begins or number == self._left_out + 1
        if not (self.base_only and picture.temporal and number == track.highest and follows):
            return route
        self._left_out = number
        self._packets -= 1
        self._octets -= len(track.packet(number) or b"")
        self._ranges[-1].last = number - 1
        self._take(
            route._replace(first=number + 1, sequence=route.sequence - 1, picture_id=route.picture_id - int(begins))
        )
        return None

    # -- reports

    @property
    def packets(self) -> int:
        """Packets sent, without repetitions."""
        return self._packets + (self.route.track.packets - self._started[0] if self.route else 0)

    @property
    def octets(self) -> int:
        return self._octets + (self.route.track.octets - self._started[1] if self.route else 0)

    def report(self, ntp_s: float) -> SenderReport | None:
        """A sender report for `ntp_s`, in seconds since 1900 on the node's clock; None before the first of the source.

        All sources are put on the node's clock: so a picture keeps step with the voice of any source.
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

        The same route rewrites the packet to the same octets: GCM asks for one content per number (RFC 7714 8.1).
        """
        highest = self._sequence if self.route is None else self.route.track.highest + self.route.sequence
        number = extend(sequence, highest)
        times, sent_at = self._resent.get(number, (0, -RESEND_S))
        if number > highest or times >= MAX_RESENDS or now - sent_at < RESEND_S:
            return None
        for each in reversed(self._ranges):
            route = each.route
            if each.covers(number - route.sequence):
                if len(self._resent) >= MAX_RESENT:
                    del self._resent[next(iter(self._resent))]
                self._resent[number] = times + 1, now
                return route, number - route.sequence
        return None

    @property
    def clock_rate(self) -> int:
        return self.route.track.codec.clock_rate if self.route is not None else 1

    def next_rtx(self) -> int:
        """The extended sequence number of the next packet on the SSRC of retransmissions."""
        self._rtx_sequence += 1
        return self._rtx_sequence
