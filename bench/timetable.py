"""What a load has to do, and when: deadlines that do not drift, and how late they were met."""

import heapq
import itertools
from collections.abc import Callable

Action = Callable[[float], object]


class Timetable:
    """All times in seconds of one clock. `late_s`: of each action, from `record` on."""

    def __init__(self) -> None:
        self.late_s: list[float] = []
        self.recording = False
        self._heap: list[tuple[float, int, Action, float]] = []
        self._order = itertools.count()

    def add(self, at: float, action: Action, every_s: float = 0.0) -> None:
        """Call `action` with the time at `at`, and from then on `every_s` where that is not 0."""
        heapq.heappush(self._heap, (at, next(self._order), action, every_s))

    def run(self, now: float) -> float:
        """Do what is due at `now`; the time of what comes next."""
        heap = self._heap
        while heap[0][0] <= now:
            at, order, action, every_s = heap[0]
            if every_s:
                heapq.heapreplace(heap, (at + every_s, order, action, every_s))
            else:
                heapq.heappop(heap)
            if self.recording:
                self.late_s.append(now - at)
            action(now)
        return heap[0][0]
