"""What a forwarder reads from a video payload without decoding: where pictures begin, their number and their size.

VP8: RFC 7741 and, for the frame header, RFC 6386 9.1. H.264: RFC 6184, ITU-T H.264 7.3.2.1. VP9: RFC 9628. AV1: the
RTP payload format of the Alliance for Open Media, 4.4. All functions take a plain packet (`webrtc/rtp/packet.py`), and
take whatever a peer may send: what is cut off reads as a packet in the middle of a picture.
"""

from collections.abc import Callable, Mapping
from struct import Struct
from struct import error as StructError
from typing import NamedTuple

from webrtc.rtp.packet import HEADER_SIZE
from webrtc.rtp.sequence_header import UNKNOWN_SIZE, Size, read_av1_sequence, read_sps

PICTURE_ID = Struct("!H")
PICTURE_ID_AT = 2  # octets into the payload, in a packet that went through `wide_picture_id`
TL0PICIDX_AT = PICTURE_ID_AT + 2

_UINT16 = Struct("!H")
MAX_OBUS = 4  # of a packet of AV1 that are looked through


class Picture(NamedTuple):
    """`picture_id`, `tl0picidx`: -1 where the payload has none that could be rewritten."""

    picture_id: int
    tl0picidx: int
    temporal: int  # the temporal layer, 0 for the base
    sync: bool  # this packet's frame depends on the base layer only: a higher temporal layer may begin with it
    keyframe: bool  # this packet begins a keyframe


NO_PICTURE = Picture(-1, -1, 0, False, False)
BEGINS_KEYFRAME = Picture(-1, -1, 0, True, True)


# -- VP8


def wide_picture_id(packet: bytes) -> bytes:
    """A plain VP8 packet with its picture id, if it has one, in 15 bits, so that ids of any source fit in its place."""
    if len(packet) <= 14 or not (packet[12] & 0x80 and packet[13] & 0x80) or packet[14] & 0x80:
        return packet
    return packet[:14] + bytes((0x80, packet[14])) + packet[15:]


def read_vp8(packet: bytes) -> Picture:
    """The descriptor of a plain VP8 packet with a wide picture id."""
    if len(packet) < HEADER_SIZE + 2:
        return NO_PICTURE
    first = packet[HEADER_SIZE]
    at = HEADER_SIZE + 1
    picture_id = tl0picidx = -1
    temporal, sync = 0, False
    try:
        if first & 0x80:
            present = packet[at]
            at += 1
            if present & 0x80:
                picture_id = (packet[at] & 0x7F) << 8 | packet[at + 1]
                at += 2
            if present & 0x40:
                if picture_id >= 0:  # at its constant place; elsewhere it is not rewritten
                    tl0picidx = packet[at]
                at += 1
            if present & 0x30:
                if present & 0x20:
                    temporal, sync = packet[at] >> 6, bool(packet[at] & 0x20)
                at += 1
        begins = first & 0x17 == 0x10 and not packet[at] & 1  # S = 1, partition 0, and the P bit of the frame header
    except IndexError:
        return NO_PICTURE
    return Picture(picture_id, tl0picidx, temporal, sync, begins)


def _size_vp8(packet: bytes) -> Size:
    """Behind the start code of the frame header (RFC 6386 9.1), which is searched: the descriptor's length varies."""
    at = packet.find(b"\x9d\x01\x2a", HEADER_SIZE + 4, HEADER_SIZE + 16) + 3
    if at < HEADER_SIZE or at + 4 > len(packet):
        return UNKNOWN_SIZE
    width, height = packet[at] | packet[at + 1] << 8, packet[at + 2] | packet[at + 3] << 8
    return Size(width & 0x3FFF, height & 0x3FFF)


# -- H.264


def _units(packet: bytes) -> list[bytes]:
    """The NAL units of a packet, each as far as it is in there; of a fragment its start, with its own type in front."""
    unit = packet[HEADER_SIZE] & 0x1F if len(packet) > HEADER_SIZE else 0
    if unit == 24:  # STAP-A: units, each behind its length
        found, at = [], HEADER_SIZE + 1
        while at + 2 < len(packet):
            length = _UINT16.unpack_from(packet, at)[0]
            found.append(packet[at + 2 : at + 2 + length])
            at += 2 + length
        return found
    if unit == 28:  # FU-A: the second octet has the type; its top bit is set where the unit starts
        if len(packet) > HEADER_SIZE + 1 and packet[HEADER_SIZE + 1] & 0x80:
            return [packet[HEADER_SIZE + 1 :]]
        return []
    return [packet[HEADER_SIZE:]]


def read_h264(packet: bytes) -> Picture:
    """A keyframe begins at its SPS, or at the IDR slice itself where the SPS was sent before."""
    if len(packet) <= HEADER_SIZE:
        return NO_PICTURE
    unit = packet[HEADER_SIZE] & 0x1F
    if unit not in (5, 7, 24, 28):
        return NO_PICTURE
    return BEGINS_KEYFRAME if any(each and each[0] & 0x1F in (5, 7) for each in _units(packet)) else NO_PICTURE


def _size_h264(packet: bytes) -> Size:
    """The offer may say baseline (`42e01f`): the encoder takes a higher profile all the same, and the decoder, too."""
    sps = next((each for each in _units(packet) if len(each) > 4 and each[0] & 0x1F == 7), None)
    return read_sps(sps) if sps is not None else UNKNOWN_SIZE


# -- VP9, AV1: passed through as they are


def read_vp9(packet: bytes) -> Picture:
    """A keyframe begins where a frame does (B) that is not predicted from another one (P), in the lowest layer."""
    if len(packet) <= HEADER_SIZE or packet[HEADER_SIZE] & 0x48 != 0x08:
        return NO_PICTURE
    return BEGINS_KEYFRAME if _layer_vp9(packet) == 0 else NO_PICTURE


def _layer_vp9(packet: bytes) -> int:
    """The spatial layer; 0 without one, -1 where it is cut off."""
    first, at = packet[HEADER_SIZE], HEADER_SIZE + 1
    if not first & 0x20:
        return 0
    if first & 0x80:
        at += 2 if len(packet) > at and packet[at] & 0x80 else 1
    return packet[at] >> 1 & 7 if len(packet) > at else -1


def _size_vp9(packet: bytes) -> Size:
    """The largest picture of the scalability structure (RFC 9628 4.2.1), if this packet has one."""
    at = HEADER_SIZE + 1
    try:
        first = packet[HEADER_SIZE]
        if not first & 0x02:
            return UNKNOWN_SIZE
        if first & 0x80:
            at += 2 if packet[at] & 0x80 else 1
        if first & 0x20:
            at += 1 if first & 0x10 else 2
        if not packet[at] & 0x10:
            return UNKNOWN_SIZE
        at += 1 + 4 * (packet[at] >> 5)
        return Size(_UINT16.unpack_from(packet, at)[0], _UINT16.unpack_from(packet, at + 2)[0])
    except (IndexError, StructError):
        return UNKNOWN_SIZE


def read_av1(packet: bytes) -> Picture:
    """N in the aggregation header: the first packet of a coded video sequence."""
    if len(packet) > HEADER_SIZE and packet[HEADER_SIZE] & 0x08:
        return BEGINS_KEYFRAME
    return NO_PICTURE


def _size_av1(packet: bytes) -> Size:
    """By the sequence header, which is near the start of a packet with N."""
    if len(packet) <= HEADER_SIZE or packet[HEADER_SIZE] & 0x88 != 0x08:
        return UNKNOWN_SIZE
    elements, at = packet[HEADER_SIZE] >> 4 & 3, HEADER_SIZE + 1  # 0: each has its length before it
    try:
        for place in range(1, MAX_OBUS + 1):
            size = len(packet) - at
            if place != elements:
                size, at = _read_leb128(packet, at)
            if packet[at] >> 3 & 15 == 1:  # OBU_SEQUENCE_HEADER
                start = at + (2 if packet[at] & 4 else 1)
                if packet[at] & 2:
                    _, start = _read_leb128(packet, start)
                return read_av1_sequence(packet[start : at + size])
            at += size
    except IndexError:
        pass
    return UNKNOWN_SIZE


def _read_leb128(packet: bytes, at: int) -> tuple[int, int]:
    """A number of AV1 (4.10.5), and where it ends."""
    value = 0
    for place in range(8):
        value |= (packet[at + place] & 0x7F) << 7 * place
        if packet[at + place] < 0x80:
            return value, at + place + 1
    raise IndexError


class VideoFormat(NamedTuple):
    """What must be read of a video codec before it can be forwarded."""

    picture: Callable[[bytes], Picture]
    size: Callable[[bytes], Size]


VIDEO_FORMATS: Mapping[str, VideoFormat] = {
    "VP8": VideoFormat(read_vp8, _size_vp8),
    "H264": VideoFormat(read_h264, _size_h264),
    "VP9": VideoFormat(read_vp9, _size_vp9),
    "AV1": VideoFormat(read_av1, _size_av1),
}
"""All that we forward: nothing else is agreed to (`webrtc/sdp/answer.py`)."""
READ_PICTURE: Mapping[str, Callable[[bytes], Picture]] = {name: each.picture for name, each in VIDEO_FORMATS.items()}


def read_size(codec: str, packet: bytes) -> Size:
    """How large the picture is that this packet, which begins a keyframe, begins."""
    known = VIDEO_FORMATS.get(codec)
    return known.size(packet) if known is not None else UNKNOWN_SIZE
