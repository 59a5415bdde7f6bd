"""A publication: the connection on which a client's tracks come in (WHIP)."""

from collections.abc import Callable, Iterable

from webrtc import rtcp
from webrtc.connection import REPORT_S, Connection, Transport, ntp_now_s
from webrtc.dtls import SrtpKeys
from webrtc.forward import Fanout
from webrtc.ids import ClientId, ParticipantId, TrackId
from webrtc.path import Path
from webrtc.sdp import Codec, Offer, Section
from webrtc.state import TrackState
from webrtc.track import SourceClock, Track

VIDEO_BPS = 1_500_000  # what one source may send; without being told, browsers stay far below
AUDIO_BPS = 100_000
MAX_TRACKS = 16  # of one publication; a receiver report has room for 31 sources


class Publication(Connection):
    """`fanouts`: the client's tracks that have begun to flow."""

    sending = False

    def __init__(
        self,
        *,
        transport: Transport,
        participant: ParticipantId,
        client: ClientId,
        offer: Offer,
        changed: Callable[[], None],
    ) -> None:
        super().__init__(transport=transport, participant=participant, client=client, offer=offer, changed=changed)
        self.fanouts: list[Fanout] = []
        self._by_ssrc: dict[int, Fanout] = {}
        self._unbound = [section for section in self.answer.sections if not section.rejected]
        self._clock = SourceClock()
        self._report_at = 0.0
        self._firs = 0

    def track_states(self, now: float) -> Iterable[TrackState]:
        for track in (fanout.track for fanout in self.fanouts):
            yield TrackState(
                id=track.id,
                kind=track.kind,
                client=self.client,
                content="main",
                rid="",
                codec=track.codec.name,
                flowing=track.flows(now),
                wanted=True,
                width=0,
                height=0,
                frames_per_s=0.0,
                bitrate_bps=track.bitrate_bps if track.flows(now) else 0,
                packets=track.packets,
                lost=track.lost,
                loss=0.0,
                jitter_ms=round(track.jitter * 1000 / track.codec.clock_rate, 1),
                freezes=0,
            )

    # -- Connection

    def ssrc_for(self, mid: str) -> int:
        return self.ssrc

    def opened(self, keys: SrtpKeys, path: Path) -> None:
        pass

    def receive_rtp(self, packet: bytes, now: float) -> None:
        fanout = self._by_ssrc.get(int.from_bytes(packet[8:12], "big")) or self._bind(packet)
        if fanout is None:
            self.refused += 1
            return
        fanout.forward(packet, now)

    def receive_rtcp(self, packet: rtcp.Packet, now: float) -> None:
        if isinstance(packet, rtcp.SenderReport) and (fanout := self._by_ssrc.get(packet.ssrc)) is not None:
            fanout.track.take_report(packet, now, ntp_now_s())

    def tick(self, now: float) -> None:
        if not self.connected:
            return
        for fanout in self.fanouts:
            self._ask(fanout.track, now)
        if now >= self._report_at and self.fanouts:
            self._report_at = now + REPORT_S
            self._report(now)

    # -- tracks

    def _bind(self, packet: bytes) -> Fanout | None:
        """The track of a source not heard before: declared in the offer, or else the only one of its payload type."""
        ssrc, payload_type = int.from_bytes(packet[8:12], "big"), packet[1] & 0x7F
        declared = [section for section in self._unbound if ssrc in section.remote_ssrcs]
        possible = declared or [
            section
            for section in self._unbound
            if not section.remote_ssrcs and any(codec.payload_type == payload_type for codec in section.codecs)
        ]
        if len(possible) != 1 or len(self.fanouts) >= MAX_TRACKS:
            return None
        [section] = possible
        track = Track(
            id=TrackId(f"{self.id[:6]}-{section.mid}"),
            kind=section.kind,
            ssrc=ssrc,
            payload_types=_by_payload_type(section),
            clock=self._clock,
        )
        if not track.use(payload_type):
            return None
        self._unbound.remove(section)
        fanout = Fanout(track=track, forwarder=self._transport.forwarder, ask=self._ask)
        self._by_ssrc[ssrc] = fanout
        self.fanouts.append(fanout)
        self._report_at = 0.0  # allow the full rate at once: a browser's first seconds decide how it starts
        self.changed()  # before the packet goes on, so that those who get the track begin with its first keyframe
        return fanout

    # -- to the client

    def _ask(self, track: Track, now: float) -> None:
        """Ask for what the track lacks: packets again, or a keyframe."""
        requests: list[rtcp.Packet] = []
        if track.missing and (lost := track.due_nacks(now)):
            requests.append(rtcp.Nack(ssrc=self.ssrc, media=track.ssrc, lost=lost))
        if track.keyframe_due(now):
            requests.append(self._keyframe_request(track))
        if requests:
            self.send_rtcp([*self._heading(), *requests])

    def _keyframe_request(self, track: Track) -> rtcp.Packet:
        if "nack pli" not in track.codec.feedback and "ccm fir" in track.codec.feedback:
            self._firs += 1
            return rtcp.FullIntraRequest(ssrc=self.ssrc, media=track.ssrc, number=self._firs)
        return rtcp.PictureLossIndication(ssrc=self.ssrc, media=track.ssrc)

    def _report(self, now: float) -> None:
        tracks = [fanout.track for fanout in self.fanouts]
        for track in tracks:
            track.measure(now)
        blocks = tuple(track.report_block(now) for track in tracks)
        allowed_bps = sum(VIDEO_BPS if track.kind == "video" else AUDIO_BPS for track in tracks)
        limit = rtcp.MaximumBitrate(
            ssrc=self.ssrc, bitrate_bps=allowed_bps, media=tuple(track.ssrc for track in tracks)
        )
        self.send_rtcp([*self._heading(blocks), limit])

    def _heading(self, blocks: tuple[rtcp.ReportBlock, ...] = ()) -> tuple[rtcp.Packet, ...]:
        """What a compound packet begins with (RFC 3550 6.1)."""
        return (
            rtcp.ReceiverReport(ssrc=self.ssrc, reports=blocks),
            rtcp.SourceDescription(ssrc=self.ssrc, cname=self.cname),
        )


def _by_payload_type(section: Section) -> dict[int, Codec]:
    return {codec.payload_type: codec for codec in section.codecs}
