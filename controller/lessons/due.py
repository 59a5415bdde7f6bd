"""Has a lesson looked at when time may move it, and again where that failed: no other timer comes."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self

from controller.lessons.jobs import Jobs
from controller.lessons.timers import Timers
from rooms.errors import StoreUnavailable
from rooms.lesson import Lesson, LessonId

logger = logging.getLogger(__name__)

RESTART_PAUSE_S = 1.0
"""Before a timer's job that failed is taken up again."""
STORE_PAUSE_S = 10.0
"""The same where the database was the reason."""


class Due:
    """`look`: at one lesson, at what time has made of it. `believed`: whether time alone may move a lesson now."""

    def __init__(
        self,
        look: Callable[[LessonId], Awaitable[None]],
        jobs: Jobs,
        *,
        grace: timedelta,
        clock: Callable[[], datetime],
        believed: Callable[[], bool],
    ) -> None:
        self._look = look
        self._jobs = jobs
        self._grace = grace
        self._believed = believed
        self._timers = Timers(self.came, clock)

    async def __aenter__(self) -> Self:
        await self._timers.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._timers.__aexit__(kind, error, traceback)

    def set(self, lesson: Lesson) -> None:
        """Have it looked at when it is due; never by a clock that is not believed."""
        if self._believed():
            self._timers.set(lesson, self._grace)

    def came(self, lesson_id: LessonId) -> None:
        """Its time may have come."""
        if self._jobs.open:
            self._jobs.begin(self._see(lesson_id), f"time of lesson {lesson_id}")

    def retime(self, read: Callable[[], Awaitable[Iterable[Lesson]]]) -> None:
        """The clock can be believed again: look at all that time may move."""
        if self._jobs.open:
            self._jobs.begin(self._see_all(read), "time of all lessons")

    async def _see_all(self, read: Callable[[], Awaitable[Iterable[Lesson]]]) -> None:
        async def all_came() -> None:
            for lesson in await read():
                self.came(lesson.id)

        await self._until_done(all_came, "all lessons")

    async def _see(self, lesson_id: LessonId) -> None:
        await self._until_done(lambda: self._look(lesson_id), f"lesson {lesson_id}")

    async def _until_done(self, work: Callable[[], Awaitable[None]], subject: str) -> None:
        while True:
            try:
                return await work()
            except StoreUnavailable as error:
                logger.warning("%s: the time came: %s", subject, error)
                await asyncio.sleep(STORE_PAUSE_S)
            except Exception:  # noqa: BLE001  # the rim around one scheduled job
                logger.exception("%s: the time came", subject)
                await asyncio.sleep(RESTART_PAUSE_S)
