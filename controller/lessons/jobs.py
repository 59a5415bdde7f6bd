"""What runs for lessons, each beside the others, for as long as their owner runs."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from rooms.errors import InvalidState


class Jobs:
    """Tasks of one owner; none is begun before it runs, or after."""

    def __init__(self) -> None:
        self._tasks: asyncio.TaskGroup | None = None

    @property
    def open(self) -> bool:
        """Whether something can be begun now; what comes at other times waits for the next start."""
        return self._tasks is not None

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Tasks that are left at the end of the block are cancelled if it raises, else awaited."""
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            try:
                yield
            finally:
                self._tasks = None

    def begin(self, work: Coroutine[None, None, None], name: str) -> asyncio.Task[None]:
        """Raises `InvalidState` while the owner does not run."""
        if self._tasks is None:
            work.close()
            raise InvalidState("the conductor is not running")
        return self._tasks.create_task(work, name=name)


async def stop(task: asyncio.Task[Any]) -> None:
    """Cancel a task and wait for its end."""
    task.cancel()
    await asyncio.wait([task])
