"""Whose work is done next: each school has a queue, a place in a round, and a budget of processor time.

The round is FQ-CoDel's (RFC 8290, 4): deficit round robin, where a queue that was empty is served before those that
have been waiting, so a quiet school does not feel how many are loud. The budget is a bucket of processor time. A school
that has emptied it rests until there is some again, and of what it sends meanwhile only the newest is kept.

No clock and no broker here: times and costs are given, in nanoseconds.
"""

import heapq
from collections import Counter, deque
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

SHARE = 0.2
"""Of a processor core, for each school, for as long as it likes."""
BURST_NS = 2_000_000_000
"""What a school has saved up at most: a large one's retained messages, taken in at once when we start."""
QUANTUM_NS = 1_000_000
"""Of one turn in the round."""
WAKE_NS = 5_000_000
"""A school that rests has at least this much before it goes on, so that it is not woken for every message."""
WAITING_LIMIT = 25_000
"""Messages of one school: more than all its discovery topics."""
BYTES_LIMIT = 16 * 1024 * 1024
"""Payloads of one school that wait."""
RATE = 10_000
"""Messages a second that a school may send for as long as it likes, and as many more at once; a large one counts as
several (`LARGE_BYTES`). Below it a message that is not read costs us little; above it those of others wait behind it
in the broker."""
LARGE_BYTES = 4 * 1024
RECEIVING_NS = 10_000
"""What a message costs before anybody looks at it."""

Kind = tuple[str, bool]
"""What a newer piece of work takes the place of: the topic, and whether it is replayed by the broker."""
S = TypeVar("S", bound=Hashable)
W = TypeVar("W")


_Waiting = tuple[W, int, Kind]
"""Work, its size in bytes, its kind. A tuple: one is made for every message."""


@dataclass(slots=True, eq=False)
class Lane(Generic[S, W]):
    """One school's part."""

    school: S
    waiting: dict[Kind | int, _Waiting[W]] = field(default_factory=dict)  # in the order of coming
    begun: W | None = None  # what is left of a piece of work that was cut; done before what waits
    size: int = 0
    turn_ns: int = QUANTUM_NS
    budget_ns: float = BURST_NS
    counted_ns: int = 0  # when the budget was brought up to date
    active: bool = False  # it has a place in the round, or rests
    over: bool = False  # it has spent its budget, and something from then on still waits
    arrivals: float = RATE  # that it has left
    arrivals_counted_ns: int = 0
    passed_over: Counter[Kind] = field(default_factory=Counter)  # kinds; for whoever tells the school
    refused: Counter[Kind] = field(default_factory=Counter)

    @property
    def idle(self) -> bool:
        """Nothing of it waits, and it has budget left."""
        return not self.active and self.budget_ns > 0


class Shares(Generic[S, W]):
    """The queues of all schools. `put` and `next` cost the same however many schools there are."""

    def __init__(self) -> None:
        self._lanes: dict[S, Lane[S, W]] = {}
        self._new: deque[Lane[S, W]] = deque()
        self._old: deque[Lane[S, W]] = deque()
        self._resting: list[tuple[float, int, Lane[S, W]]] = []
        self._count = 0

    def __iter__(self) -> Iterator[Lane[S, W]]:
        return iter(self._lanes.values())

    def lane(self, school: S) -> Lane[S, W]:
        """The school's part; it is kept until `forget`."""
        lane = self._lanes.get(school)
        if lane is None:
            lane = self._lanes[school] = Lane(school)
        return lane

    def forget(self, school: S) -> None:
        """Drop a school with all that waits."""
        lane = self._lanes.pop(school, None)
        if lane is not None:
            self.clear(lane, lambda work: False)

    @staticmethod
    def clear(lane: Lane[S, W], keep: Callable[[W], bool]) -> None:
        """Drop what waits, but for what is to be kept."""
        lane.waiting = {key: each for key, each in lane.waiting.items() if keep(each[0])}
        lane.size = sum(each[1] for each in lane.waiting.values())

    def put(self, lane: Lane[S, W], work: W, size: int, kind: Kind) -> None:
        """Queue `work`, of `size` bytes; once the budget is spent, in the place of what is of the same kind."""
        if not lane.over and len(lane.waiting) >= WAITING_LIMIT:
            _collapse(lane)
        if lane.over:
            key: Kind | int = kind
            older = lane.waiting.get(kind)
        else:
            self._count = key = self._count + 1
            older = None
        if older is not None:
            lane.passed_over[kind] += 1
            lane.size -= older[1]
        elif len(lane.waiting) >= WAITING_LIMIT or lane.size + size > BYTES_LIMIT:
            lane.refused[kind] += 1
            return
        lane.waiting[key] = work, size, kind
        lane.size += size
        if not lane.active:
            lane.active, lane.turn_ns = True, QUANTUM_NS
            self._new.append(lane)

    def next(self, now_ns: int) -> tuple[Lane[S, W], W] | None:
        """The piece of work whose turn it is; follow with `spend`. None where nobody waits who has budget left."""
        while self._resting and self._resting[0][0] <= now_ns:
            self._old.append(heapq.heappop(self._resting)[2])
        while ring := self._new or self._old:
            lane = ring[0]
            if not lane.waiting and lane.begun is None:
                lane.over = False
                ring.popleft()
                if ring is self._new and self._old:
                    self._old.append(lane)  # else a school that says a little all the time would always be first
                else:
                    lane.active = False
            elif lane.turn_ns <= 0:
                lane.turn_ns += QUANTUM_NS
                ring.popleft()
                self._old.append(lane)
            elif lane.budget_ns <= 0 and self._rests(lane, now_ns):
                ring.popleft()
            else:
                return lane, self._first(lane)
        return None

    @staticmethod
    def _first(lane: Lane[S, W]) -> W:
        if lane.begun is not None:
            begun, lane.begun = lane.begun, None
            return begun
        first = lane.waiting.pop(next(iter(lane.waiting)))
        lane.size -= first[1]
        return first[0]

    def _rests(self, lane: Lane[S, W], now_ns: int) -> bool:
        """Bring the budget up to date; True where there is none, and the lane now rests."""
        lane.budget_ns = min(BURST_NS, lane.budget_ns + (now_ns - lane.counted_ns) * SHARE)
        lane.counted_ns = now_ns
        if lane.budget_ns > 0:
            return False
        if not lane.over:
            _collapse(lane)
        self._count += 1
        heapq.heappush(self._resting, (now_ns + (WAKE_NS - lane.budget_ns) / SHARE, self._count, lane))
        return True

    @staticmethod
    def spend(lane: Lane[S, W], cost_ns: int) -> None:
        """`lane`'s piece of work has cost so much."""
        lane.turn_ns -= cost_ns
        lane.budget_ns -= cost_ns

    @staticmethod
    def arrived(lane: Lane[S, W], size: int, now_ns: int) -> bool:
        """Count a message that has just come, of `size` bytes. False where it is one too many (`RATE`)."""
        lane.arrivals -= 1 + size // LARGE_BYTES
        lane.budget_ns -= RECEIVING_NS
        if lane.arrivals > 0:
            return True
        lane.arrivals = min(RATE, lane.arrivals + (now_ns - lane.arrivals_counted_ns) * RATE / 1e9)
        lane.arrivals_counted_ns = now_ns
        if lane.arrivals > 0:
            return True
        if not lane.over:
            _collapse(lane)
        return False

    @property
    def ready(self) -> bool:
        """Whether `next` may have something now."""
        return bool(self._new or self._old)

    @property
    def due_ns(self) -> float | None:
        """When a school that rests goes on."""
        return self._resting[0][0] if self._resting else None


def busiest(lane: Lane[S, W]) -> list[Kind]:
    """The kinds of work that are a tenth or more of what the school has sent of late; all where there is no such."""
    counts = lane.passed_over + Counter(each[2] for each in lane.waiting.values())
    few = [kind for kind, count in counts.items() if count * 10 >= counts.total()]
    return few or list(counts)


def _collapse(lane: Lane[S, W]) -> None:
    """From now on only the newest of each kind waits, in the place of the oldest."""
    lane.over = True
    newest: dict[Kind | int, _Waiting[W]] = {}
    for each in lane.waiting.values():
        kind = each[2]
        if kind in newest:
            lane.passed_over[kind] += 1
        newest[kind] = each
    lane.waiting = newest
    lane.size = sum(each[1] for each in newest.values())
