"""RTP packets as bytes: what a forwarder reads from them without decoding (RFC 3550 5.1, RFC 7741, RFC 6184).

Inside the node every packet is *plain*: a header of 12 octets and the payload. Extensions, contributing sources and
padding end at the receiving edge, so that offsets are constant where packets are rewritten.
"""

from collections.abc import Callable, Mapping
from struct import Struct
from struct import error as StructError
from typing import NamedTuple

from webrtc.errors import InvalidPacket

HEADER = Struct("!BBHII")  # 0x80 and flags, marker and payload type, sequence number, timestamp, SSRC
HEADER_SIZE = 12
VERSION = 0x80  # version 2, and in a plain packet the whole first octet
MARKER = 0x80
PICTURE_ID = Struct("!H")
PICTURE_ID_AT = HEADER_SIZE + 2  # in a packet that went through `wide_picture_id`
TL0PICIDX_AT = PICTURE_ID_AT + 2

_PADDING, _EXTENSION, _CSRC_COUNT = 0x20, 0x10, 0x0F
_UINT16 = Struct("!H")


def is_rtcp(datagram: bytes | memoryview) -> bool:
    """Whether an RTP-or-RTCP datagram is RTCP (RFC 5761 4: packet types 192 to 223)."""
    return len(datagram) > 1 and 192 <= datagram[1] <= 223


def extend(number: int, near: int) -> int:
    """The extended sequence number nearest to `near` whose low 16 bits are `number` (RFC 3550 A.1)."""
    ahead = (number - near) & 0xFFFF
    return near + (ahead if ahead < 0x8000 else ahead - 0x10000)


def plain(packet: bytes) -> bytes:
    """`packet` without extension, contributing sources and padding. Raises `InvalidPacket`."""
    if len(packet) < HEADER_SIZE or packet[0] & 0xC0 != VERSION:
        raise InvalidPacket("no RTP header of version 2")
    if packet[0] == VERSION:
        return packet
    start = HEADER_SIZE + 4 * (packet[0] & _CSRC_COUNT)
    end = len(packet)
    if packet[0] & _EXTENSION:
        if end < start + 4:
            raise InvalidPacket("the header extension is cut off")
        start += 4 + 4 * _UINT16.unpack_from(packet, start + 2)[0]
    if packet[0] & _PADDING:
        if packet[-1] == 0:
            raise InvalidPacket("padding of no length")
        end -= packet[-1]
    if start > end:
        raise InvalidPacket("the header is longer than the packet")
    return bytes((VERSION, packet[1])) + packet[2:HEADER_SIZE] + packet[start:end]


class Vp8(NamedTuple):
    """What the VP8 payload descriptor says (RFC 7741 4.2); -1 where it says nothing."""

    picture_id: int
    tl0picidx: int
    keyframe: bool  # this packet begins a keyframe


NO_PICTURE = Vp8(-1, -1, False)


def wide_picture_id(packet: bytes) -> bytes:
    """A plain VP8 packet with its picture id, if it has one, in 15 bits, so that ids of any source fit in its place."""
    if len(packet) <= PICTURE_ID_AT or not (packet[12] & 0x80 and packet[13] & 0x80) or packet[PICTURE_ID_AT] & 0x80:
        return packet
    return packet[:PICTURE_ID_AT] + bytes((0x80, packet[PICTURE_ID_AT])) + packet[PICTURE_ID_AT + 1 :]


def read_vp8(packet: bytes) -> Vp8:
    """The descriptor of a plain VP8 packet with a wide picture id; `NO_PICTURE` for one that is cut off."""
    if len(packet) < HEADER_SIZE + 2:
        return NO_PICTURE
    first = packet[HEADER_SIZE]
    at = HEADER_SIZE + 1
    picture_id = tl0picidx = -1
    try:
        if first & 0x80:
            present = packet[at]
            at += 1
            if present & 0x80:
                picture_id = _UINT16.unpack_from(packet, at)[0] & 0x7FFF
                at += 2
            if present & 0x40:
                if picture_id >= 0:  # at its constant place; elsewhere it is not rewritten
                    tl0picidx = packet[at]
                at += 1
            if present & 0x30:
                at += 1
        begins = first & 0x17 == 0x10 and not packet[at] & 1  # S = 1, partition 0, and the P bit of the frame header
    except (IndexError, StructError):
        return NO_PICTURE
    return Vp8(picture_id, tl0picidx, begins)


def begins_vp8_keyframe(packet: bytes) -> bool:
    return read_vp8(packet).keyframe


def begins_h264_keyframe(packet: bytes) -> bool:
    """Whether a plain H.264 packet holds the first bytes of an SPS or an IDR slice (RFC 6184 5.2)."""
    if len(packet) <= HEADER_SIZE:
        return False
    unit = packet[HEADER_SIZE] & 0x1F
    if unit == 24:  # STAP-A: units, each behind its length
        at = HEADER_SIZE + 1
        while at + 2 < len(packet):
            if packet[at + 2] & 0x1F in (5, 7):
                return True
            at += 2 + _UINT16.unpack_from(packet, at)[0]
        return False
    if unit == 28:  # FU-A: the type is in the second octet, its top bit says that the unit starts here
        return len(packet) > HEADER_SIZE + 1 and bool(packet[13] & 0x80) and packet[13] & 0x1F in (5, 7)
    return unit in (5, 7)


BEGINS_KEYFRAME: Mapping[str, Callable[[bytes], bool]] = {"VP8": begins_vp8_keyframe, "H264": begins_h264_keyframe}
