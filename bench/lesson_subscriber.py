"""A client that receives: stage, thumbnails and voices, each a slot, with the feedback that Chromium would send."""

import random
from collections import Counter
from collections.abc import Sequence

from bench.lesson_connection import Connection
from bench.lesson_offer import TRANSPORT_CC, AnsweredSection
from bench.lesson_slot import Slot
from bench.lesson_stamp import Stamp
from bench.timetable import Timetable
from webrtc.rtp import rtcp
from webrtc.rtp.transport_cc import Arrivals

FEEDBACK_S = 0.1
REPORT_S = 1.0
NACK_AFTER_S, NACK_EVERY_S = 0.02, 0.1
GIVEN_UP_S = 1.0
RTX_HEADER = 2  # octets: the original sequence number (RFC 4588 4)


class Subscriber:
    """`number`: of its own room in the stamps, -1 for none. `every`: one packet in so many is decrypted.

    Where that is each one, it is checked as a decoder would have it. `latencies_ns`: of those, while `recording`.
    """

    def __init__(self, number: int, connection: Connection, answer: Sequence[AnsweredSection], every: int) -> None:
        self.number = number
        self.connection = connection
        self.slots = [
            Slot(mid=section.mid, kind=section.kind, ssrc=section.ssrcs[0], own=number)
            for section in answer
            if section.ssrcs
        ]
        self.recording = False
        self._every = every
        self._received = 0
        self.latencies_ns: list[int] = []
        self.probes = 0  # padding, on any SSRC
        self.unknown: Counter[int] = Counter()  # packets by SSRCs that the answer did not name
        self._by_ssrc = {slot.ssrc: slot for slot in self.slots}
        self._repairs = {section.ssrcs[1]: self._by_ssrc[section.ssrcs[0]] for section in answer if section.ssrcs[1:]}
        self._counted = any(TRANSPORT_CC in section.extensions for section in answer)
        self._arrivals = Arrivals()
        self._ssrc = random.getrandbits(32)
        self._reports: dict[int, tuple[int, float]] = {}  # sender reports: middle of the NTP time, arrival
        self._reported: dict[int, tuple[int, int]] = {}  # expected and received at the last report

    def start(self, timetable: Timetable, now: float) -> None:
        if self._counted:
            timetable.add(now + random.random() * FEEDBACK_S, self._feedback, FEEDBACK_S)
        timetable.add(now + random.random() * REPORT_S, self._report, REPORT_S)
        timetable.add(now + random.random() * NACK_EVERY_S, self._ask_again, NACK_EVERY_S)

    def receive(self, now: float) -> None:
        """Read all that is there."""
        receive, view, find, every = (
            self.connection.receive,
            self.connection.incoming.view,
            self._by_ssrc.get,
            self._every,
        )
        while size := receive():
            if size < 12 or not 128 <= view[0] < 192:
                continue
            if 192 <= view[1] <= 223:
                self._take_control(size, now)
                continue
            slot = find(view[8] << 24 | view[9] << 16 | view[10] << 8 | view[11])
            self._received += 1
            if slot is None or self._received % every == 0:
                self._open(slot, size, now)
            else:
                self._read_header(0)
                slot.count(view[:size], now)

    def _read_header(self, received_ns: int) -> int:
        """Note the packet for the feedback; where its payload begins. `received_ns`: 0 where not asked for yet."""
        view = self.connection.incoming.view
        if not view[0] & 0x10:
            return 12
        end = 16 + 4 * (view[14] << 8 | view[15])
        if self._counted and (counter := _counter(view, 16, end)) >= 0:
            self._arrivals.note(counter, (received_ns or self.connection.received_ns()) / 1e9)
        return end

    def _open(self, slot: Slot | None, size: int, now: float) -> None:
        """Take a packet with all that is in it. `slot`: None for one that no slot's SSRC has."""
        connection = self.connection
        view = connection.incoming.view
        received_ns = connection.received_ns()
        start = self._read_header(received_ns)
        size = connection.unprotect_rtp(size)
        if not size:
            return
        end = size - view[size - 1] if view[0] & 0x20 else size
        if slot is None:
            self._take_repair(start, end, now)
        elif start >= end:
            self.probes += 1
        else:
            stamp = self._take(slot, view[:end], start, now)
            if self.recording:
                self.latencies_ns.append(received_ns - stamp.sent_ns)

    def _take(self, slot: Slot, packet: memoryview, start: int, now: float) -> Stamp:
        if self._every == 1:
            return slot.take(packet, start, now)
        slot.count(packet, now)
        return slot.read(packet, start)

    def _take_repair(self, start: int, end: int, now: float) -> None:
        """A packet of RFC 4588: put back together, it is the one that was lost."""
        view = self.connection.incoming.view
        ssrc = int.from_bytes(view[8:12], "big")
        slot = self._repairs.get(ssrc)
        if slot is None:
            self.unknown[ssrc] += 1
        elif end - start <= RTX_HEADER or not slot.misses(view[start] << 8 | view[start + 1]):
            self.probes += 1  # padding, or a packet repeated only to see what the link takes
        else:
            packet = bytearray(view[:end])
            packet[2:4] = packet[start : start + RTX_HEADER]
            del packet[start : start + RTX_HEADER]
            self._take(slot, memoryview(packet), start, now)

    def _take_control(self, size: int, now: float) -> None:
        if size := self.connection.unprotect_rtcp(size):
            for packet in rtcp.parse(bytes(self.connection.incoming.view[:size])):
                if isinstance(packet, rtcp.SenderReport):
                    self._reports[packet.ssrc] = packet.ntp >> 16 & 0xFFFFFFFF, now

    # -- to the node

    def _feedback(self, now: float) -> None:
        for feedback in self._arrivals.feedback(self._ssrc, self.slots[0].ssrc):
            self.connection.send_rtcp(feedback.to_bytes())

    def _report(self, now: float) -> None:
        blocks = tuple(self._block(slot, now) for slot in self.slots if slot.packets)
        report = rtcp.ReceiverReport(ssrc=self._ssrc, reports=blocks)
        self.connection.send_rtcp(report.to_bytes())

    def _block(self, slot: Slot, now: float) -> rtcp.ReportBlock:
        last_sr, arrived = self._reports.get(slot.ssrc, (0, now))
        highest_before, lost_before = self._reported.get(slot.ssrc, (slot.highest, 0))
        lost = len(slot.missing)
        self._reported[slot.ssrc] = slot.highest, lost
        expected = slot.highest - highest_before
        return rtcp.ReportBlock(
            ssrc=slot.ssrc,
            fraction_lost=min(255, (lost - lost_before << 8) // expected) if expected > 0 and lost > lost_before else 0,
            lost=lost,
            highest=slot.highest,
            jitter=0,
            last_sr=last_sr,
            delay=int((now - arrived) * 65536),
        )

    def _ask_again(self, now: float) -> None:
        for slot in self.slots:
            if slot.missing:
                due = [number & 0xFFFF for number, at in slot.missing.items() if NACK_AFTER_S <= now - at < GIVEN_UP_S]
                if due:
                    nack = rtcp.Nack.of(ssrc=self._ssrc, media=slot.ssrc, lost=due)
                    self.connection.send_rtcp(nack.to_bytes())


def _counter(view: memoryview, at: int, end: int) -> int:
    """The transport-wide number among the one-byte extensions (RFC 8285 4.2) from `at` to `end`; -1 without one."""
    while at < end and view[at]:
        if view[at] >> 4 == TRANSPORT_CC:
            return view[at + 1] << 8 | view[at + 2]
        at += 2 + (view[at] & 0x0F)
    return -1
