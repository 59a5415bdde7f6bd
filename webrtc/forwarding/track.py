"""A track: one audio or video flow as it comes in; a simulcast layer is one. It is measured, repaired and kept here.

Pure: packets and times go in, and requests to the sender come out. All times are seconds of one monotonic clock.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from webrtc.estimation.windowed_min import WindowedMin
from webrtc.rtp.packet import HEADER_SIZE, extend
from webrtc.rtp.rtcp import ReportBlock, SenderReport
from webrtc.rtp.sequence_header import UNKNOWN_SIZE, Size
from webrtc.sdp.offer import Codec, Kind
from webrtc.shared.ids import TrackId

HISTORY = {"video": 1024, "audio": 128}  # packets kept to answer retransmission requests: about a second, or more
MAX_GAP = 100  # packets; a longer gap is not asked for again but bridged by a keyframe
MAX_MISSING = 256  # packets asked for at once
NEAR = 16  # packets that are looked through for one that is more than padding
REORDER_S = 0.02  # a packet may be late by so much before it is asked for
NACK_AGAIN_S = 0.1
MAX_NACKS = 10
KEYFRAME_INTERVAL_S = 0.5  # at most one request per interval for all who want a keyframe; asked again until it comes
FLOWING_S = 2.0  # a track without packets for so long does not flow
FREEZE_S = 0.5  # a gap between two pictures that people see
DELAY_S = 30.0  # the least delay counts for one to two times so long
STEADY_SHARE = 0.25  # of the newest second in the rate by which layers are chosen
LOSS_SHARE = 0.3  # of the newest second in the loss that is reported


@dataclass(slots=True)
class _Missing:
    due: float
    asked: int = 0


class SourceClock:
    """How far the node's clock is ahead of a source's. One for all tracks of a source.

    The sender report that was delayed least in the last while shows it: networks make a report late, never early.
    """

    WINDOW_S = 30.0  # the least delayed report of one to two windows counts; a drift of 100 ppm makes 6 ms in that time
    STEP_S = 10.0  # a larger change is no delay: the source's clock was set

    def __init__(self) -> None:
        self.offset_s: float | None = None
        self._least = WindowedMin(self.WINDOW_S)

    def take(self, report: SenderReport, ntp_s: float) -> None:
        """`ntp_s`: when `report` came in, in seconds since 1900."""
        offset_s = ntp_s - report.ntp / (1 << 32)
        if self.offset_s is None or abs(offset_s - self.offset_s) > self.STEP_S:
            self._least = WindowedMin(self.WINDOW_S)
        self._least.take(offset_s, ntp_s)
        self.offset_s = self._least.value


class Track:
    """`payload_types`: the codecs that the sender may use, by payload type. `payload_type`: the one that it uses now.

    `rid`: which simulcast layer it is, "" without simulcast.
    """

    def __init__(
        self,
        *,
        id: TrackId,
        kind: Kind,
        ssrc: int,
        payload_types: Mapping[int, Codec],
        clock: SourceClock,
        rid: str = "",
    ) -> None:
        self.id = id
        self.rid = rid
        self.kind: Kind = kind
        self.ssrc = ssrc
        self.clock = clock
        self.payload_types = payload_types
        self.payload_type = -1
        self.codec = next(iter(payload_types.values()))
        self.packets = 0
        self.octets = 0
        self.highest = -1  # extended sequence number; -1 before the first packet
        self.timestamp = 0  # of the packet with the highest number that has a payload
        self.arrived_at = 0.0  # when that packet came
        self.first = 0
        self.jitter = 0.0  # in units of the RTP clock
        self.missing: dict[int, _Missing] = {}
        self.nack_due = 0.0  # the earliest time at which `due_nacks` may have something
        self._numbers = [-1] * HISTORY[kind]
        self._history = [b""] * HISTORY[kind]
        self._report: SenderReport | None = None
        self._report_at = 0.0
        self._delay = WindowedMin(DELAY_S)  # from capture to arrival; the node's two clocks have no common zero
        self._reported = (0, 0)  # expected and received at the last report block
        self.size = UNKNOWN_SIZE  # of the last keyframe
        self.temporal_layers = 1  # seen
        self.frames = 0
        self.freezes = 0
        self._paused = self._excused = False  # the gap before the next picture is no freeze
        self.bitrate_bps = 0
        self.steady_bps = 0  # what it takes in the long run: over some seconds, without keyframes; 0 while not known
        self.frames_per_s = 0.0
        self.loss = 0.0  # before repair, 0 to 1, over the last seconds
        self._late = 0  # packets that came after a newer one: in time for the picture, but the link had lost them
        # At the last `measure`: when; octets, frames, numbers expected, packets in order.
        self._measured = (0.0, 0, 0, 0, 0)
        self._flowed = False  # at the last `measure`
        self._keyframe, self._keyframe_octets = -1, 0
        self._keyframes, self._keyframe_at = 0, -1  # since then, and the timestamp of the last one
        self._keyframe_wanted = False
        self._keyframe_asked_at = -KEYFRAME_INTERVAL_S

    # -- packets

    def receive(self, packet: bytes, sequence: int, timestamp: int, now: float) -> int:
        """Count and keep a plain packet; return its extended sequence number."""
        highest = self.highest
        if highest < 0:
            number = self.first = sequence + 0x10000  # room below, for packets that come before the first one
            self.arrived_at, self.timestamp = now, timestamp
        else:
            number = extend(sequence, highest)
        if number > highest:
            if number > highest + 1 and highest >= 0:
                self._miss(highest + 1, number, now)
            if len(packet) > HEADER_SIZE:  # padding alone is no sign of a picture or a sound
                gap_s = now - self.arrived_at
                advance = (timestamp - self.timestamp) & 0xFFFFFFFF
                if advance:
                    self.frames += 1
                    if gap_s > FREEZE_S and self.kind == "video" and not self._excused:
                        self.freezes += 1
                    self._excused = self._paused
                change = abs(
                    gap_s * self.codec.clock_rate - (advance if advance < 0x80000000 else advance - 0x100000000)
                )
                self.jitter += (change - self.jitter) / 16  # RFC 3550 A.8
                self.timestamp = timestamp
                self.arrived_at = now
            self.highest = number
        else:
            self._late += 1
            self.missing.pop(number, None)
        self.packets += 1
        self.octets += len(packet)
        at = number % len(self._numbers)
        self._numbers[at] = number
        self._history[at] = packet
        return number

    def use(self, payload_type: int) -> bool:
        """Note that packets now have that payload type; False if it was not agreed on."""
        codec = self.payload_types.get(payload_type)
        if codec is None:
            return False
        self.payload_type, self.codec = payload_type, codec
        return True

    def go_on_from(self, before: "Track") -> None:
        """Take over the measurements of `before`: this track is the same picture or sound under another SSRC."""
        self.size, self.temporal_layers = before.size, before.temporal_layers
        self.bitrate_bps, self.steady_bps = before.bitrate_bps, before.steady_bps
        self.frames_per_s, self.loss = before.frames_per_s, before.loss
        self._paused, self._excused = before._paused, before._excused

    def codec_of(self, packet: bytes) -> Codec:
        """The codec of a packet of this track; `codec` is that of the newest one."""
        return self.payload_types.get(packet[1] & 0x7F, self.codec)

    def packet(self, number: int) -> bytes | None:
        """The plain packet of an extended sequence number, while it is kept."""
        at = number % len(self._numbers)
        return self._history[at] if self._numbers[at] == number else None

    def shown(self, number: int) -> int:
        """The number of the packet itself, or of the one before it that is more than padding, if that is near."""
        for back in range(number, number - NEAR, -1):
            packet = self.packet(back)
            if packet is None or len(packet) > HEADER_SIZE:
                return back
        return number

    def forget_packets(self) -> None:
        """Let go of the packets that are kept: about a megabyte of a picture."""
        self._numbers = [-1] * len(self._numbers)
        self._history = [b""] * len(self._history)

    def is_new(self, sequence: int) -> bool:
        """Whether a packet of that 16-bit number is not here yet; False as well where it is too old to know."""
        if self.highest < 0:
            return True
        number = extend(sequence, self.highest)
        if number > self.highest:
            return True
        return number > self.highest - len(self._numbers) and self._numbers[number % len(self._numbers)] != number

    def is_late(self, sequence: int) -> bool:
        """Whether a newer packet than the one of that 16-bit number has come."""
        return self.highest >= 0 and extend(sequence, self.highest) <= self.highest

    def lacks_packet(self, sequence: int) -> bool:
        """Whether the packet of that 16-bit number is missing, as far as the packets that came show."""
        return extend(sequence, self.highest) in self.missing

    def pause(self, paused: bool) -> None:
        """Note whether nobody wants it, so that its sender may stop it: the gap up to the next picture is no freeze."""
        self._paused = paused
        self._excused |= paused

    def flows(self, now: float) -> bool:
        return self.highest >= 0 and now - self.arrived_at < FLOWING_S

    # -- retransmission

    def _miss(self, start: int, end: int, now: float) -> None:
        if end - start > MAX_GAP or len(self.missing) + end - start > MAX_MISSING:
            self.missing.clear()
            self.want_keyframe()
            return
        if "nack" not in self.codec.feedback:
            return
        if not self.missing:
            self.nack_due = now + REORDER_S
        for number in range(start, end):
            self.missing[number] = _Missing(due=now + REORDER_S)

    def due_nacks(self, now: float) -> tuple[int, ...]:
        """The 16-bit sequence numbers to ask for now. Each is asked for again after a while, a few times."""
        due = []
        oldest = self.highest - len(self._numbers)
        for number, missing in list(self.missing.items()):
            if missing.asked >= MAX_NACKS or number <= oldest:
                del self.missing[number]
            elif missing.due <= now:
                missing.asked += 1
                missing.due = now + NACK_AGAIN_S
                due.append(number & 0xFFFF)
        self.nack_due = min((missing.due for missing in self.missing.values()), default=now)
        return tuple(due)

    @property
    def lacks(self) -> bool:
        """Whether there is something to ask the sender for, now or later."""
        return self._keyframe_wanted or bool(self.missing)

    # -- keyframes

    def want_keyframe(self) -> None:
        """Note that somebody cannot go on without a keyframe. The wishes of many become one request."""
        self._keyframe_wanted = self.kind == "video"

    def keyframe_due(self, now: float) -> bool:
        """Whether to ask the sender for a keyframe now; counts as asked."""
        if not self._keyframe_wanted or now - self._keyframe_asked_at < KEYFRAME_INTERVAL_S:
            return False
        self._keyframe_asked_at = now
        return True

    def keyframe_seen(self, number: int, size: Size) -> None:
        """`number`: extended, of its first packet."""
        self._keyframe_wanted = False
        self._keyframe = number
        if self.timestamp != self._keyframe_at:
            self._keyframe_at = self.timestamp
            self._keyframes += 1
        if size != UNKNOWN_SIZE:
            self.size = size

    @property
    def keyframe_octets(self) -> int:
        """How many octets the last keyframe has, as far as it has come; 0 before the first one."""
        first = self.packet(self._keyframe) if self._keyframe >= 0 else None
        if first is not None:
            packet: bytes | None = first
            self._keyframe_octets, number = 0, self._keyframe
            while packet is not None and packet[4:8] == first[4:8]:
                self._keyframe_octets += len(packet)
                number += 1
                packet = self.packet(number)
            if packet is not None:
                self._keyframe = -1  # that was the last packet of it
        return self._keyframe_octets

    # -- reports

    @property
    def lost(self) -> int:
        """Packets expected and not received, after repair (RFC 3550 A.3)."""
        return self.highest - self.first + 1 - self.packets if self.packets else 0

    @property
    def report(self) -> SenderReport | None:
        """The sender's last report."""
        return self._report

    def captured_s(self, timestamp: int) -> float | None:
        """When the frame of that timestamp was captured, in seconds since 1900 on the node's clock; None if unknown."""
        if self._report is None or self.clock.offset_s is None:
            return None
        ticks = (timestamp - self._report.rtp + 0x80000000 & 0xFFFFFFFF) - 0x80000000
        return self._report.ntp / (1 << 32) + self.clock.offset_s + ticks / self.codec.clock_rate

    def late_s(self, timestamp: int, at: float) -> float:
        """How much later than the fastest the frame of that timestamp came, if it came `at`; 0.0 if unknown."""
        captured_s = self.captured_s(timestamp)
        return 0.0 if captured_s is None else max(0.0, at - captured_s - self._delay.value)

    def take_report(self, report: SenderReport, now: float, ntp_s: float) -> None:
        self._report, self._report_at = report, now
        self.clock.take(report, ntp_s)
        captured_s = self.captured_s(self.timestamp)
        if captured_s is not None and self.packets:
            self._delay.take(self.arrived_at - captured_s, now)

    def report_block(self, now: float) -> ReportBlock:
        """The report to the sender (RFC 3550 6.4.1); counts the loss since the last one."""
        expected = self.highest - self.first + 1 if self.packets else 0
        expected_before, received_before = self._reported
        self._reported = expected, self.packets
        interval = expected - expected_before
        lost = interval - (self.packets - received_before)
        return ReportBlock(
            ssrc=self.ssrc,
            fraction_lost=min(255, (lost << 8) // interval) if interval > 0 and lost > 0 else 0,
            lost=self.lost,
            highest=self.highest & 0xFFFFFFFF if self.packets else 0,
            jitter=int(self.jitter),
            last_sr=self._report.ntp >> 16 & 0xFFFFFFFF if self._report else 0,
            delay=int((now - self._report_at) * 65536) & 0xFFFFFFFF if self._report else 0,
        )

    def measure(self, now: float) -> None:
        """Set the rates and `loss` by what has come since the last call."""
        before, octets, frames, expected, ordered = self._measured
        numbers = self.highest - self.first + 1 if self.packets else 0
        in_order = self.packets - self._late
        if before and now > before:
            seconds = now - before
            self.bitrate_bps = round((self.octets - octets) * 8 / seconds)
            self.frames_per_s = (self.frames - frames) / seconds
            if self._flowed and self.octets > octets:  # else it began or ended in between
                self._steady((self.octets - octets) * 8, seconds)
            if numbers > expected:
                lost = max(0.0, 1 - (in_order - ordered) / (numbers - expected))
                self.loss += (lost - self.loss) * LOSS_SHARE
        self._measured = now, self.octets, self.frames, numbers, in_order
        self._flowed, self._keyframes = self.flows(now), 0

    def _steady(self, bits: int, seconds: float) -> None:
        """Smooth the rate: a keyframe, or half a second, must not change the layer, as that costs another keyframe."""
        plain_bps = max(0, bits - self._keyframes * self.keyframe_octets * 8) / seconds
        share = STEADY_SHARE if self.steady_bps else 1.0
        self.steady_bps += round((plain_bps - self.steady_bps) * share)
