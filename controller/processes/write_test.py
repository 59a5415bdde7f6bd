"""Whether something can be written now: tried when it is asked for, at most every few seconds, by one at a time."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

logger = logging.getLogger(__name__)

EVERY_S = 10.0
PATIENCE_S = 2.0
"""Who asks is told "no" after this; a write that is still waiting then goes on."""


class WriteTest:
    """Its owner runs `run()` in a task. `write`: raises one of `failures` where nothing can be written."""

    def __init__(
        self, what: str, write: Callable[[], Awaitable[None]], *, failures: tuple[type[Exception], ...]
    ) -> None:
        self._what = what
        self._write = write
        self._failures = failures
        self._wanted = asyncio.Event()
        self._tried = asyncio.Event()
        self._tried_at = float("-inf")
        self._works = True

    async def works(self) -> bool:
        if asyncio.get_running_loop().time() - self._tried_at >= EVERY_S:
            tried = self._tried
            self._wanted.set()
            try:
                async with asyncio.timeout(PATIENCE_S):
                    await tried.wait()
            except TimeoutError:
                return False
        return self._works

    async def run(self) -> None:
        """Try whenever somebody wants to know, until cancelled."""
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            before = self._works
            try:
                await self._write()
                self._works = True
            except self._failures as error:
                self._works = False
                if before:
                    logger.error("%s: cannot be written: %s", self._what, error)
            if self._works and not before:
                logger.info("%s: can be written again", self._what)
            self._tried_at = asyncio.get_running_loop().time()
            self._tried.set()
            self._tried = asyncio.Event()
