"""A subscription: the connection on which a client gets the others' tracks, each in a slot (WHEP)."""

import asyncio
import random
import secrets
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from time import monotonic

from webrtc.bridge.connection import REPORT_S, Connection, Transport, ntp_now_s
from webrtc.bridge.token_bucket import TokenBucket
from webrtc.estimation.estimate import CAP_BPS, SendEstimate
from webrtc.estimation.probing import Probe
from webrtc.estimation.trial import MOST_BPS
from webrtc.forwarding.engine import Engine
from webrtc.forwarding.layers import Source
from webrtc.forwarding.outlet import Outlet
from webrtc.forwarding.slots import Formats, Slot
from webrtc.rtp import rtcp
from webrtc.rtp.packet import Elements
from webrtc.rtp.transport_cc import TransportFeedback
from webrtc.sdp.answer import SEND_TIME_EXTENSION, TRANSPORT_CC_EXTENSION
from webrtc.sdp.offer import Offer, Section
from webrtc.selection.layer_selection import LayerSelection
from webrtc.shared.ids import ClientId, ParticipantId, TrackId
from webrtc.shared.state import Flow, Role, SlotState, SubscriptionState
from webrtc.transport.path import Path
from webrtc.transport.srtp import SrtpKeys

SLOTS_PER_REPORT = 20  # 56 octets each: a compound packet fits a datagram, and one is enough for a whole display
ALLOCATE_S = 1.0  # between two choices of layers where nothing asks for one
MEASURED_S = 0.5  # the rate that goes out is measured over at least so long: reports may follow each other closely
SPREAD_S = 0.1  # reports of a change that all subscribers have at once go out within so long
LOOK_S = 0.1  # between two checks of what is due
DROP, RISE = 0.95, 1.1  # the layers are chosen again at once when the estimate leaves this range
PAD_S = 0.008  # between two bursts of padding
LOSS_SHARE = 0.3  # of the newest report in the loss that is reported
REPEATS_PER_S = 1000.0  # packets that are sent again; a client that asks for more asks for everything
# Requests for keyframes, of one slot. A keyframe costs all who watch its source some sharpness; a browser asks every
# 0.3 s until it comes.
KEYFRAMES, KEYFRAMES_PER_S = 8, 0.5


@dataclass(slots=True, kw_only=True)
class _Probing:
    """A probe that is being sent. `octets`: how many had been sent before it."""

    probe: Probe
    first: int
    octets: int
    began: float
    timer: asyncio.TimerHandle | None = None


class Subscription(Connection):
    """`slots`: in the order of the offer; the first one for pictures is the stage."""

    sending = True

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
        self._ssrcs: dict[str, tuple[int, int]] = {}
        self._drawn: set[int] = set()
        super().__init__(
            transport=transport,
            participant=participant,
            client=client,
            offer=offer,
            changed=changed,
            state_changed=state_changed,
        )
        sections = [section for section in self.answer.sections if not section.rejected]
        self.outlet = _outlet(transport.engine, sections)
        alike = all(section.extensions for section in sections) or not self.outlet.extension
        self._plain = self.outlet if alike else transport.engine.outlet()  # of sections that agreed on no extension
        self.slots = tuple(self._slot(section, sections) for section in sections)
        self.selection = LayerSelection(self.slots)
        self.round_trip_s: float | None = None
        self.loss = 0.0
        self.jitter_ms = 0.0
        feedback = {each for section in sections for codec in section.codecs for each in codec.feedback}
        numbered = bool(self.outlet.extension) and not self.outlet.timed and "transport-cc" in feedback
        self._estimate: SendEstimate | None = None
        self._numbered = numbered
        self._measurable = numbered  # for REMB: once the first has come
        self._repeats = TokenBucket(most=REPEATS_PER_S, per_s=REPEATS_PER_S)
        self._keyframes = {slot.ssrc: TokenBucket(most=KEYFRAMES, per_s=KEYFRAMES_PER_S) for slot in self.slots}
        self._by_ssrc = {slot.ssrc: slot for slot in self.slots}
        self._shown: list[tuple[Flow, TrackId | None, int]] = []
        now = monotonic()  # each subscriber at a moment of its own: a node has hundreds, and one core
        self._report_at = now + random.uniform(0, REPORT_S)
        self._allocate_at = now + random.uniform(0, ALLOCATE_S)
        self._due = now + random.uniform(0, LOOK_S)
        self._budget_bps = 0
        self._probing: _Probing | None = None
        self._sent = (0.0, 0)  # when it was measured, and octets
        self._octets: list[int] = []  # then, by slot
        self._sent_bps = 0
        self._rates: dict[int, int] = {}  # by SSRC, in bit/s

    def _slot(self, section: Section, sections: list[Section]) -> Slot:
        pictures = [each for each in sections if each.kind == "video"]
        role = Role.VOICE if section.kind == "audio" else Role.STAGE if section is pictures[0] else Role.THUMBNAIL
        ssrc, _ = self.ssrcs_for(section.mid)
        return Slot(
            mid=section.mid,
            kind=section.kind,
            role=role,
            ssrc=ssrc,
            rtx_ssrc=section.local_rtx_ssrc,
            formats=Formats.of(section.codecs, section.rtx),
            outlet=self.outlet if section.extensions else self._plain,
        )

    def assign(self, wanted: Mapping[Slot, Source], now: float) -> None:
        """Have each slot carry its source in `wanted`, and the others nothing."""
        if self.selection.assign(wanted):
            self._allocate(now)

    def layout(self, heights: Mapping[str, int], now: float) -> None:
        """Take the heights of tiles by mid, in pixels; 0 for a hidden one. They count from the next tick on."""
        self.selection.layout(heights)
        self._allocate_at = now  # with the next tick, however often tiles change until then

    def state(self, owners: Mapping[TrackId, ParticipantId]) -> SubscriptionState:
        """`owners`: the participant of each track."""
        return SubscriptionState(
            client=self.client,
            connected=self.connected,
            packets=sum(slot.packets for slot in self.slots),
            estimate_bps=self._estimate.bps if self._estimate is not None and self._measurable else None,
            wanted_bps=self.selection.allocation.wanted_bps,
            sent_bps=self._sent_bps,
            loss=round(self.loss, 4),
            jitter_ms=round(self.jitter_ms, 1),
            round_trip_ms=None if self.round_trip_s is None else round(self.round_trip_s * 1000, 1),
            slots=tuple(_slot_state(slot, self.selection.sources.get(slot), owners) for slot in self.slots),
        )

    # -- Connection

    def ssrcs_for(self, mid: str) -> tuple[int, int]:
        if mid not in self._ssrcs:
            self._ssrcs[mid] = self._draw_ssrc(), self._draw_ssrc()
        return self._ssrcs[mid]

    def _draw_ssrc(self) -> int:
        """One that no other stream of this connection has: two under one key would break SRTP (RFC 3711 9.1)."""
        while (ssrc := secrets.randbits(32)) in self._drawn:
            pass
        self._drawn.add(ssrc)
        return ssrc

    def opened(self, keys: SrtpKeys, path: Path) -> None:
        for outlet in self._outlets:
            outlet.open(keys, path)

    def moved(self, path: Path) -> None:
        for outlet in self._outlets:
            outlet.move(path)

    def receive_rtp(self, packet: bytes, elements: Elements, now: float) -> None:
        self.note_source(int.from_bytes(packet[8:12], "big"))
        self.refused += 1  # a subscriber sends no media

    def receive_rtcp(self, packet: rtcp.Packet, now: float) -> None:
        match packet:
            case TransportFeedback():
                if self._estimate is not None and self._numbered:
                    self._estimate.on_feedback(packet, self.outlet, now)
                    self._look(now)
            case rtcp.ReceiverReport() | rtcp.SenderReport():
                self._take_report(packet.reports, now)
            case rtcp.Nack():
                self._repeat(packet, now)
            case rtcp.PictureLossIndication() | rtcp.FullIntraRequest():
                slot = self._by_ssrc.get(packet.media)
                if slot is not None and slot.route is not None and slot.carrier is not None and not slot.still:
                    if self._keyframes[slot.ssrc].take(now):
                        slot.carrier.want_keyframe(now)
            case rtcp.MaximumBitrate():
                if self._estimate is not None and not self._numbered:
                    self._measurable = True
                    self._estimate.on_remb(packet, self._rates, self._sent_bps, now)
                    self._look(now)

    def tick(self, now: float) -> None:
        if not self.connected or now < self._due:
            return
        self._due = now + LOOK_S
        if self._estimate is None:
            trend = self._transport.engine.trendline()
            self._estimate = SendEstimate(transport_cc=self._numbered, now=now, trend=trend)
        self._estimate.tick(self._estimate.last_sent(self.outlet), now)
        self._look(now)
        self._probe(now)
        if now >= self._allocate_at or self.selection.starved():
            self._allocate(now)
        shown = [_gist(slot) for slot in self.slots]
        if shown != self._shown:
            self._shown = shown
            self._report_at = min(self._report_at, now + random.uniform(0, SPREAD_S))
            self.state_changed()
        if now >= self._report_at:
            self._report_at = now + REPORT_S
            self._measure(now)
            self._report()

    def closed(self) -> None:
        if self._probing is not None and self._probing.timer is not None:
            self._probing.timer.cancel()
        self._probing = None

    # -- the link

    @property
    def _outlets(self) -> Collection[Outlet]:
        return {self.outlet, self._plain}

    @property
    def _sent_octets(self) -> int:
        return sum(outlet.octets for outlet in self._outlets)

    @property
    def budget_bps(self) -> int:
        """The rate that may be sent; the maximum where the client sends nothing to estimate by."""
        return self._estimate.bps if self._estimate is not None and self._measurable else CAP_BPS

    @property
    def _trial_bps(self) -> int:
        return self._estimate.trial.bps if self._estimate is not None else MOST_BPS

    def _look(self, now: float) -> None:
        moved = not self._budget_bps * DROP <= self.budget_bps <= self._budget_bps * RISE
        if moved or self.selection.trial_bps > self._trial_bps:
            self._allocate(now)

    def _allocate(self, now: float) -> None:
        self._allocate_at = now + ALLOCATE_S
        self._budget_bps = self.budget_bps
        self.selection.allocate(self._budget_bps, now, trial_bps=self._trial_bps)
        if self._estimate is not None:
            self._estimate.trial.running = self.selection.trial_bps > 0

    def _probe(self, now: float) -> None:
        """Begin the probe that the estimate asks for, if any."""
        if self._probing is not None or self._estimate is None:
            return
        probe = self._estimate.probe(self.selection.allocation.wanted_bps, now)
        if probe is not None:
            self._probing = _Probing(probe=probe, first=self.outlet.sequence, octets=self.outlet.octets, began=now)
            self._pad()

    def _pad(self) -> None:
        """Send one burst of the probe, or end it."""
        probing = self._probing
        if probing is None or self._estimate is None:
            return
        now = monotonic()
        elapsed = now - probing.began
        # Also by a slot that carries nothing: a picture that rests comes back only by a probe.
        able = [slot for slot in self.slots if slot.rtx_ssrc is not None]
        slot = next((slot for slot in able if slot.route is not None), able[0] if able else None)
        due = int(min(elapsed + PAD_S, probing.probe.duration_s) * probing.probe.target_bps / 8)
        while slot is not None and self.outlet.octets - probing.octets < due:
            if not self._transport.forwarder.pad(slot, now):
                slot = None
        if elapsed < probing.probe.duration_s and slot is not None:
            probing.timer = asyncio.get_running_loop().call_later(PAD_S, self._pad)
            return
        self._probing = None
        last = self.outlet.sequence - 1
        self._estimate.probe_sent(probing.probe, probing.first & 0xFFFF, last & 0xFFFF, now)

    # -- from and to the client

    def _take_report(self, blocks: tuple[rtcp.ReportBlock, ...], now: float) -> None:
        ours = [block for block in blocks if block.ssrc in self._by_ssrc]
        for block in ours:
            if block.last_sr:
                arrival = int(ntp_now_s() * 65536) & 0xFFFFFFFF
                round_trip = (arrival - block.last_sr - block.delay) & 0xFFFFFFFF  # RFC 3550 6.4.1
                if round_trip < 1 << 22:  # a minute; more is a wrong or negative value
                    self.round_trip_s = round_trip / 65536
        live = [block for block in ours if self._by_ssrc[block.ssrc].route is not None]
        if not live:
            return
        fraction = sum(block.fraction_lost for block in live) / len(live) / 256
        self.loss += (fraction - self.loss) * LOSS_SHARE
        self.jitter_ms = max(block.jitter * 1000 / self._by_ssrc[block.ssrc].clock_rate for block in live)
        if self._estimate is not None:
            wanted_bps = self.selection.allocation.wanted_bps
            self._estimate.on_loss(fraction, self.round_trip_s, self._sent_bps, wanted_bps, now)
            self._look(now)

    def _repeat(self, nack: rtcp.Nack, now: float) -> None:
        slot = self._by_ssrc.get(nack.media)
        if slot is None:
            return
        for sequence in nack.lost:
            if not self._repeats.take(now):
                return
            found = slot.find(sequence, now)
            if found is not None:
                route, number = found
                self._transport.forwarder.repeat(slot, route, number, now)

    def _measure(self, now: float) -> None:
        at, octets = self._sent
        if now - at < MEASURED_S:
            return
        of_slots = [slot.octets for slot in self.slots]
        if at:
            self._sent_bps = round((self._sent_octets - octets) * 8 / (now - at))
            for slot, before, count in zip(self.slots, self._octets, of_slots, strict=True):
                self._rates[slot.ssrc] = round((count - before) * 8 / (now - at))
        if self._estimate is not None and self._plain is not self.outlet:
            self._estimate.beside_bps = sum(
                self._rates.get(slot.ssrc, 0) for slot in self.slots if slot.outlet is self._plain
            )
        self._sent, self._octets = (now, self._sent_octets), of_slots

    def _report(self) -> None:
        ntp_s = ntp_now_s()
        reports = [report for slot in self.slots if (report := slot.report(ntp_s)) is not None]
        for start in range(0, len(reports), SLOTS_PER_REPORT):
            some = reports[start : start + SLOTS_PER_REPORT]
            names = [rtcp.SourceDescription(ssrc=report.ssrc, cname=self.cname) for report in some]
            self.send_rtcp([*some, *names])


def _outlet(engine: Engine, sections: list[Section]) -> Outlet:
    """An outlet that numbers its packets, or says when each was sent, as was agreed."""
    extensions = {uri: id for section in sections for uri, id in section.extensions.items()}
    return engine.outlet(
        transport_cc=extensions.get(TRANSPORT_CC_EXTENSION, 0), send_time=extensions.get(SEND_TIME_EXTENSION, 0)
    )


def _gist(slot: Slot) -> tuple[Flow, TrackId | None, int]:
    """The part of a slot that is news: not its route, which a reduced slot changes all the time."""
    route = slot.route
    if route is None or slot.still:
        return slot.flow, None, 0
    return slot.flow, route.track.id, route.payload_type


def _slot_state(slot: Slot, source: Source | None, owners: Mapping[TrackId, ParticipantId]) -> SlotState:
    track = slot.route.track if slot.route is not None else None
    resting = source is not None and slot.flow in (Flow.STILL, Flow.PAUSED)
    shown = source.layers[0].track if track is None and source is not None and resting else track
    return SlotState(
        mid=slot.mid,
        kind=slot.kind,
        role=slot.role,
        flow=slot.flow if track is None or slot.still else Flow.LIVE,
        source=owners.get(shown.id) if shown is not None else None,
        track=track.id if track is not None else None,
        height=track.size.height if track is not None else 0,
        bitrate_bps=track.bitrate_bps if track is not None else 0,
    )
