"""Forwarding: a packet of one track, rewritten, protected and sent once per subscriber. The node's hot path.

Nothing here waits, allocates per subscriber or asks anything twice: what differs per subscriber is in its `Route`, the
packet is copied into one buffer, changed and encrypted there, and leaves. A full socket drops the packet, as a network
would. `Forwarder.send` is the one place to put a faster implementation.
"""

from collections.abc import Callable, Iterable

from webrtc.dtls import PacketBuffer, SrtpKeys, protect_rtp
from webrtc.path import Path
from webrtc.rtp import (
    HEADER,
    NO_PICTURE,
    PICTURE_ID,
    PICTURE_ID_AT,
    TL0PICIDX_AT,
    VERSION,
    Vp8,
    begins_h264_keyframe,
    read_vp8,
    wide_picture_id,
)
from webrtc.slots import Route, Slot
from webrtc.track import Track


class Outlet:
    """Where one subscriber's packets leave: its keys and its path, which moves with it. Not used until `open`."""

    __slots__ = ("_keys", "address", "context", "dropped", "sendto")

    def __init__(self) -> None:
        self.dropped = 0  # packets that libsrtp or the kernel did not take
        self.context: object = None

    def open(self, keys: SrtpKeys, path: Path) -> None:
        self._keys = keys  # held, because libsrtp's context lives as long as they do
        self.context = keys.context
        self.sendto, self.address = path


class Forwarder:
    """What all routes of a node leave through: one buffer."""

    def __init__(self) -> None:
        self._buffer = PacketBuffer()

    def send(self, routes: Iterable[Route], packet: bytes, number: int, picture: Vp8 = NO_PICTURE) -> None:
        """Send a plain packet along each of `routes`. `number`: its extended sequence number in the source."""
        memory, view, length = self._buffer.memory, self._buffer.view, self._buffer.length
        pack_header, pack_picture, protect = HEADER.pack_into, PICTURE_ID.pack_into, protect_rtp
        _, second, _, timestamp, _ = HEADER.unpack_from(packet)
        marker = second & 0x80
        size = len(packet)
        picture_id, tl0picidx, _ = picture
        for route in routes:
            if number < route.first:
                continue
            view[:size] = packet
            pack_header(
                view,
                0,
                VERSION,
                marker | route.payload_type,
                (number + route.sequence) & 0xFFFF,
                (timestamp + route.timestamp) & 0xFFFFFFFF,
                route.ssrc,
            )
            if picture_id >= 0:
                pack_picture(view, PICTURE_ID_AT, 0x8000 | (picture_id + route.picture_id) & 0x7FFF)
                if tl0picidx >= 0:
                    view[TL0PICIDX_AT] = (tl0picidx + route.tl0picidx) & 0xFF
            length[0] = size
            outlet = route.outlet
            if protect(outlet.context, memory, length):
                outlet.dropped += 1
                continue
            try:
                outlet.sendto(view[: length[0]], outlet.address)
            except OSError:
                outlet.dropped += 1

    def repeat(self, route: Route, number: int) -> None:
        """Send a packet of the route's track once more, if it is still kept."""
        packet = route.track.packet(number)
        if packet is not None:
            picture = read_vp8(packet) if route.codec == "VP8" else NO_PICTURE
            self.send((route,), packet, number, picture)


class Fanout:
    """A track and the slots that carry it, or wait to.

    `ask`: told that the sender is to be asked for something now: `Track.due_nacks`, `Track.keyframe_due`.
    """

    def __init__(self, *, track: Track, forwarder: Forwarder, ask: Callable[[Track, float], None]) -> None:
        self.track = track
        self._forwarder = forwarder
        self._ask = ask
        self._routes: tuple[Route, ...] = ()
        self._carrying: list[Slot] = []
        self._waiting: list[Slot] = []  # for a packet to begin with

    def forward(self, packet: bytes, now: float) -> None:
        """Take in a plain packet of the track and send it on."""
        track = self.track
        _, second, sequence, timestamp, _ = HEADER.unpack_from(packet)
        if second & 0x7F != track.payload_type and not self._use(second & 0x7F):
            return
        picture = NO_PICTURE
        if track.codec.name == "VP8":
            packet = wide_picture_id(packet)
            picture = read_vp8(packet)
            begins = picture.keyframe
        else:
            begins = track.kind == "audio" or begins_h264_keyframe(packet)
        number = track.receive(packet, sequence, timestamp, now)
        if begins:
            track.keyframe_seen()
            if self._waiting:
                self._begin(packet, number, now)
        self._forwarder.send(self._routes, packet, number, picture)
        if track.missing and now >= track.nack_due:
            self._ask(track, now)

    def add(self, slot: Slot, now: float) -> None:
        """Have `slot` carry this track as soon as it can begin."""
        self._waiting.append(slot)
        self.track.want_keyframe()
        if self.track.packets:  # a track that only begins does so with a keyframe; if not, the next tick asks for one
            self._ask(self.track, now)

    def remove(self, slot: Slot) -> None:
        """Have `slot` no longer carry this track, or wait for it."""
        if slot in self._waiting:
            self._waiting.remove(slot)
        if slot in self._carrying:
            self._carrying.remove(slot)
            slot.stop()
            self._update()

    def want_keyframe(self, now: float) -> None:
        self.track.want_keyframe()
        self._ask(self.track, now)

    def _begin(self, packet: bytes, number: int, now: float) -> None:
        for slot in self._waiting:
            if slot.takes(self.track):
                slot.switch(self.track, packet, number, now)
                self._carrying.append(slot)
        self._waiting = [slot for slot in self._waiting if slot not in self._carrying]
        self._update()

    def _use(self, payload_type: int) -> bool:
        """Follow the sender to another payload type, with all slots, from its next keyframe on."""
        if not self.track.use(payload_type):
            return False
        for slot in self._carrying:
            slot.stop()
        self._waiting += self._carrying
        self._carrying.clear()
        self._update()
        return True

    def _update(self) -> None:
        self._routes = tuple(slot.route for slot in self._carrying if slot.route is not None)
