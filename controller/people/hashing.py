"""Work that takes a core for a while, such as a password's hash: in few threads of low priority, for few who wait.

On the same cores run the loop and bridge nodes: they go first. Who would wait too long is told so at once.
"""

import asyncio
import os
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TypeVar

from rooms.people.errors import LoginsBusy

T = TypeVar("T")

NICENESS = 10
MOST_FIRST = 256  # at 0.1 s each and one thread: half a minute
MOST_OTHERS = 64
BUSY_RETRY_AFTER = timedelta(seconds=5)


class HashingQueue:
    """At most `threads` pieces of work at once. The others wait in two rows, of which one goes first."""

    def __init__(self, threads: int | None = None) -> None:
        self._free = threads or max(1, min(4, (os.cpu_count() or 1) // 2))
        self._executor = ThreadPoolExecutor(self._free, thread_name_prefix="hashing", initializer=_step_back)
        self._first: deque[asyncio.Future[None]] = deque()
        self._others: deque[asyncio.Future[None]] = deque()

    @property
    def idle(self) -> bool:
        return self._free > 0

    async def run(self, work: Callable[[], T], *, first: bool) -> T:
        """What `work` returns. Raises `LoginsBusy` where the row is full."""
        await self._turn(first)
        done = asyncio.get_running_loop().run_in_executor(self._executor, work)
        done.add_done_callback(lambda _: self._pass_on())  # also after whoever asked is gone: the thread is busy
        return await asyncio.shield(done)

    async def _turn(self, first: bool) -> None:
        if self._free:
            self._free -= 1
            return
        row, most = (self._first, MOST_FIRST) if first else (self._others, MOST_OTHERS)
        if len(row) >= most:
            raise LoginsBusy(BUSY_RETRY_AFTER)
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        row.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                row.remove(turn)
            else:
                self._pass_on()
            raise

    def _pass_on(self) -> None:
        for row in (self._first, self._others):
            while row:
                turn = row.popleft()
                if not turn.done():
                    turn.set_result(None)
                    return
        self._free += 1


def _step_back() -> None:
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)  # sched(7): on Linux, of this thread alone
