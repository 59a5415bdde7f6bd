"""A subscription: the connection on which a client gets the others' tracks, each in a slot (WHEP)."""

import secrets
from collections.abc import Callable, Mapping

from webrtc import rtcp
from webrtc.connection import REPORT_S, Connection, Transport, ntp_now_s
from webrtc.dtls import SrtpKeys
from webrtc.forward import Fanout, Outlet
from webrtc.ids import ClientId, ParticipantId
from webrtc.path import Path
from webrtc.sdp import Offer
from webrtc.slots import Route, Slot
from webrtc.state import Flow, Role, SlotState, SubscriptionState
from webrtc.track import Track

SLOTS_PER_REPORT = 10  # so that a compound packet stays within a datagram


class Subscription(Connection):
    """`slots`: in the order of the offer."""

    sending = True

    def __init__(
        self,
        *,
        transport: Transport,
        participant: ParticipantId,
        client: ClientId,
        offer: Offer,
        changed: Callable[[], None],
    ) -> None:
        self._ssrcs: dict[str, int] = {}
        super().__init__(transport=transport, participant=participant, client=client, offer=offer, changed=changed)
        self.outlet = Outlet()
        self.slots = tuple(
            Slot(
                mid=section.mid,
                kind=section.kind,
                ssrc=self.ssrc_for(section.mid),
                payload_types={codec.name: codec.payload_type for codec in reversed(section.codecs)},
                outlet=self.outlet,
            )
            for section in self.answer.sections
            if not section.rejected
        )
        self.round_trip_s: float | None = None
        self._by_ssrc = {slot.ssrc: slot for slot in self.slots}
        self._fanouts: dict[Slot, Fanout] = {}
        self._shown: list[Route | None] = []
        self._report_at = 0.0

    def assign(self, wanted: Mapping[Slot, Fanout], now: float) -> None:
        """Have each slot carry what it is given in `wanted`, and the others nothing."""
        for slot in self.slots:
            before, after = self._fanouts.get(slot), wanted.get(slot)
            if before is after:
                continue
            if before is not None:
                before.remove(slot)
                del self._fanouts[slot]
            if after is not None:
                self._fanouts[slot] = after
                after.add(slot, now)

    @property
    def assigned(self) -> Mapping[Slot, Fanout]:
        """The fan-out that each slot was given."""
        return self._fanouts

    def state(self, owners: Mapping[Track, ParticipantId]) -> SubscriptionState:
        """`owners`: whose each track is."""
        return SubscriptionState(
            client=self.client,
            connected=self.connected,
            packets=sum(slot.packets for slot in self.slots),
            estimate_bps=None,
            sent_bps=0,
            loss=0.0,
            jitter_ms=0.0,
            round_trip_ms=None if self.round_trip_s is None else round(self.round_trip_s * 1000, 1),
            slots=tuple(
                SlotState(
                    mid=slot.mid,
                    kind=slot.kind,
                    role=Role.VOICE if slot.kind == "audio" else Role.STAGE,
                    flow=Flow.NONE if slot.route is None else Flow.LIVE,
                    source=owners.get(slot.route.track) if slot.route is not None else None,
                    track=slot.route.track.id if slot.route is not None else None,
                    height=0,
                    bitrate_bps=0,
                )
                for slot in self.slots
            ),
        )

    # -- Connection

    def ssrc_for(self, mid: str) -> int:
        return self._ssrcs.setdefault(mid, secrets.randbits(32))

    def opened(self, keys: SrtpKeys, path: Path) -> None:
        self.outlet.open(keys, path)

    def moved(self, path: Path) -> None:
        self.outlet.sendto, self.outlet.address = path

    def receive_rtp(self, packet: bytes, now: float) -> None:
        self.refused += 1  # a subscriber sends no media

    def receive_rtcp(self, packet: rtcp.Packet, now: float) -> None:
        match packet:
            case rtcp.ReceiverReport() | rtcp.SenderReport():
                self._take_report(packet.reports)
            case rtcp.Nack():
                self._repeat(packet, now)
            case rtcp.PictureLossIndication() | rtcp.FullIntraRequest():
                slot = self._by_ssrc.get(packet.media)
                if slot is not None and (fanout := self._fanouts.get(slot)) is not None:
                    fanout.want_keyframe(now)

    def tick(self, now: float) -> None:
        if not self.connected:
            return
        shown = [slot.route for slot in self.slots]
        if shown != self._shown:
            self._shown = shown
            self._report_at = now
            self.changed()
        if now >= self._report_at:
            self._report_at = now + REPORT_S
            self._report()

    # -- from and to the client

    def _take_report(self, blocks: tuple[rtcp.ReportBlock, ...]) -> None:
        for block in blocks:
            if block.ssrc in self._by_ssrc and block.last_sr:
                arrival = int(ntp_now_s() * 65536) & 0xFFFFFFFF
                round_trip = (arrival - block.last_sr - block.delay) & 0xFFFFFFFF  # RFC 3550 6.4.1
                if round_trip < 1 << 22:  # a minute; more is a wrong or negative value
                    self.round_trip_s = round_trip / 65536

    def _repeat(self, nack: rtcp.Nack, now: float) -> None:
        slot = self._by_ssrc.get(nack.media)
        if slot is None:
            return
        for sequence in nack.lost:
            found = slot.find(sequence, now)
            if found is not None:
                route, number = found
                self._transport.forwarder.repeat(route, number)

    def _report(self) -> None:
        ntp_s = ntp_now_s()
        reports = [report for slot in self.slots if (report := slot.report(ntp_s)) is not None]
        for start in range(0, len(reports), SLOTS_PER_REPORT):
            some = reports[start : start + SLOTS_PER_REPORT]
            names = [rtcp.SourceDescription(ssrc=report.ssrc, cname=self.cname) for report in some]
            self.send_rtcp([*some, *names])
