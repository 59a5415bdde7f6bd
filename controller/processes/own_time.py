"""Time in which our own event loop ran. Others are judged by it: while we stood still, we could not have heard them.

A loop that was held up finds at once what is due and what has arrived, and a timer would win. So silence, and how long
somebody takes to answer, are counted here in short steps of the loop: one that took longer counts no more than a step.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

STEP_S = 0.1
LATE_S = 0.1
"""A step may come so much later; the rest of what it took is not ours."""
CATCH_UP_S = 0.3
"""How long we must have run after a late step to have read what had come meanwhile."""
CATCH_UP_LIMIT_S = 2.0
"""A loop that is late again and again has caught up after this: somebody must decide at last."""


class Deadline:
    """When a block inside `OwnTime.timeout` ends."""

    def __init__(self, own_time: "OwnTime", scope: asyncio.Timeout, duration_s: float) -> None:
        self._own_time = own_time
        self._scope = scope
        self.at = own_time.now() + duration_s

    def extend(self, duration_s: float) -> None:
        """The block has so long from now on."""
        self.at = self._own_time.now() + duration_s

    def expire(self) -> None:
        self._scope.reschedule(asyncio.get_running_loop().time())


class OwnTime:
    """Seconds in which our loop ran, from an arbitrary moment on. `own_time()` makes one."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._own_s = 0.0
        self._stepped_at = loop.time()
        self._late_at = float("-inf")
        self._waiting: set[Deadline] = set()
        self._handle = loop.call_later(STEP_S, self._step)

    def now(self) -> float:
        return self._own_s + self._since_step()

    @asynccontextmanager
    async def timeout(self, duration_s: float) -> AsyncIterator[Deadline]:
        """As `asyncio.timeout`, in own time, to the step. Raises `TimeoutError`."""
        async with asyncio.timeout(None) as scope:
            deadline = Deadline(self, scope, duration_s)
            self._waiting.add(deadline)
            try:
                yield deadline
            finally:
                self._waiting.discard(deadline)

    async def sleep(self, duration_s: float) -> None:
        with suppress(TimeoutError):
            async with self.timeout(duration_s):
                await asyncio.Event().wait()

    async def caught_up(self) -> None:
        """Return once we have read what had come while the loop was held up; at once where it was not."""
        limit = self.now() + CATCH_UP_LIMIT_S
        while (now := self.now()) < limit and now - self._late_at < CATCH_UP_S:
            await self.sleep(STEP_S)

    def close(self) -> None:
        self._handle.cancel()

    def _since_step(self) -> float:
        return min(self._loop.time() - self._stepped_at, STEP_S + LATE_S)

    def _step(self) -> None:
        now = self._loop.time()
        late = now - self._stepped_at > STEP_S + LATE_S
        self._own_s += self._since_step()
        self._stepped_at = now
        if late:
            self._late_at = self._own_s
        else:  # after a late step, what has come is read first
            self._expire()
        self._handle = self._loop.call_later(STEP_S, self._step)

    def _expire(self) -> None:
        for deadline in [each for each in self._waiting if each.at <= self._own_s]:
            self._waiting.discard(deadline)
            deadline.expire()


@asynccontextmanager
async def own_time() -> AsyncIterator[OwnTime]:
    """Own time of the running loop, counted until the block ends."""
    counted = OwnTime(asyncio.get_running_loop())
    try:
        yield counted
    finally:
        counted.close()
