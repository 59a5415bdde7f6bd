"""RTP packets as bytes: what a forwarder reads in their headers (RFC 3550 5.1, RFC 8285, RFC 4588, RFC 2198).

Inside the node every packet is *plain*: a header of 12 octets and the payload. Extensions, contributing sources and
padding end at the receiving edge, so that offsets are constant where packets are rewritten.
"""

from collections.abc import Mapping
from struct import Struct
from types import MappingProxyType

from webrtc.errors import InvalidPacket

HEADER = Struct("!BBHII")  # 0x80 and flags, marker and payload type, sequence number, timestamp, SSRC
HEADER_SIZE = 12
VERSION = 0x80  # version 2, and in a plain packet the whole first octet
MARKER = 0x80

Elements = Mapping[int, bytes]  # header extension elements by their local id

_PADDING, _EXTENSION, _CSRC_COUNT = 0x20, 0x10, 0x0F
_ONE_BYTE = 0xBEDE  # the one-byte form, the only one that is agreed on (RFC 8285 4.2)
_UINT16 = Struct("!H")
_NO_ELEMENTS: Elements = MappingProxyType({})


def is_rtcp(datagram: bytes | memoryview) -> bool:
    """Whether an RTP-or-RTCP datagram is RTCP (RFC 5761 4: packet types 192 to 223)."""
    return len(datagram) > 1 and 192 <= datagram[1] <= 223


def extend(number: int, near: int) -> int:
    """The extended sequence number nearest to `near` whose low 16 bits are `number` (RFC 3550 A.1)."""
    ahead = (number - near) & 0xFFFF
    return near + (ahead if ahead < 0x8000 else ahead - 0x10000)


def open_packet(packet: memoryview | bytes) -> tuple[bytes, Elements]:
    """The plain packet, and the elements of its header extension. Raises `InvalidPacket`."""
    size = len(packet)
    if size < HEADER_SIZE or packet[0] & 0xC0 != VERSION:
        raise InvalidPacket("no RTP header of version 2")
    first = packet[0]
    if first == VERSION:
        return bytes(packet), _NO_ELEMENTS
    start = HEADER_SIZE + 4 * (first & _CSRC_COUNT)
    end, elements = size, _NO_ELEMENTS
    if first & _EXTENSION:
        if size < start + 4:
            raise InvalidPacket("the header extension is cut off")
        form = packet[start] << 8 | packet[start + 1]
        extension, start = start + 4, start + 4 + 4 * (packet[start + 2] << 8 | packet[start + 3])
        if start > size:
            raise InvalidPacket("the header is longer than the packet")
        if form == _ONE_BYTE:
            elements = _read_elements(packet, extension, start)
    if first & _PADDING:
        if packet[size - 1] == 0:
            raise InvalidPacket("padding of no length")
        end -= packet[size - 1]
    if start > end:
        raise InvalidPacket("the header is longer than the packet")
    return bytes((VERSION, packet[1])) + packet[2:HEADER_SIZE] + packet[start:end], elements


def _read_elements(packet: memoryview | bytes, at: int, end: int) -> Elements:
    elements: dict[int, bytes] = {}
    while at < end:
        head = packet[at]
        if head == 0:  # padding
            at += 1
            continue
        start, at = at + 1, at + 2 + (head & 0x0F)
        if head >= 0xF0 or at > end:  # 15 ends the list
            break
        elements[head >> 4] = bytes(packet[start:at])
    return elements


def unwrap_rtx(packet: bytes, *, ssrc: int, payload_type: int) -> bytes | None:
    """The plain packet that the plain RTX packet repeats (RFC 4588 4); None for one that is only padding."""
    if len(packet) < HEADER_SIZE + 2:
        return None
    marker = packet[1] & MARKER
    sequence = _UINT16.unpack_from(packet, HEADER_SIZE)[0]
    timestamp = int.from_bytes(packet[4:8], "big")
    return HEADER.pack(VERSION, marker | payload_type, sequence, timestamp, ssrc) + packet[HEADER_SIZE + 2 :]


def strip_redundancy(packet: bytes) -> bytes | None:
    """A plain RED packet (RFC 2198 3) with its newest block alone, its payload type as it is; None if it is none."""
    at, skip = HEADER_SIZE, 0
    while at < len(packet) and packet[at] & 0x80:
        if at + 4 > len(packet):
            return None
        skip += (packet[at + 2] & 0x03) << 8 | packet[at + 3]
        at += 4
    at += 1 + skip
    return packet[:HEADER_SIZE] + packet[at:] if at <= len(packet) else None
