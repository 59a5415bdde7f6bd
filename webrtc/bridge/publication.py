"""A publication: the connection on which a client's tracks come in (WHIP)."""

import logging
from collections.abc import Callable, Iterable

from webrtc.bridge.connection import REPORT_S, Connection, Transport, ntp_now_s
from webrtc.forwarding.layers import Layer, Source
from webrtc.forwarding.track import SourceClock, Track
from webrtc.rtp import rtcp
from webrtc.rtp.packet import HEADER_SIZE, Elements, unwrap_rtx
from webrtc.rtp.transport_cc import Arrivals
from webrtc.sdp.answer import (
    AUDIO_LEVEL_EXTENSION,
    MID_EXTENSION,
    REPAIRED_RID_EXTENSION,
    RID_EXTENSION,
    TRANSPORT_CC_EXTENSION,
    UNVOICED_LEVEL_EXTENSION,
)
from webrtc.sdp.offer import SLIDES, Offer, Section
from webrtc.shared.ids import ClientId, ParticipantId, TrackId
from webrtc.shared.state import LinkState, TrackState
from webrtc.transport.path import Path
from webrtc.transport.srtp import SrtpKeys

logger = logging.getLogger(__name__)

VIDEO_BPS = 2_500_000  # allowed to one source by REMB; without a REMB browsers stay far below
AUDIO_BPS = 100_000
MAX_TRACKS = 16  # of one publication; a receiver report has room for 31 sources
FEEDBACK_S = 0.1  # between two transport-wide feedbacks
FORMER_S = 2.0  # late packets of an SSRC that its sender has left are no sign that it is back, for so long
VOICE_BIT = 0x80  # of an audio level (RFC 6464 3)

# Takes a level in -dBov, whether it is a voice (None: unknown), and when it came.
AudioLevelSink = Callable[[int, bool | None, float], None]


class Publication(Connection):
    """`on_audio_level`: called with the level of each packet of sound."""

    sending = False

    def __init__(
        self,
        *,
        transport: Transport,
        participant: ParticipantId,
        client: ClientId,
        offer: Offer,
        changed: Callable[[], None],
        state_changed: Callable[[], None],
    ) -> None:
        super().__init__(
            transport=transport,
            participant=participant,
            client=client,
            offer=offer,
            changed=changed,
            state_changed=state_changed,
        )
        self.on_audio_level: AudioLevelSink | None = None
        self._sections = {section.mid: section for section in self.answer.sections if not section.rejected}
        self._sources: dict[str, Source] = {}  # by mid
        self._layers: dict[int, Layer] = {}  # by SSRC
        self._repairs: dict[int, Layer] = {}  # by SSRC of the retransmissions
        self._former: dict[int, float] = {}  # SSRCs that the sender has left, and until when their packets do not count
        self._repeated = {rtx: type for section in self._sections.values() for rtx, type in section.rtx.items()}
        self._clock = SourceClock()
        extensions = {uri: id for section in self._sections.values() for uri, id in section.extensions.items()}
        self._mid = extensions.get(MID_EXTENSION, 0)
        self._rid = extensions.get(RID_EXTENSION, 0)
        self._repaired_rid = extensions.get(REPAIRED_RID_EXTENSION, 0)
        self._level = extensions.get(AUDIO_LEVEL_EXTENSION, 0) or extensions.get(UNVOICED_LEVEL_EXTENSION, 0)
        self._voiced = AUDIO_LEVEL_EXTENSION in extensions
        self._transport_cc = extensions.get(TRANSPORT_CC_EXTENSION, 0)
        self._arrivals = Arrivals()
        self._feedback_at = 0.0
        self._report_at = 0.0
        self._firs = 0
        self._lost = False
        self._wanted: tuple[bool, ...] = ()
        self._flowing: tuple[tuple[bool, bool, bool], ...] = ()  # sources: voice, flows, gone

    @property
    def sources(self) -> Iterable[Source]:
        """The sources that have begun to flow."""
        return self._sources.values()

    @property
    def is_screen(self) -> bool:
        """Whether a shared screen is all it sends."""
        return all(section.content == SLIDES for section in self._sections.values())

    @property
    def layers(self) -> Iterable[Layer]:
        return self._layers.values()

    def track_states(self, now: float) -> Iterable[TrackState]:
        for source in self._sources.values():
            for layer in source.layers:
                track = layer.track
                flowing = track.flows(now)
                yield TrackState(
                    id=track.id,
                    kind=track.kind,
                    client=self.client,
                    content=source.content,
                    rid=track.rid,
                    codec=track.codec.name,
                    flowing=flowing,
                    wanted=track.kind == "audio" or layer.wanted(now),
                    width=track.size.width,
                    height=track.size.height,
                    frames_per_s=round(track.frames_per_s, 1) if flowing and track.kind == "video" else 0.0,
                    bitrate_bps=track.bitrate_bps if flowing else 0,
                    packets=track.packets,
                    lost=track.lost,
                    loss=round(track.loss, 4),
                    jitter_ms=round(track.jitter * 1000 / track.codec.clock_rate, 1),
                    freezes=track.freezes,
                )

    # -- Connection

    def ssrcs_for(self, mid: str) -> tuple[int, int]:
        return self.ssrc, self.ssrc

    def opened(self, keys: SrtpKeys, path: Path) -> None:
        pass

    def release(self) -> None:
        for layer in self._layers.values():
            layer.close()

    def receive_rtp(self, packet: bytes, elements: Elements, now: float) -> None:
        if self._transport_cc and (number := elements.get(self._transport_cc)) is not None and len(number) == 2:
            self._arrivals.note(number[0] << 8 | number[1], now)
        ssrc = int.from_bytes(packet[8:12], "big")
        layer = self._layers.get(ssrc)
        if layer is not None:
            if self._level and self.on_audio_level is not None and (level := elements.get(self._level)):
                self.on_audio_level(level[0] & 0x7F, bool(level[0] & VOICE_BIT) if self._voiced else None, now)
            layer.forward(packet, now)
        elif ssrc in self._repairs:
            self._take_repair(self._repairs[ssrc], packet, now)
        elif not (self.note_source(ssrc) and self._bind(packet, elements, now)):
            self.refused += 1

    def receive_rtcp(self, packet: rtcp.Packet, now: float) -> None:
        if isinstance(packet, rtcp.SenderReport) and (layer := self._layers.get(packet.ssrc)) is not None:
            layer.track.take_report(packet, now, ntp_now_s())

    def tick(self, now: float) -> None:
        if not self.connected:
            return
        for layer in self._layers.values():
            layer.tick(now)
        if now >= self._feedback_at:
            self._feedback_at = now + FEEDBACK_S
            self._feed_back()
        if now >= self._report_at and self._layers:
            self._report_at = now + REPORT_S
            self._report(now)
            self._check_wishes(now)
            lost = self.link_state(now) is LinkState.LOST
            if lost != self._lost:
                self._lost = lost
                self.changed()  # its screen leaves the stage, or comes back

    # -- tracks

    def _bind(self, packet: bytes, elements: Elements, now: float) -> bool:
        """Find out what a new SSRC carries, and take its first packet in; False if it was not agreed on."""
        ssrc, payload_type = int.from_bytes(packet[8:12], "big"), packet[1] & 0x7F
        section = self._section_of(ssrc, payload_type, _text(elements, self._mid))
        if section is None or now < self._former.get(ssrc, 0.0):
            return False
        if payload_type in section.rtx:
            return self._bind_repair(section, ssrc, packet, elements, now)
        if len(packet) <= HEADER_SIZE:  # padding alone begins nothing
            return False
        rid = _text(elements, self._rid)
        source = self._sources.get(section.mid)
        layers = source.layers if source is not None else []
        before = next((layer for layer in layers if layer.track.rid == rid), None)
        if before is not None:
            if not self._leaves(before, section, ssrc, now):
                return False
        elif (rid not in section.rids if section.rids else bool(layers)) or len(self._layers) >= MAX_TRACKS:
            return False  # of simulcast each layer comes once, without it one track does
        track = Track(
            id=TrackId("-".join(filter(None, (self.id[:6], section.mid, rid)))),
            kind=section.kind,
            ssrc=ssrc,
            payload_types={codec.payload_type: codec for codec in section.codecs},
            clock=self._clock,
            rid=rid,
        )
        if not track.use(payload_type):
            return False
        if before is not None:
            self._go_on(before, track, now)
            before.forward(packet, now)
            return True
        layer = Layer(track=track, send=self._transport.forwarder.send, ask=self._ask)
        layer.want(now)
        layer.begin(packet)
        self._layers[ssrc] = layer
        if source is None:
            source = self._sources[section.mid] = Source(
                client=self.client, kind=section.kind, content=section.content, rids=section.rids
            )
        source.add(layer)
        self._report_at = 0.0  # allow the full rate at once: a browser's start depends on its first seconds
        self.changed()  # before the packet goes on, so that those who get the track begin with its first keyframe
        layer.forward(packet, now)
        return True

    def _leaves(self, layer: Layer, section: Section, ssrc: int, now: float) -> bool:
        """Whether the sender has left the SSRC of `layer` for `ssrc`, as after a collision (RFC 3550 8.2).

        Not if it uses both at once, as with several that it has declared. Nor if it has left `ssrc` itself.
        """
        together = ssrc in section.remote_ssrcs and layer.track.ssrc in section.remote_ssrcs
        return not (layer.track.flows(now) and (together or ssrc in self._former))

    def _go_on(self, layer: Layer, track: Track, now: float) -> None:
        """Have `layer` go on as `track`, its newest SSRC. Packets of the one before no longer count (RFC 9143 9.2)."""
        left = {layer.track.ssrc} | {ssrc for ssrc, of in self._repairs.items() if of is layer}
        self._former.update(dict.fromkeys(left, now + FORMER_S))
        self._repairs = {ssrc: of for ssrc, of in self._repairs.items() if of is not layer}
        del self._layers[layer.track.ssrc]
        self._former.pop(track.ssrc, None)
        self._layers[track.ssrc] = layer
        layer.go_on(track)
        self._report_at = 0.0
        logger.info("connection %s: track %s goes on with another SSRC", self.label, track.id)

    def _section_of(self, ssrc: int, payload_type: int, mid: str) -> Section | None:
        """By the mid in the packet, else by what the offer declared, else the only section of that payload type.

        Where there are several of that type, one that has declared no SSRC is meant (RFC 9143 9.2).
        """
        if mid:
            return self._sections.get(mid)
        sections = self._sections.values()
        declared = [each for each in sections if ssrc in each.remote_ssrcs or ssrc in each.repairs]
        alike = [
            each
            for each in sections
            if payload_type in each.rtx or any(codec.payload_type == payload_type for codec in each.codecs)
        ]
        for possible in (declared, alike, [each for each in alike if not each.remote_ssrcs]):
            if len(possible) == 1:
                return possible[0]
        return None

    def _bind_repair(self, section: Section, ssrc: int, packet: bytes, elements: Elements, now: float) -> bool:
        source, rid = self._sources.get(section.mid), _text(elements, self._repaired_rid)
        media = section.repairs.get(ssrc)
        if media not in self._layers:  # not declared, or the sender has left the one that was
            media = None
        for layer in source.layers if source is not None else ():
            if layer.track.ssrc == media or (media is None and layer.track.rid == rid):
                self._repairs = {each: of for each, of in self._repairs.items() if of is not layer} | {ssrc: layer}
                self._take_repair(layer, packet, now)
                return True
        return False

    def _take_repair(self, layer: Layer, packet: bytes, now: float) -> None:
        track = layer.track
        payload_type = self._repeated.get(packet[1] & 0x7F, track.payload_type)
        repeated = unwrap_rtx(packet, ssrc=track.ssrc, payload_type=payload_type)
        # A packet that is not missing is here already (browsers probe with such), or of an SSRC that was left.
        if repeated is not None and track.lacks_packet(int.from_bytes(repeated[2:4], "big")):
            layer.forward(repeated, now)

    def _check_wishes(self, now: float) -> None:
        """Follow which layers are wanted, their order, and which sources flow."""
        wanted = []
        for source in self._sources.values():
            source.sort()
            for layer in source.layers:
                layer.track.pause(not layer.wanted(now))
                wanted.append(layer.wanted(now))
        flowing = tuple((each.is_voice, each.flows(now), each.gone(now)) for each in self._sources.values())
        if flowing != self._flowing:
            self._flowing = flowing
            self.changed()
        if tuple(wanted) != self._wanted:
            self._wanted = tuple(wanted)
            self.state_changed()

    # -- to the client

    def _ask(self, track: Track, now: float) -> None:
        """Ask for what the track lacks: packets again, or a keyframe."""
        requests: list[rtcp.Packet] = []
        if track.missing and (lost := track.due_nacks(now)):
            requests.append(rtcp.Nack.of(ssrc=self.ssrc, media=track.ssrc, lost=lost))
        if self._comes(track) and track.keyframe_due(now):
            requests.append(self._keyframe_request(track))
        if requests:
            self.send_rtcp([*self._heading(), *requests])

    def _comes(self, track: Track) -> bool:
        """Whether the track comes: to a request for a layer that it has stopped, a browser answers with all others."""
        return any(
            layer.track is track and source.alive(layer) for source in self._sources.values() for layer in source.layers
        )

    def _keyframe_request(self, track: Track) -> rtcp.Packet:
        if "nack pli" not in track.codec.feedback and "ccm fir" in track.codec.feedback:
            self._firs += 1
            return rtcp.FullIntraRequest(ssrc=self.ssrc, media=track.ssrc, number=self._firs)
        return rtcp.PictureLossIndication(ssrc=self.ssrc, media=track.ssrc)

    def _feed_back(self) -> None:
        media = next(iter(self._layers), 0)
        for feedback in self._arrivals.feedback(self.ssrc, media):
            self.send_rtcp([*self._heading(), feedback])

    def _report(self, now: float) -> None:
        tracks = [layer.track for layer in self._layers.values()]
        for track in tracks:
            track.measure(now)
        blocks = tuple(track.report_block(now) for track in tracks)
        packets = [*self._heading(blocks)]
        if not self._transport_cc:
            kinds = [source.kind for source in self._sources.values()]
            allowed_bps = sum(VIDEO_BPS if kind == "video" else AUDIO_BPS for kind in kinds)
            media = tuple(track.ssrc for track in tracks)
            packets.append(rtcp.MaximumBitrate(ssrc=self.ssrc, bitrate_bps=allowed_bps, media=media))
        self.send_rtcp(packets)

    def _heading(self, blocks: tuple[rtcp.ReportBlock, ...] = ()) -> tuple[rtcp.Packet, ...]:
        """The first packets of a compound packet (RFC 3550 6.1)."""
        return (
            rtcp.ReceiverReport(ssrc=self.ssrc, reports=blocks),
            rtcp.SourceDescription(ssrc=self.ssrc, cname=self.cname),
        )


def _text(elements: Elements, id: int) -> str:
    """An element that holds a name (RFC 7941, RFC 8852); "" where there is none."""
    return elements.get(id, b"").decode("ascii", errors="replace") if id else ""
