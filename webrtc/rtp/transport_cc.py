"""Transport-wide congestion control: when each packet of a connection arrived, reported to its sender.

draft-holmer-rmcat-transport-wide-cc-extensions-01. One sequence number counts all packets of a connection (an RTP
header extension of two octets); their receiver answers with `TransportFeedback` about ten times a second.
"""

from collections import deque
from collections.abc import Callable, Iterator
from itertools import accumulate
from struct import Struct, pack, unpack_from
from typing import NamedTuple

from webrtc.errors import InvalidPacket

TICKS = 4000  # of arrival times, in a second
REFERENCE_TICKS = 256  # a reference time counts 64 ms
MAX_STATUSES = 500  # from the first arrival on in a feedback of ours: it stays below 1,200 octets whatever came
MAX_JUMP = 4000  # packets; a longer one is a sender that started again
KEPT = 5  # feedbacks; a packet that comes later than so many is not reported

_HEAD = Struct("!BBHIIHHI")
_BODY = Struct("!IIHHI")
_INT16 = Struct("!h")
_RTP_FEEDBACK, _FORMAT = 205, 15
_LOST, _SMALL, _LARGE = b"012"  # symbols as digits: a vector is then a number of base 2 or 4
_MAX_RUN = 0x1FFF
_RESERVED = 3  # of a symbol


class Run(NamedTuple):
    """Packets received without a gap. `place`: of the first one, counted from the base. `ticks`: when each arrived."""

    place: int
    ticks: tuple[int, ...]


class _Piece(NamedTuple):
    """Packets received one after another, whose deltas have the same size. `place`: of the first one."""

    place: int
    packets: int
    octets: int  # of each delta


class TransportFeedback(NamedTuple):
    """What became of `statuses` packets from sequence number `base` on.

    `runs`: those received, in order, with a gap before each run but the first. The rest is lost, or late.
    `reference_time`: on the receiver's clock, in units of 64 ms, modulo 2^24. Ticks count 250 us from there.
    `number`: of this feedback, modulo 256.
    """

    ssrc: int
    media: int
    base: int
    statuses: int
    reference_time: int
    number: int
    runs: tuple[Run, ...]

    def to_bytes(self) -> bytes:
        """The RTCP packet. Neighbouring arrivals must be less than 8.19 s apart, the first so from the reference."""
        symbols = bytearray((_LOST,)) * self.statuses
        deltas = bytearray()
        before = 0
        for first, run in self.runs:
            for place, ticks in enumerate(run, first):
                delta = ticks - before
                before = ticks
                if 0 <= delta < 256:
                    symbols[place] = _SMALL
                    deltas.append(delta)
                else:
                    symbols[place] = _LARGE
                    deltas += _INT16.pack(delta)
        body = b"".join(_chunks(symbols)) + deltas
        padding = -len(body) % 4
        if padding:
            body += bytes(padding - 1) + bytes((padding,))
        head = _HEAD.pack(
            (0xA0 if padding else 0x80) | _FORMAT,
            _RTP_FEEDBACK,
            (_HEAD.size + len(body)) // 4 - 1,
            self.ssrc,
            self.media,
            self.base,
            self.statuses,
            self.reference_time << 8 | self.number,
        )
        return head + body

    @classmethod
    def from_body(cls, body: bytes) -> "TransportFeedback":
        """The feedback in what follows an RTCP header. Raises `InvalidPacket`, `struct.error`, `IndexError`."""
        ssrc, media, base, statuses, times = _BODY.unpack_from(body)
        pieces, at = _pieces(body, statuses)
        # Checked before anything is unfolded: eight chunks could ask for 65,535 arrivals.
        if sum(piece.packets * piece.octets for piece in pieces) > len(body) - at:
            raise InvalidPacket("transport-wide feedback with fewer arrivals than announced")
        runs: list[Run] = []
        ticks: list[int] = []
        first, last = 0, 0
        for place, length, size in pieces:
            if ticks and place != first + len(ticks):
                runs.append(Run(first, tuple(ticks)))
                ticks = []
            if not ticks:
                first = place
            deltas = body[at : at + length] if size == 1 else unpack_from(f"!{length}h", body, at)
            at += length * size
            moments = accumulate(deltas, initial=last)
            next(moments)
            ticks += moments
            last = ticks[-1]
        if ticks:
            runs.append(Run(first, tuple(ticks)))
        return cls(
            ssrc=ssrc,
            media=media,
            base=base,
            statuses=statuses,
            reference_time=times >> 8,
            number=times & 0xFF,
            runs=tuple(runs),
        )


class Arrivals:
    """When the packets of one connection arrived, and which of them are not reported to its sender yet.

    `note(sequence16, now)` keeps one arrival. It runs for every packet, and is therefore the dictionary's own setter.
    """

    def __init__(self) -> None:
        self._noted: dict[int, float] = {}  # at most 65,536, if nobody ever asked for feedback
        self.note: Callable[[int, float], None] = self._noted.__setitem__
        self._next = -1  # the extended number after the highest reported; -1 before the first packet
        self._reported: deque[tuple[int, dict[int, int]]] = deque(maxlen=KEPT)  # first number, and ticks by number
        self._number = 0

    def feedback(self, ssrc: int, media: int) -> tuple[TransportFeedback, ...]:
        """All that is new since the last call, to be sent about every 100 ms; each at most 1,200 octets.

        From a late packet on everything is reported again, as its sender took that one for lost.
        """
        if not self._noted:
            return ()
        arrived = self._extended()
        self._noted.clear()
        if not arrived:
            return ()
        first = min(min(arrived), self._next)
        fresh = arrived
        if first < self._next:
            arrived = {
                number: ticks for _, reported in self._reported for number, ticks in reported.items() if number >= first
            } | fresh
        self._reported.append((self._next, fresh))
        numbers = sorted(arrived)
        self._next = numbers[-1] + 1
        return tuple(self._split(first, numbers, arrived, ssrc, media))

    def _extended(self) -> dict[int, int]:
        """The arrivals that were noted, as ticks by extended number; without those that are too late to report."""
        if self._next < 0:
            self._next = next(iter(self._noted)) + 0x10000  # room below, for packets that come before the first one
        oldest = self._reported[0][0] if len(self._reported) == KEPT else 0
        arrived: dict[int, int] = {}
        highest = self._next - 1
        for sequence, at in self._noted.items():
            ahead = (sequence - highest) & 0xFFFF
            if ahead > 0x7FFF:
                ahead -= 0x10000
            number = highest + ahead
            if not -MAX_JUMP < ahead < MAX_JUMP:
                arrived.clear()
                self._reported.clear()
                highest = self._next = number = sequence + 0x10000
                oldest = 0
            elif ahead > 0:
                highest = number
            elif number < oldest:
                continue
            arrived[number] = int(at * TICKS)
        return arrived

    def _split(
        self, first: int, numbers: list[int], arrived: dict[int, int], ssrc: int, media: int
    ) -> Iterator[TransportFeedback]:
        base, since = first, numbers[0]
        reference = arrived[since] // REFERENCE_TICKS
        zero = reference * REFERENCE_TICKS
        before = arrived[since]
        place = numbers[0] - first  # of the run at hand
        run: list[int] = []
        runs: list[Run] = []
        for number in (*numbers, None):
            ticks = before if number is None else arrived[number]
            ends = number is None or number - since >= MAX_STATUSES or not -0x8000 <= ticks - before < 0x8000
            if run and (ends or number != base + place + len(run)):
                runs.append(Run(place, tuple(run)))
                run = []
            if ends:
                end = numbers[-1] + 1 if number is None else number
                yield TransportFeedback(
                    ssrc=ssrc,
                    media=media,
                    base=base & 0xFFFF,
                    statuses=end - base,
                    reference_time=reference & 0xFFFFFF,
                    number=self._number,
                    runs=tuple(runs),
                )
                self._number = (self._number + 1) & 0xFF
                base = since = end
                reference = ticks // REFERENCE_TICKS
                zero = reference * REFERENCE_TICKS
                runs = []
            if number is not None:
                if not run:
                    place = number - base
                run.append(ticks - zero)
                before = ticks


def _chunks(symbols: bytearray) -> Iterator[bytes]:
    """Status chunks (3.1.3, 3.1.4): a run where symbols repeat, else a vector of 14 bits or of 7 pairs of bits."""
    at = 0
    while at < len(symbols):
        symbol = symbols[at]
        rest = symbols[at:]
        run = min(len(rest) - len(rest.lstrip(bytes((symbol,)))), _MAX_RUN)
        vector = rest[:14]
        if run >= 14 or run == len(rest):
            at += run
            yield pack("!H", symbol - _LOST << 13 | run)
        elif _LARGE not in vector:
            at += 14
            yield pack("!H", 0x8000 | int(vector.ljust(14, b"0"), 2))
        elif run > 7:
            at += run
            yield pack("!H", symbol - _LOST << 13 | run)
        else:
            at += 7
            yield pack("!H", 0xC000 | int(vector[:7].ljust(7, b"0"), 4))


def _pieces(body: bytes, statuses: int) -> tuple[list[_Piece], int]:
    """The packets received, and where in `body` their deltas begin."""
    pieces: list[_Piece] = []
    first, before = 0, 0  # of the piece at hand: its place and its symbol
    place, at = 0, _BODY.size
    while place < statuses:
        chunk = body[at] << 8 | body[at + 1]
        at += 2
        symbols: tuple[int, ...]
        if chunk < 0x8000:
            symbols, length = (chunk >> 13,), chunk & _MAX_RUN
        elif chunk < 0xC000:
            symbols, length = tuple(chunk >> bit & 1 for bit in range(13, -1, -1)), 1
        else:
            symbols, length = tuple(chunk >> bit & 3 for bit in range(12, -1, -2)), 1
        for symbol in symbols:
            if symbol != before:
                if before and place > first:
                    pieces.append(_Piece(first, place - first, before))
                first, before = place, symbol
            length = min(length, statuses - place)
            if symbol == _RESERVED and length:
                raise InvalidPacket("transport-wide feedback with a reserved status")
            place += length
    if before and place > first:
        pieces.append(_Piece(first, place - first, before))
    return pieces, at
