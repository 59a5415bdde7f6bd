"""A source and its simulcast layers: each takes in a track, and sends it on to the slots that carry it."""

from collections.abc import Callable
from dataclasses import dataclass, field

from webrtc.forwarding.routing import WHOLE, Reduction, RoutingTable, Send
from webrtc.forwarding.slots import Slot
from webrtc.forwarding.track import Track
from webrtc.rtp.packet import HEADER, HEADER_SIZE, strip_redundancy
from webrtc.rtp.payload import NO_PICTURE, READ_PICTURE, Picture, read_size, wide_picture_id
from webrtc.sdp.offer import MAIN, SLIDES, Kind
from webrtc.shared.ids import ClientId

WANTED_S = 8.0  # a layer counts as wanted so long after the last wish, so that it does not blink between two wishes
# A layer without packets for so long, in seconds and in frames, is not chosen while others come.
ALIVE_S, ALIVE_FRAMES = 0.5, 3
GONE_S = 5.0  # a source without packets for so long is gone
MAX_VOICE_BPS = 1_200_000  # Opus at its highest rate, each frame twice (RFC 2198)


class Layer:
    """A track, and the slots that carry it or wait to.

    `send`: sends packets along routes. `ask`: asks the sender for what the track lacks: `Track.due_nacks`,
    `Track.keyframe_due`. `resized`: called when the pictures have another size than before.
    """

    def __init__(self, *, track: Track, send: Send, ask: Callable[[Track, float], None]) -> None:
        self.track = track
        self.resized: Callable[[], None] = lambda: None
        self._send = send
        self._ask = ask
        self._table = RoutingTable()
        self._wanted_until = 0.0

    # -- packets

    def begin(self, packet: bytes) -> None:
        """Learn from the first packet, before anybody chooses among layers, how large the pictures are."""
        if self.track.kind == "video":
            codec = self.track.codec.name
            self.track.size = read_size(codec, wide_picture_id(packet) if codec == "VP8" else packet)

    def forward(self, packet: bytes, now: float) -> None:
        """Take in a plain packet of the track and send it on."""
        track, table = self.track, self._table
        _, second, sequence, timestamp, _ = HEADER.unpack_from(packet)
        if not track.is_new(sequence):
            return
        if second & 0x7F != track.payload_type and not self._use(packet, sequence):
            if second & 0x7F in track.payload_types:  # late, or padding: no sign of how the sender encodes now
                track.receive(packet, sequence, timestamp, now)
            return
        picture = NO_PICTURE
        codec = track.codec.name
        if track.kind == "video":
            if codec == "VP8":
                packet = wide_picture_id(packet)
            picture = READ_PICTURE[codec](packet)
        number = track.receive(packet, sequence, timestamp, now)
        if picture.keyframe:
            size = track.size
            track.keyframe_seen(number, read_size(codec, packet))
            if track.size != size:
                self.resized()
        if table.waiting and (picture.keyframe or track.kind == "audio"):
            table.begin(self, track, packet, number, now)
        if picture.keyframe:
            for slot in table.carrying:
                slot.outlet.keyframe_at = now
        if picture.temporal >= track.temporal_layers:
            track.temporal_layers = picture.temporal + 1
        if table.routes:
            self._send(table.routes, packet, number, picture, now)
        if table.stripped and (opus := strip_redundancy(packet)) is not None:
            self._send(table.stripped, opus, number, picture, now)
        if table.reduced:
            self._forward_reduced(packet, number, timestamp, picture, now)
        if track.missing and now >= track.nack_due:
            self._ask(track, now)

    def tick(self, now: float) -> None:
        """Ask the sender for what is missing: for a keyframe as long as a picture waits for one."""
        if any(not reduction.still and slot.takes(self.track) for slot, reduction in self._table.waiting.items()):
            self.track.want_keyframe()
        if self.track.lacks:
            self._ask(self.track, now)

    def _forward_reduced(self, packet: bytes, number: int, timestamp: int, picture: Picture, now: float) -> None:
        table = self._table
        for slot in table.reduced:
            if slot.still and timestamp != slot.picture and number == self.track.highest:
                # The still is complete: nothing more until the subscription asks for the next one.
                table.release(slot, last=number - 1)
                continue
            route = slot.pass_on(number, picture)
            if route is not None:
                self._send((route,), packet, number, picture, now)
            if not (slot.base_only or slot.still):
                table.update()

    # -- slots

    def add(self, slot: Slot, now: float, reduction: Reduction = WHOLE, *, ask: bool = True) -> None:
        """Have `slot` carry this track as soon as it can begin; until then it carries what it does, as it does.

        `ask`: the sender for a keyframe, or wait for one that others want.
        """
        waits = slot in self._table.waiting
        self._table.waiting[slot] = reduction
        if ask and (not waits or reduction.still):
            self.want_keyframe(now)

    def remove(self, slot: Slot) -> None:
        """Have `slot` no longer carry this track, or wait for it."""
        self._table.waiting.pop(slot, None)
        if slot.carrier is self:
            self.release(slot)

    def release(self, slot: Slot) -> None:
        self._table.release(slot)

    def reduce(self, slot: Slot, reduction: Reduction) -> None:
        """Have `slot`, which carries this track, get so much of it."""
        self._table.reduce(slot, reduction)

    def close(self) -> None:
        """Nothing comes any more: let go of all slots, and of the packets that were kept for them.

        Routes of the past and reference cycles hold the track itself for long.
        """
        self._table.clear()
        self._ask, self.resized = lambda track, now: None, lambda: None
        self.track.forget_packets()

    # -- the sender

    def want_keyframe(self, now: float) -> None:
        self.track.want_keyframe()
        if self.track.packets:  # a track that only begins does so with a keyframe; if not, the next tick asks for one
            self._ask(self.track, now)

    def go_on(self, track: Track) -> None:
        """Go on with `track`, which is this layer under another SSRC, with all slots, from its next keyframe on."""
        track.go_on_from(self.track)
        self.track = track
        self._table.suspend()

    def _use(self, packet: bytes, sequence: int) -> bool:
        """Follow the sender to the payload type of a packet, with all slots, from its next keyframe on.

        A packet that was overtaken does not lead back to the payload type before.
        """
        if len(packet) <= HEADER_SIZE or self.track.is_late(sequence) or not self.track.use(packet[1] & 0x7F):
            return False
        self._table.suspend()
        return True

    def want(self, now: float) -> None:
        """Note that somebody would have this layer."""
        self._wanted_until = now + WANTED_S

    def wanted(self, now: float) -> bool:
        return now < self._wanted_until


@dataclass(eq=False, slots=True, kw_only=True)
class Source:
    """One picture or sound of a participant. `rids`: as offered. `layers`: the smallest first; a sound has one."""

    client: ClientId
    kind: Kind
    content: str = MAIN
    rids: tuple[str, ...] = ()
    layers: list[Layer] = field(default_factory=list)

    @property
    def slides(self) -> bool:
        return self.content == SLIDES

    @property
    def is_camera(self) -> bool:
        return self.kind == "video" and not self.slides

    @property
    def is_voice(self) -> bool:
        """Whether it is a sound of a plausible rate: voices are sent whatever the link takes."""
        return self.kind == "audio" and all(layer.track.bitrate_bps <= MAX_VOICE_BPS for layer in self.layers)

    def flows(self, now: float) -> bool:
        return any(layer.track.flows(now) for layer in self.layers)

    def gone(self, now: float) -> bool:
        """Whether nothing has come for so long that its last picture is out of date."""
        return all(now - layer.track.arrived_at >= GONE_S for layer in self.layers)

    def alive(self, layer: Layer) -> bool:
        """Whether `layer` comes: the sender has stopped a layer that is silent while another one moves.

        A pause of all layers comes from the link, and changes nothing.
        """
        frames_per_s = max(each.track.frames_per_s for each in self.layers)
        limit_s = max(ALIVE_S, ALIVE_FRAMES / frames_per_s) if frames_per_s else ALIVE_S
        newest = max(each.track.arrived_at for each in self.layers)
        return layer.track.highest >= 0 and newest - layer.track.arrived_at < limit_s

    def add(self, layer: Layer) -> None:
        self.layers.append(layer)
        layer.resized = self.sort
        self.sort()

    def sort(self) -> None:
        """Sort the layers by the height of their pictures.

        Where not all heights are known, the first layer offered is the largest (RFC 8853 5.2), unless the heights that
        are known show the reverse order.
        """
        if all(layer.track.size.height for layer in self.layers):
            self.layers.sort(key=lambda layer: layer.track.size.height)
        elif self.rids:
            self.layers.sort(key=lambda layer: self.rids.index(layer.track.rid))
            known = [height for layer in self.layers if (height := layer.track.size.height)]
            if known == sorted(known, reverse=True):
                self.layers.reverse()
