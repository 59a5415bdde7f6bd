"""Forwarding: a packet of one track, rewritten, protected and sent once per subscriber. The node's hot path.

Nothing here waits, or allocates per subscriber. A `Route` holds what differs per subscriber. The packet is copied into
one buffer, changed and encrypted there, and sent. A full socket drops the packet, as a network would. This is the
reference; `webrtc/forwarding/fast.py` has the same `send` in C.
"""

from struct import Struct

from webrtc.estimation.sent import HISTORY
from webrtc.forwarding.outlet import Outlet
from webrtc.forwarding.slots import Route, Slot
from webrtc.rtp.packet import HEADER, HEADER_SIZE, MARKER, VERSION, strip_redundancy
from webrtc.rtp.payload import NO_PICTURE, PICTURE_ID, PICTURE_ID_AT, TL0PICIDX_AT, Picture, read_vp8
from webrtc.transport.srtp import PacketBuffer, protect_rtp

EXTENDED = Struct("!BBHIIII")  # a header with one word of header extension behind it (RFC 8285 4.2)
EXTENDED_SIZE = EXTENDED.size
EXTENSION_BIT, PADDING_BIT = 0x10, 0x20
EXTENDED_FIRST = VERSION | EXTENSION_BIT
RING = HISTORY - 1
ONE_BYTE_FORM = 0xBEDE_0001  # and one word
MAX_PADDING = 255  # octets in one packet (RFC 3550 5.1)
PAD_WITH = 16  # one of so many last packets is sent as padding


class Forwarder:
    """Sends the packets of a node along routes, through one buffer. Made by its `Engine`, as the outlets are."""

    def __init__(self) -> None:
        self._buffer = PacketBuffer()
        self._held: dict[Outlet, list[bytes]] | None = None

    def hold(self) -> None:
        """Have packets that are sent until `flush` leave only then: those of one subscriber together."""
        if self._held is None:
            self._held = {}

    def flush(self) -> None:
        """Send everything that was held."""
        held, self._held = self._held, None
        for outlet, datagrams in (held or {}).items():
            outlet.leave(datagrams)

    def send(self, routes: tuple[Route, ...], packet: bytes, number: int, picture: Picture, now: float, /) -> None:
        """Send a plain packet along each of `routes`. `number`: its extended sequence number in the source."""
        memory, view, length = self._buffer.memory, self._buffer.view, self._buffer.length
        pack_header, pack_extended, pack_picture = HEADER.pack_into, EXTENDED.pack_into, PICTURE_ID.pack_into
        protect, held = protect_rtp, self._held
        _, second, _, timestamp, _ = HEADER.unpack_from(packet)
        marker = second & MARKER
        payload = packet[HEADER_SIZE:]
        plain_size = len(packet)
        extended_size = plain_size + EXTENDED_SIZE - HEADER_SIZE
        picture_id, tl0picidx = picture.picture_id, picture.tl0picidx
        for first, sequence, ahead, ssrc, payload_type, picture_ahead, tl0_ahead, outlet, _ in routes:
            if number < first:
                continue
            second = marker | payload_type
            number_there = number + sequence & 0xFFFF
            timestamp_there = timestamp + ahead & 0xFFFFFFFF
            count = outlet.sequence
            if outlet.extension:
                word = outlet.word(now) if outlet.timed else outlet.extension | (count & 0xFFFF) << 8
                pack_extended(view, 0, EXTENDED_FIRST, second, number_there, timestamp_there, ssrc, ONE_BYTE_FORM, word)
                start, size = EXTENDED_SIZE, extended_size
            else:
                pack_header(view, 0, VERSION, second, number_there, timestamp_there, ssrc)
                start, size = HEADER_SIZE, plain_size
            view[start:size] = payload
            if picture_id >= 0:
                pack_picture(view, start + PICTURE_ID_AT, 0x8000 | (picture_id + picture_ahead) & 0x7FFF)
                if tl0picidx >= 0:
                    view[start + TL0PICIDX_AT] = (tl0picidx + tl0_ahead) & 0xFF
            length[0] = size
            if protect(outlet.context, memory, length):
                outlet.dropped += 1
                continue
            outlet.times[count & RING] = now  # as `SentPackets.note` does, without the call
            outlet.sizes[count & RING] = size
            outlet.sequence = count + 1
            outlet.octets += size
            if held is not None:
                datagrams = held.get(outlet)
                if datagrams is None:
                    held[outlet] = [bytes(view[: length[0]])]
                else:
                    datagrams.append(bytes(view[: length[0]]))
                continue
            try:
                outlet.sendto(view[: length[0]], outlet.address)
            except OSError:
                outlet.dropped += 1

    def repeat(self, slot: Slot, route: Route, number: int, now: float) -> None:
        """Send a packet of the route's track once more, if it is still kept: as RTX where the subscriber takes that.

        Without RTX it must go out as the same octets (RFC 7714 8.1), so without a transport number in it. The answer
        promises such repetitions only for packets that have none (`webrtc/sdp/answer.py`).
        """
        packet = _as_sent(slot, route, number)
        if packet is None:
            return
        if slot.rtx_ssrc is not None and route.payload_type in slot.formats.rtx:
            self._wrap(slot, route, packet, number, now)
        elif not route.outlet.extension:
            self.send((route,), packet, number, _read(route, packet), now)

    def _wrap(self, slot: Slot, route: Route, packet: bytes, number: int, now: float) -> int:
        """Send a packet of the route's track inside an RTX packet; how many octets went out."""
        picture = _read(route, packet)
        payload = bytearray(packet[HEADER_SIZE:])
        if picture.picture_id >= 0:
            PICTURE_ID.pack_into(payload, PICTURE_ID_AT, 0x8000 | (picture.picture_id + route.picture_id) & 0x7FFF)
            if picture.tl0picidx >= 0:
                payload[TL0PICIDX_AT] = (picture.tl0picidx + route.tl0picidx) & 0xFF
        sequence = ((number + route.sequence) & 0xFFFF).to_bytes(2, "big")
        timestamp = int.from_bytes(packet[4:8], "big") + route.timestamp
        second = packet[1] & MARKER | slot.formats.rtx[route.payload_type]
        return self._send_rtx(slot, second, timestamp, sequence + payload, now)

    def pad(self, slot: Slot, now: float) -> int:
        """Send a packet beside the slot's media, to try the link; how many octets went out, 0 if none can.

        It is one of the last media packets: many small packets of nothing but padding would cost more.
        """
        route = slot.route
        if route is not None and slot.rtx_ssrc is not None and route.payload_type in slot.formats.rtx:
            number = route.track.highest - route.outlet.sequence % PAD_WITH
            packet = _as_sent(slot, route, number)
            if packet is not None and number >= route.first and len(packet) > HEADER_SIZE + MAX_PADDING:
                return self._wrap(slot, route, packet, number, now)
        payload_type = next(iter(slot.formats.rtx.values()), None)
        if slot.rtx_ssrc is None or payload_type is None:
            return 0
        padding = bytes(MAX_PADDING - 1) + bytes((MAX_PADDING,))
        return self._send_rtx(slot, payload_type, 0, padding, now, flags=PADDING_BIT)

    def _send_rtx(self, slot: Slot, second: int, timestamp: int, payload: bytes, now: float, *, flags: int = 0) -> int:
        """Send on the slot's SSRC of retransmissions (RFC 4588)."""
        outlet, view, length = slot.outlet, self._buffer.view, self._buffer.length
        sequence, timestamp, ssrc = slot.next_rtx() & 0xFFFF, timestamp & 0xFFFFFFFF, slot.rtx_ssrc or 0
        if outlet.extension:
            start, word = EXTENDED.size, outlet.word(now)
            first = VERSION | EXTENSION_BIT | flags
            EXTENDED.pack_into(view, 0, first, second, sequence, timestamp, ssrc, ONE_BYTE_FORM, word)
        else:
            start = HEADER_SIZE
            HEADER.pack_into(view, 0, VERSION | flags, second, sequence, timestamp, ssrc)
        size = start + len(payload)
        view[start:size] = payload
        length[0] = size
        if protect_rtp(outlet.context, self._buffer.memory, length):
            outlet.dropped += 1
            return 0
        outlet.note_repeat(ssrc)
        outlet.note(size, now)
        try:
            outlet.sendto(view[: length[0]], outlet.address)
        except OSError:
            outlet.dropped += 1
        return size


def _as_sent(slot: Slot, route: Route, number: int) -> bytes | None:
    """The plain packet of the route's track, without the redundancy that this subscriber does not take."""
    packet = route.track.packet(number)
    stripped = packet is not None and slot.strips(route.track.codec_of(packet))
    return strip_redundancy(packet) if packet is not None and stripped else packet


def _read(route: Route, packet: bytes) -> Picture:
    return read_vp8(packet) if route.track.codec_of(packet).name == "VP8" else NO_PICTURE
