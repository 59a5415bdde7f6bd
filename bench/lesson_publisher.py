"""A room that sends: a camera in three simulcast layers with temporal layers, and a microphone, as Chromium does.

Nothing is encoded: sizes and rhythm are an encoder's, the content is random. All times: `time.monotonic()`.
"""

import math
import os
import random
import struct
import time
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bench import lesson_stamp as stamp
from bench.lesson_connection import Connection
from bench.lesson_offer import AUDIO_LEVEL, MID, OPUS, RID, TRANSPORT_CC, VP8, AnsweredSection
from bench.timetable import Timetable
from webrtc.rtp import rtcp
from webrtc.rtp.packet import HEADER

FRAMES_PER_S = 30
TEMPORAL = (0, 2, 1, 2)  # temporal layer by place in the group of pictures: Chromium's L1T3
SIZES = (1.6, 0.8, 0.8, 0.8)  # of a frame, relative to the mean, in the same order
KEYFRAME_SIZE = 4.0
MAX_PAYLOAD = 1100
BURST, BURST_S = 10, 0.005  # Chromium's pacer: so many packets at once, then a pause
KEYFRAME_S = 0.3  # a new one not earlier than this, however often one is asked for
SOUND_S, SOUND_SIZE = 0.02, 80  # 32 kbit/s
SPEECH_DB, SYLLABLE_DB, PAUSE_DB, SILENCE_DB = 22, 18, 60, 68  # below full scale (RFC 6464)
SYLLABLE_S, SENTENCE_S, PAUSE_S = 0.25, 2.0, 0.3  # a sentence ends with a pause
NAMED_S = 2.0  # so long packets name their m-line and layer; by then the receiver has told that it knows
KEPT = 512  # packets that can be sent again
NTP_EPOCH_S = 2_208_988_800

_DESCRIPTOR = struct.Struct("!BBHBB")
_FRAME_HEADER = struct.Struct("<BHBBBHH")


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    rid: str
    width: int
    height: int
    bitrate_bps: int


LAYERS = (
    Layer(rid="q", width=320, height=180, bitrate_bps=150_000),
    Layer(rid="h", width=640, height=360, bitrate_bps=500_000),
    Layer(rid="f", width=1280, height=720, bitrate_bps=1_500_000),
)


class _Stream:
    """One SSRC. `extension`: the header extension with a hole for the transport-wide number, first named, then not."""

    def __init__(self, section: AnsweredSection, rid: str) -> None:
        self.ssrc = random.getrandbits(32)
        self.sequence = random.getrandbits(15)
        self.packets = 0
        self.octets = 0
        self.kept: dict[int, bytes] = {}
        self.counted = TRANSPORT_CC in section.extensions
        self.level = AUDIO_LEVEL in section.extensions
        names = [(MID, section.mid), (RID, rid)] if rid else [(MID, section.mid)]
        self.named = self._extension([(id, name) for id, name in names if id in section.extensions])
        self.extension = self._extension([])

    def _extension(self, names: Sequence[tuple[int, str]]) -> bytes:
        """One-byte form (RFC 8285 4.2): the transport-wide number first, then the level, then `names`."""
        body = bytes((TRANSPORT_CC << 4 | 1, 0, 0)) if self.counted else b""
        body += bytes((AUDIO_LEVEL << 4, 0)) if self.level else b""
        body += b"".join(bytes((id << 4 | len(name) - 1,)) + name.encode() for id, name in names)
        body += bytes(-len(body) % 4)
        return struct.pack("!HH", 0xBEDE, len(body) // 4) + body


class _Encoding:
    """One simulcast layer. `active`: as the page sets it by `RTCRtpSender.setParameters`."""

    def __init__(self, layer: Layer, place: int, stream: _Stream) -> None:
        self.layer = layer
        self.place = place
        self.stream = stream
        self.active = True
        self.frame = random.getrandbits(15)
        self.base = random.getrandbits(8)
        self.keyframe_at = 0.0  # the last one
        self.group = 0  # place in the group of pictures
        self.keyframe_wanted = True

    def wake(self, active: bool) -> None:
        if active and not self.active:
            self.keyframe_wanted, self.keyframe_at = True, 0.0
        self.active = active


class Publisher:
    """`number` names the room in the stamps."""

    def __init__(self, number: int, connection: Connection, answer: Sequence[AnsweredSection]) -> None:
        self.connection = connection
        self.speaking = False
        self.packets = 0
        self.octets = 0
        self.keyframes = 0
        self._number = number
        self._ssrc = random.getrandbits(32)
        self._counter = 0  # transport-wide
        self._filling = os.urandom(MAX_PAYLOAD)
        self._waiting: deque[tuple[_Encoding, bytes, int, bool, int]] = deque()
        picture, sound = answer
        self._encodings = [
            _Encoding(layer, place, _Stream(picture, layer.rid if picture.simulcast else ""))
            for place, layer in enumerate(LAYERS)
            if picture.simulcast or layer is LAYERS[-1]
        ]
        self._sound = _Stream(sound, "")
        self._started_at = 0.0
        self._frames = 0
        self._sounds = 0

    def start(self, timetable: Timetable, now: float) -> None:
        self._timetable = timetable
        self._started_at = now
        timetable.add(now + random.random() / FRAMES_PER_S, self._frame, 1 / FRAMES_PER_S)
        timetable.add(now + random.random() * SOUND_S, self._sound_packet, SOUND_S)
        timetable.add(now + random.random(), self._report, 1.0)

    def set_wanted(self, rid: str, wanted: bool) -> None:
        for encoding in self._encodings:
            if encoding.layer.rid == rid:
                encoding.wake(wanted)

    @property
    def active(self) -> str:
        """The rids that are sent now."""
        return "".join(encoding.layer.rid for encoding in self._encodings if encoding.active)

    # -- pictures

    def _frame(self, now: float) -> None:
        self._frames += 1
        idle = not self._waiting
        for encoding in self._encodings:
            if encoding.active:
                self._encode(encoding, now)
        if idle and self._waiting:
            self._pace(now)

    def _encode(self, encoding: _Encoding, now: float) -> None:
        key = encoding.keyframe_wanted and now - encoding.keyframe_at >= KEYFRAME_S
        if key:
            encoding.keyframe_wanted, encoding.keyframe_at, encoding.group = False, now, 0
            self.keyframes += 1
        temporal = TEMPORAL[encoding.group]
        relative = KEYFRAME_SIZE if key else SIZES[encoding.group]
        encoding.group = (encoding.group + 1) % len(TEMPORAL)
        encoding.frame = encoding.frame + 1 & 0xFFFF
        encoding.base = encoding.base + (temporal == 0) & 0xFFFF
        octets = round(relative * encoding.layer.bitrate_bps / 8 / FRAMES_PER_S)
        count = -(-octets // MAX_PAYLOAD)
        size = octets // count
        timestamp = self._frames * 90_000 // FRAMES_PER_S & 0xFFFFFFFF
        frame, base = encoding.frame, encoding.base
        for i in range(count):
            descriptor = _DESCRIPTOR.pack(
                0x90 if i == 0 else 0x80,
                0xE0,  # I, L and T
                0x8000 | frame & 0x7FFF,
                base & 0xFF,
                temporal << 6 | (temporal == 2) << 5,
            )
            header = _FRAME_HEADER.pack(not key, 0, 0x9D, 0x01, 0x2A, encoding.layer.width, encoding.layer.height)
            stamped = stamp.STAMP.pack(0, self._number, encoding.place, frame, base, i, count)
            self._waiting.append((encoding, descriptor + header + stamped, timestamp, i == count - 1, size))

    def _pace(self, now: float) -> None:
        waiting = self._waiting
        for _ in range(min(BURST, len(waiting))):
            encoding, head, timestamp, last, size = waiting.popleft()
            payload = head + self._filling[: max(0, size - len(head))]
            self._send(encoding.stream, VP8 | last << 7, timestamp, payload, stamp.VIDEO_STAMP_AT, now)
        if waiting:
            self._timetable.add(now + BURST_S, self._pace)

    # -- sound

    def _sound_packet(self, now: float) -> None:
        self._sounds += 1
        payload = b"\x78" + stamp.STAMP.pack(0, self._number, 0, self._sounds & 0xFFFF, 0, 0, 1)
        payload += self._filling[: SOUND_SIZE - len(payload)]
        self._send(self._sound, OPUS, self._sounds * 960 & 0xFFFFFFFF, payload, stamp.AUDIO_STAMP_AT, now)

    def _level(self) -> int:
        """With the bit that says whether it is a voice: it stays on in the pauses of speech."""
        noise = random.randrange(-4, 5)
        if not self.speaking:
            return SILENCE_DB + noise
        elapsed = self._sounds * SOUND_S
        if elapsed % SENTENCE_S > SENTENCE_S - PAUSE_S:
            return 0x80 | PAUSE_DB + noise
        softer = 0.5 - 0.5 * math.cos(2 * math.pi * elapsed / SYLLABLE_S)
        return 0x80 | SPEECH_DB + round(SYLLABLE_DB * softer) + noise

    # -- packets

    def _send(self, stream: _Stream, second: int, timestamp: int, payload: bytes, stamp_at: int, now: float) -> None:
        view = self.connection.outgoing.view
        extension = stream.named if now - self._started_at < NAMED_S else stream.extension
        start = 12
        HEADER.pack_into(view, 0, 0x80, second, stream.sequence, timestamp, stream.ssrc)
        if len(extension) > 4:
            view[0] = 0x90
            start += len(extension)
            view[12:start] = extension
            if stream.counted:
                self._counter = self._counter + 1 & 0xFFFF
                view[17], view[18] = self._counter >> 8, self._counter & 0xFF
            if stream.level:
                view[20 if stream.counted else 17] = self._level()
        size = start + len(payload)
        view[start:size] = payload
        view[start + stamp_at : start + stamp_at + 8] = time.time_ns().to_bytes(8, "big")
        sent = self.connection.send_rtp(size)
        stream.kept[stream.sequence % KEPT] = sent
        stream.sequence = stream.sequence + 1 & 0xFFFF
        stream.packets += 1
        stream.octets += len(payload)
        self.packets += 1
        self.octets += size

    # -- reports

    def _report(self, now: float) -> None:
        """A sender report for each stream that flows: one moment on the wall's clock and on the RTP clock."""
        ntp = int((time.time() + NTP_EPOCH_S) * 2**32)
        picture = self._frames * 90_000 // FRAMES_PER_S & 0xFFFFFFFF
        flowing = [(each.stream, picture) for each in self._encodings if each.active]
        flowing.append((self._sound, self._sounds * 960 & 0xFFFFFFFF))
        reports: list[rtcp.Packet] = [
            rtcp.SenderReport(ssrc=stream.ssrc, ntp=ntp, rtp=rtp, packets=stream.packets, octets=stream.octets)
            for stream, rtp in flowing
        ]
        self.connection.send_rtcp(rtcp.compound(reports))

    def receive(self, now: float) -> None:
        """Read all that the node reports and asks for."""
        connection = self.connection
        while size := connection.receive():
            view = connection.incoming.view
            if size > 8 and 192 <= view[1] <= 223 and (size := connection.unprotect_rtcp(size)):
                for packet in rtcp.parse(bytes(view[:size])):
                    self._take(packet)

    def _take(self, packet: rtcp.Packet) -> None:
        match packet:
            case rtcp.PictureLossIndication() | rtcp.FullIntraRequest():
                for encoding in self._encodings:
                    encoding.keyframe_wanted |= encoding.stream.ssrc == packet.media
            case rtcp.Nack():
                for stream in (*(encoding.stream for encoding in self._encodings), self._sound):
                    if stream.ssrc == packet.media:
                        self._repeat(stream, packet.lost)

    def _repeat(self, stream: _Stream, lost: Iterable[int]) -> None:
        """The same octets again, as they were encrypted (RFC 7714 8.1)."""
        for sequence in lost:
            kept = stream.kept.get(sequence % KEPT)
            if kept is not None and int.from_bytes(kept[2:4], "big") == sequence:
                self.connection.socket.send(kept)
