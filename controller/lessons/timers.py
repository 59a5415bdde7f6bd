"""When time alone changes something about a lesson. Timers live in memory and are rebuilt from the lessons at start."""

from collections.abc import Callable
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self

from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from rooms.lesson import EARLIEST_START, Lesson, LessonId, LessonState, due_at


class Timers:
    """Calls `due(lesson_id)` when a lesson can be started, and when its time or a room's floor is over.

    `due` returns at once.
    """

    def __init__(self, due: Callable[[LessonId], None], clock: Callable[[], datetime]) -> None:
        self._due = due
        self._clock = clock
        self._scheduler = AsyncIOScheduler(timezone="UTC")

    async def __aenter__(self) -> Self:
        self._scheduler.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._scheduler.shutdown(wait=False)

    def set(self, lesson: Lesson, grace: timedelta) -> None:
        """Have exactly the timers that this lesson needs now."""
        opens = lesson.start - EARLIEST_START if lesson.state is LessonState.SCHEDULED else None
        self._at(f"{lesson.id} opens", opens if opens and opens > self._clock() else None, lesson.id)
        self._at(f"{lesson.id} is due", due_at(lesson, grace), lesson.id)
        self._at(f"{lesson.id} has the floor back", lesson.floor.until if lesson.floor else None, lesson.id)

    def _at(self, job_id: str, when: datetime | None, lesson_id: LessonId) -> None:
        if when is None:
            try:
                self._scheduler.remove_job(job_id)
            except JobLookupError:
                return
        else:
            # However late it comes, it must come: a lesson that ended while the machine slept is ended on waking.
            self._scheduler.add_job(
                self._fire,
                "date",
                run_date=when,
                args=[lesson_id],
                id=job_id,
                replace_existing=True,
                misfire_grace_time=None,
            )

    async def _fire(self, lesson_id: LessonId) -> None:
        """A coroutine, because APScheduler calls plain functions in a thread."""
        self._due(lesson_id)
