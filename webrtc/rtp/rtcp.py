"""RTCP packets, read and written (RFC 3550 6, RFC 4585 6, RFC 5104 4.3.1, draft-alvestrand-rmcat-remb-03).

`parse` takes what a peer may send and returns what this node understands of it; unknown kinds are left out.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from struct import Struct, pack
from struct import error as StructError

from webrtc.errors import InvalidPacket
from webrtc.rtp.transport_cc import TransportFeedback

_HEADER = Struct("!BBH")
_SENDER = Struct("!IQIII")
_BLOCK = Struct("!IIIIII")
_NACK_ITEM = Struct("!HH")
_CNAME = 1


class _Kind(IntEnum):
    SENDER_REPORT = 200
    RECEIVER_REPORT = 201
    SOURCE_DESCRIPTION = 202
    GOODBYE = 203
    RTP_FEEDBACK = 205
    PAYLOAD_FEEDBACK = 206


class _Format(IntEnum):
    NACK = 1  # of RTP feedback
    TRANSPORT_CC = 15
    PICTURE_LOSS = 1  # of payload feedback, as are the next two
    FULL_INTRA = 4
    APPLICATION = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportBlock:
    """One source as its receiver sees it (RFC 3550 6.4.1). `fraction_lost` in 1/256; `delay` in 1/65536 s."""

    ssrc: int
    fraction_lost: int
    lost: int
    highest: int  # extended sequence number
    jitter: int  # in units of the RTP clock
    last_sr: int = 0  # the middle 32 bits of the NTP time of the last sender report, 0 before the first
    delay: int = 0

    def to_bytes(self) -> bytes:
        lost = max(-0x800000, min(self.lost, 0x7FFFFF)) & 0xFFFFFF
        return _BLOCK.pack(
            self.ssrc,
            self.fraction_lost << 24 | lost,
            self.highest & 0xFFFFFFFF,
            self.jitter & 0xFFFFFFFF,
            self.last_sr,
            self.delay,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderReport:
    """`ntp`: seconds since 1900 in 32.32 fixed point; `rtp`: the same moment on the RTP clock."""

    ssrc: int
    ntp: int
    rtp: int
    packets: int
    octets: int
    reports: tuple[ReportBlock, ...] = ()

    def to_bytes(self) -> bytes:
        body = _SENDER.pack(self.ssrc, self.ntp, self.rtp, self.packets & 0xFFFFFFFF, self.octets & 0xFFFFFFFF)
        return _packet(
            _Kind.SENDER_REPORT, len(self.reports), body + b"".join(block.to_bytes() for block in self.reports)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiverReport:
    ssrc: int
    reports: tuple[ReportBlock, ...] = ()

    def to_bytes(self) -> bytes:
        return _packet(
            _Kind.RECEIVER_REPORT,
            len(self.reports),
            pack("!I", self.ssrc) + b"".join(b.to_bytes() for b in self.reports),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceDescription:
    """The canonical name of one source (RFC 3550 6.5.1)."""

    ssrc: int
    cname: str

    def to_bytes(self) -> bytes:
        name = self.cname.encode()[:255]
        chunk = pack("!IBB", self.ssrc, _CNAME, len(name)) + name
        chunk += bytes(4 - len(chunk) % 4)  # the list of items ends with a zero octet
        return _packet(_Kind.SOURCE_DESCRIPTION, 1, chunk)


@dataclass(frozen=True, slots=True, kw_only=True)
class Goodbye:
    ssrcs: tuple[int, ...]

    def to_bytes(self) -> bytes:
        return _packet(_Kind.GOODBYE, len(self.ssrcs), pack(f"!{len(self.ssrcs)}I", *self.ssrcs))


@dataclass(frozen=True, slots=True, kw_only=True)
class Nack:
    """Packets of source `media` that are lost (RFC 4585 6.2.1).

    `items`: a 16-bit sequence number, and a bitmask of the 16 that follow it.
    """

    ssrc: int
    media: int
    items: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, *, ssrc: int, media: int, lost: Sequence[int]) -> "Nack":
        """`lost`: 16-bit sequence numbers in order."""
        return cls(ssrc=ssrc, media=media, items=tuple(_nack_items(lost)))

    @property
    def lost(self) -> Iterator[int]:
        """Their sequence numbers, unfolded one by one: a datagram can name 5,000, and the caller may stop before."""
        for first, mask in self.items:
            yield first
            for bit in range(16):
                if mask >> bit & 1:
                    yield (first + bit + 1) & 0xFFFF

    def to_bytes(self) -> bytes:
        items = b"".join(_NACK_ITEM.pack(*item) for item in self.items)
        return _packet(_Kind.RTP_FEEDBACK, _Format.NACK, pack("!II", self.ssrc, self.media) + items)


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureLossIndication:
    ssrc: int
    media: int

    def to_bytes(self) -> bytes:
        return _packet(_Kind.PAYLOAD_FEEDBACK, _Format.PICTURE_LOSS, pack("!II", self.ssrc, self.media))


@dataclass(frozen=True, slots=True, kw_only=True)
class FullIntraRequest:
    """`number` grows by one with each new request for `media` (RFC 5104 4.3.1)."""

    ssrc: int
    media: int
    number: int

    def to_bytes(self) -> bytes:
        return _packet(
            _Kind.PAYLOAD_FEEDBACK, _Format.FULL_INTRA, pack("!IIIB3x", self.ssrc, 0, self.media, self.number & 0xFF)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class MaximumBitrate:
    """REMB: the sources in `media` may send `bitrate_bps` together."""

    ssrc: int
    bitrate_bps: int
    media: tuple[int, ...]

    def to_bytes(self) -> bytes:
        exponent = max(0, self.bitrate_bps.bit_length() - 18)
        rate = exponent << 18 | self.bitrate_bps >> exponent
        body = pack("!II4s", self.ssrc, 0, b"REMB") + pack("!I", len(self.media) << 24 | rate)
        return _packet(_Kind.PAYLOAD_FEEDBACK, _Format.APPLICATION, body + pack(f"!{len(self.media)}I", *self.media))


Packet = (
    SenderReport
    | ReceiverReport
    | SourceDescription
    | Goodbye
    | Nack
    | PictureLossIndication
    | FullIntraRequest
    | MaximumBitrate
    | TransportFeedback
)


def parse(
    datagram: bytes, read_feedback: Callable[[bytes], TransportFeedback] = TransportFeedback.from_body
) -> tuple[Packet, ...]:
    """The packets in a compound packet. Raises `InvalidPacket` where lengths or contents contradict each other.

    `read_feedback`: reads transport-wide feedback, which most packets are; raises `IndexError` where it is cut off.
    """
    packets: list[Packet] = []
    at = 0
    try:
        while at < len(datagram):
            first, kind, words = _HEADER.unpack_from(datagram, at)
            end = at + 4 + 4 * words
            if first & 0xC0 != 0x80 or end > len(datagram):
                raise InvalidPacket("no RTCP packet of version 2, or it is cut off")
            body = datagram[at + 4 : end]
            if first & 0x20:
                body = body[: len(body) - body[-1]]
            if kind == _Kind.RTP_FEEDBACK and first & 0x1F == _Format.TRANSPORT_CC:
                packets.append(read_feedback(body))
            else:
                packets += _read(kind, first & 0x1F, body)
            at = end
    except (StructError, IndexError, UnicodeDecodeError) as error:
        raise InvalidPacket(f"RTCP packet at octet {at}: {error}") from error
    return tuple(packets)


def compound(packets: Iterable[Packet]) -> bytes:
    """One datagram; the first packet has to be a report, as RFC 3550 6.1 asks."""
    return b"".join(packet.to_bytes() for packet in packets)


def _packet(kind: int, count: int, body: bytes) -> bytes:
    return _HEADER.pack(0x80 | count, kind, len(body) // 4) + body


def _read(kind: int, count: int, body: bytes) -> Iterable[Packet]:
    match kind:
        case _Kind.SENDER_REPORT:
            ssrc, ntp, rtp, packets, octets = _SENDER.unpack_from(body)
            reports = _blocks(count, body, _SENDER.size)
            yield SenderReport(ssrc=ssrc, ntp=ntp, rtp=rtp, packets=packets, octets=octets, reports=reports)
        case _Kind.RECEIVER_REPORT:
            yield ReceiverReport(ssrc=_uint32(body, 0), reports=_blocks(count, body, 4))
        case _Kind.SOURCE_DESCRIPTION:
            yield from _descriptions(count, body)
        case _Kind.GOODBYE:
            yield Goodbye(ssrcs=tuple(_uint32(body, 4 * i) for i in range(count)))
        case _Kind.RTP_FEEDBACK if count == _Format.NACK:
            items = tuple(_NACK_ITEM.iter_unpack(body[8 : len(body) & ~3]))
            yield Nack(ssrc=_uint32(body, 0), media=_uint32(body, 4), items=items)
        case _Kind.PAYLOAD_FEEDBACK if count == _Format.PICTURE_LOSS:
            yield PictureLossIndication(ssrc=_uint32(body, 0), media=_uint32(body, 4))
        case _Kind.PAYLOAD_FEEDBACK if count == _Format.FULL_INTRA:
            for at in range(8, len(body) - 7, 8):
                yield FullIntraRequest(ssrc=_uint32(body, 0), media=_uint32(body, at), number=body[at + 4])
        case _Kind.PAYLOAD_FEEDBACK if count == _Format.APPLICATION and body[8:12] == b"REMB":
            rate = _uint32(body, 12)
            media = tuple(_uint32(body, 16 + 4 * i) for i in range(rate >> 24))
            bitrate_bps = (rate & 0x3FFFF) << (rate >> 18 & 0x3F)
            yield MaximumBitrate(ssrc=_uint32(body, 0), bitrate_bps=bitrate_bps, media=media)


def _blocks(count: int, body: bytes, start: int) -> tuple[ReportBlock, ...]:
    blocks = []
    for i in range(count):
        ssrc, loss, highest, jitter, last_sr, delay = _BLOCK.unpack_from(body, start + i * _BLOCK.size)
        lost = loss & 0xFFFFFF
        blocks.append(
            ReportBlock(
                ssrc=ssrc,
                fraction_lost=loss >> 24,
                lost=lost - 0x1000000 if lost & 0x800000 else lost,
                highest=highest,
                jitter=jitter,
                last_sr=last_sr,
                delay=delay,
            )
        )
    return tuple(blocks)


def _descriptions(count: int, body: bytes) -> Iterable[SourceDescription]:
    at = 0
    for _ in range(count):
        ssrc = _uint32(body, at)
        at += 4
        while body[at]:
            kind, length = body[at], body[at + 1]
            if kind == _CNAME:
                yield SourceDescription(ssrc=ssrc, cname=body[at + 2 : at + 2 + length].decode())
            at += 2 + length
        at += 4 - at % 4


def _nack_items(lost: Sequence[int]) -> Iterator[tuple[int, int]]:
    i = 0
    while i < len(lost):
        first, mask = lost[i], 0
        i += 1
        while i < len(lost) and 0 < (lost[i] - first) & 0xFFFF <= 16:
            mask |= 1 << ((lost[i] - first) & 0xFFFF) - 1
            i += 1
        yield first, mask


def _uint32(body: bytes, at: int) -> int:
    if at + 4 > len(body):
        raise IndexError("a field is cut off")
    return int.from_bytes(body[at : at + 4], "big")
