"""Packets on their way over a link, each handed over at its time."""

import asyncio
import heapq
import itertools
from collections.abc import Callable

from testing.links.conditions import Direction


class Underway:
    """One timer, for the earliest packet; no task."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._heap: list[tuple[float, int, Callable[[bytes], object], bytes]] = []
        self._numbers = itertools.count()
        self._timer: asyncio.TimerHandle | None = None

    def send(self, packet: bytes, direction: Direction, receive: Callable[[bytes], object]) -> None:
        at = direction.arrival(len(packet), self._loop.time())
        if at is None:
            return
        heapq.heappush(self._heap, (at, next(self._numbers), receive, packet))
        if self._heap[0][3] is packet:
            self._wind()

    def clear(self) -> None:
        """Lose all that is on its way."""
        self._heap.clear()
        self._wind()

    def _wind(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._heap:
            self._timer = self._loop.call_at(self._heap[0][0], self._arrive)

    def _arrive(self) -> None:
        now = self._loop.time()
        while self._heap and self._heap[0][0] <= now:
            _, _, receive, packet = heapq.heappop(self._heap)
            receive(packet)
        self._wind()
