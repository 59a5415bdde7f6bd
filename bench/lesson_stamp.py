"""What the load writes into each payload, and reads again at the other end: whose packet it is, and when it left."""

import struct
from typing import NamedTuple

VIDEO_STAMP_AT = 16  # octets into the payload: behind the VP8 descriptor (RFC 7741) and the frame header (RFC 6386 9.1)
AUDIO_STAMP_AT = 1  # behind Opus's table-of-contents octet
STAMP = struct.Struct("!QHBHHHH")


class Stamp(NamedTuple):
    """`frame`, `base`: frames, and frames of temporal layer 0, of this layer so far, modulo 2^16."""

    sent_ns: int  # since 1970
    source: int  # number of the room
    layer: int  # 0 is the lowest
    frame: int
    base: int
    place: int  # of the packet in its frame
    packets: int  # of packets in the frame


def read(view: memoryview, at: int) -> Stamp:
    return Stamp._make(STAMP.unpack_from(view, at))
