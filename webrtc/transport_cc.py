"""Transport-wide congestion control: when each packet of a connection arrived, told to its sender.

draft-holmer-rmcat-transport-wide-cc-extensions-01. One sequence number counts all packets of a connection (RTP header
extension `http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01`, 2 octets); the receiver answers with
`TransportFeedback` about ten times a second.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from struct import Struct, pack, unpack_from

from webrtc.errors import InvalidPacket

TICKS = 4000  # of arrival times, in a second
REFERENCE_TICKS = 256  # a reference time counts 64 ms
MAX_STATUSES = 500  # in one of our feedbacks: with 16-bit differences throughout it stays below 1,200 octets
MAX_JUMP = 4000  # packets; a longer one is a sender that started again
KEPT = 5  # feedbacks; a packet later than these is not reported

_HEAD = Struct("!BBHIIHHI")
_BODY = Struct("!IIHHI")
_FORMAT = 15
_RTP_FEEDBACK = 205
_RUN = 0x1FFF


@dataclass(frozen=True, slots=True, kw_only=True)
class TransportFeedback:
    """What became of `statuses` packets from sequence number `base` on.

    `arrivals`: of each one received, in order of sequence numbers: its place after `base`, and its arrival in ticks of
    250 us after `reference_time`, which counts 64 ms on the receiver's clock, modulo 2^24. The others are lost, or late.
    `number`: of this feedback, modulo 256.
    """

    ssrc: int
    media: int
    base: int
    statuses: int
    reference_time: int
    number: int
    arrivals: tuple[tuple[int, int], ...]

    def to_bytes(self) -> bytes:
        """The RTCP packet. Neighbouring arrivals must be less than 8.19 s apart, the first so from the reference."""
        symbols = bytearray(self.statuses)
        deltas = bytearray()
        before = 0
        for place, ticks in self.arrivals:
            delta = ticks - before
            before = ticks
            if 0 <= delta <= 0xFF:
                symbols[place] = 1
                deltas.append(delta)
            else:
                symbols[place] = 2
                deltas += pack("!h", delta)
        chunks = _chunks(symbols)
        body = chunks + deltas
        padding = -len(body) % 4
        if padding:
            body += bytes(padding - 1) + bytes((padding,))
        head = _HEAD.pack(
            0x80 | bool(padding) << 5 | _FORMAT,
            _RTP_FEEDBACK,
            (_HEAD.size + len(body)) // 4 - 1,
            self.ssrc,
            self.media,
            self.base,
            self.statuses,
            (self.reference_time & 0xFFFFFF) << 8 | self.number,
        )
        return head + body

    @classmethod
    def from_body(cls, body: bytes) -> "TransportFeedback":
        """Read what follows the RTCP header, without padding. Raises `InvalidPacket`, `struct.error`."""
        raise NotImplementedError


class Arrivals:
    """When the packets of one connection arrived, and what of it its sender has not been told.

    `note(sequence16, now)` keeps one; it is the dictionary's own setter, because it runs for every packet.
    """

    def __init__(self) -> None:
        self._noted: dict[int, float] = {}
        self.note = self._noted.__setitem__

    def feedback(self, ssrc: int, media: int) -> tuple[TransportFeedback, ...]:
        """All that is new since the last call, each at most 1,200 octets; to be sent about every 100 ms."""
        raise NotImplementedError


def _chunks(symbols: bytearray) -> bytes:
    raise NotImplementedError
