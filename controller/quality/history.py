"""A site's figures over a lesson, small enough to be kept for every one: rows of 16-bit numbers at even distances.

Two hours of 21 sites take less than half a megabyte in memory, and a tenth of it compressed in the database.
"""

import zlib
from array import array
from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import IntEnum
from sys import byteorder

from controller.quality.verdict import Figures, SiteQuality, Word
from store.quality import StoredHistory

SAMPLE_S = 2
CAPACITY = 900
"""Half an hour at full resolution; two hours in steps of 8 s, as many as a wide screen has pixels for."""
UNKNOWN = 0xFFFF
WORDS = (Word.GOOD, Word.WEAK, Word.LOST)  # as numbers, the worst is the largest


class Column(IntEnum):
    """What is kept, in the order of the columns. New ones come last: stored rows have fewer."""

    WORD = 0  # index in `WORDS`
    UP_KBPS = 1
    DOWN_KBPS = 2
    ESTIMATE_KBPS = 3
    UP_LOSS = 4  # in thousandths, as the next
    DOWN_LOSS = 5
    ROUND_TRIP_MS = 6
    JITTER_MS = 7
    FREEZES = 8  # in the step


AVERAGED = frozenset({Column.UP_KBPS, Column.DOWN_KBPS, Column.ESTIMATE_KBPS})
"""Of the others the worst of a step is kept, and freezes are added: what hurt must not vanish in thinning."""
Row = Sequence[int]  # one number per column, `UNKNOWN` where there is none


def row(seen: Figures | None, shown: SiteQuality | None, freezes: int) -> Row:
    """The figures of one moment. `freezes`: since the row before."""
    word = UNKNOWN if shown is None else WORDS.index(shown.word)
    if seen is None:
        return [word, *[UNKNOWN] * (len(Column) - 1)]
    numbers = (
        seen.up_bps / 1000,
        seen.down_bps / 1000,
        None if seen.estimate_bps is None else seen.estimate_bps / 1000,
        seen.up_loss * 1000,
        seen.down_loss * 1000,
        seen.round_trip_ms,
        max(seen.up_jitter_ms, seen.down_jitter_ms),
        freezes,
    )
    return [word, *(UNKNOWN if each is None else min(round(each), UNKNOWN - 1) for each in numbers)]


class History:
    """At most `CAPACITY` rows from `start` on, `interval_s` apart; the interval doubles when they are full."""

    def __init__(self, start: datetime, interval_s: int = SAMPLE_S) -> None:
        self.start = start
        self.interval_s = interval_s
        self._columns = [array("H") for _ in Column]
        self._merged = 1  # how many rows the last one is made of

    def __len__(self) -> int:
        return len(self._columns[0])

    def column(self, column: Column) -> Sequence[int]:
        return self._columns[column]

    def add(self, at: datetime, new: Row) -> None:
        """Take in what was true at `at`; times until then of which nothing is known stay unknown."""
        place = self._place(at)
        while place >= CAPACITY:
            self._thin()
            place = self._place(at)
        if place < 0:
            return  # the clock was set back to before the lesson
        if place < len(self):
            self._merged += 1
            for column, values in zip(Column, self._columns, strict=True):
                values[-1] = _merge(column, values[-1], new[column], self._merged)
            return
        self._merged = 1
        late = len(self) > 0 and place == len(self) + 1  # a look that came late is no gap
        for column, values in zip(Column, self._columns, strict=True):
            values.extend([new[column] if late and column is not Column.FREEZES else UNKNOWN] * (place - len(values)))
            values.append(new[column])

    def thinned(self, most: int) -> "History":
        """The same in at most `most` rows."""
        copy = History(self.start, self.interval_s)
        copy._columns = [array("H", values) for values in self._columns]
        while len(copy) > most:
            copy._thin()
        return copy

    def _place(self, at: datetime) -> int:
        return (at - self.start) // timedelta(seconds=self.interval_s)

    def _thin(self) -> None:
        self.interval_s *= 2
        for column in Column:
            values = self._columns[column]
            pairs = zip(values[::2], [*values[1::2], UNKNOWN], strict=False)
            self._columns[column] = array("H", [_merge(column, *pair, 2) for pair in pairs])

    # -- in the database

    def stored(self) -> StoredHistory:
        """Compressed: the number of columns, then one after the other, little-endian."""
        columns = [array("H", values) for values in self._columns]
        if byteorder == "big":
            for values in columns:
                values.byteswap()
        octets = bytes([len(Column)]) + b"".join(values.tobytes() for values in columns)
        return StoredHistory(self.start, self.interval_s, zlib.compress(octets, 1))

    @classmethod
    def of(cls, stored: StoredHistory) -> "History":
        """What `stored` gave, of this version or an older one."""
        history = cls(stored.start, stored.interval_s)
        plain = zlib.decompress(stored.samples)
        count, octets = plain[0], plain[1:]
        length = len(octets) // count
        for index in range(min(count, len(Column))):
            values = history._columns[index]
            values.frombytes(octets[index * length : (index + 1) * length])
            if byteorder == "big":
                values.byteswap()
        for values in history._columns[count:]:
            values.extend([UNKNOWN] * len(history))
        return history


def _merge(column: Column, one: int, other: int, count: int) -> int:
    """`one` of `count` - 1 rows and the row after them as one."""
    if UNKNOWN in (one, other):
        return min(one, other)
    if column in AVERAGED:
        return round(one + (other - one) / count)
    return min(one + other, UNKNOWN - 1) if column is Column.FREEZES else max(one, other)
