"""Rooms that are done with a lesson: put to rest beside what goes on, and looked at for a while after that."""

import asyncio
import logging
from collections.abc import Collection
from datetime import datetime, timedelta

from controller.lessons.jobs import Jobs, stop
from controller.lessons.lesson_run import EndingLesson
from rooms.lesson import Lesson, LessonId, LessonState
from rooms.room import RoomId

logger = logging.getLogger(__name__)

ENDING_MEMORY = timedelta(minutes=10)
"""Lessons that ended within this time before our start get their `end` scene again: we may have died in it."""


class Endings:
    """Each runs in a task of `jobs`."""

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs
        self._running: dict[EndingLesson, asyncio.Task[None]] = {}

    def begin(self, ending: EndingLesson) -> None:
        name = f"end of lesson {ending.plan.lesson.id}"
        self._running[ending] = self._jobs.begin(self._see_off(ending), name)

    def of(self, lesson_id: LessonId) -> EndingLesson | None:
        """The ended lesson as it is being put to rest, or was a while ago."""
        for ending in self._running:
            if ending.plan.lesson.id == lesson_id and ending.plan.lesson.state is LessonState.ENDED:
                return ending
        return None

    async def give_up(self, rooms: Collection[RoomId]) -> None:
        """The next lesson has these rooms."""
        for ending in list(self._running):
            await ending.give_up(rooms)

    async def take_back(self, lesson_id: LessonId) -> None:
        """The lesson goes on: return once nothing of it is being ended any more."""
        if (ended := self.of(lesson_id)) is not None:
            await ended.keep_bridge()
            await stop(self._running[ended])

    async def _see_off(self, ending: EndingLesson) -> None:
        try:
            await ending.run()
            await asyncio.sleep(ENDING_MEMORY.total_seconds())  # its steps can be looked at for a while
        except Exception:  # noqa: BLE001  # the rim around one lesson
            logger.exception("lesson %s: could not be put to rest", ending.plan.lesson.id)
        finally:
            self._running.pop(ending, None)


def just_ended(lesson: Lesson, now: datetime) -> bool:
    """Whether its rooms may still have to be put to rest."""
    return lesson.state is LessonState.ENDED and lesson.ended_at is not None and lesson.ended_at > now - ENDING_MEMORY
