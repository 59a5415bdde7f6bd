"""A lesson's moves in the database: started, resumed, ended, moved by time; each with its audit line or not at all.

Nobody is kept in a lesson by a database that takes nothing: it is then ended from memory, and row and line follow.
"""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from controller.lessons.jobs import stop
from controller.lessons.record import lesson_entry, state_of
from rooms.audit import AuditEntry
from rooms.errors import StoreUnavailable
from rooms.lesson import EndReason, Lesson, LessonId, LessonState
from rooms.lesson_moves import moved_by_time
from store import Store
from store.lessons import LessonChange

logger = logging.getLogger(__name__)

TIME = "time"
"""Who acts where nobody does."""
WRITE_PATIENCE_S = 3.0
"""A class that is to end does not wait longer for the database."""
AGAIN_S = 2.0
"""Ends that could not be written are tried again this often."""


class LessonMoves:
    """Its owner runs `run()` in a task. All raise `LessonNotFound`, `InvalidState` where no rule has such a move."""

    def __init__(self, store: Store, *, grace: timedelta, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._grace = grace
        self._clock = clock
        self._writing: set[asyncio.Task[LessonChange]] = set()  # ends that the database may still take

    async def run(self) -> None:
        """Write the ends that could not be written at once, until cancelled."""
        try:
            while True:
                await asyncio.sleep(AGAIN_S)
                try:
                    await self._store.lessons.catch_up()
                except StoreUnavailable as error:
                    logger.debug("still not written: %s", error)
        finally:
            for writing in list(self._writing):
                await stop(writing)

    async def start(self, lesson_id: LessonId, actor: str) -> LessonChange:
        """scheduled -> live, once however often asked. Raises `RoomBusy`."""
        async with self._store.transaction() as tx:
            change = await tx.lessons.start(lesson_id, self._clock())
            await self._record(tx, change, "start", actor)
        return _logged(change)

    async def resume(self, lesson_id: LessonId, actor: str) -> LessonChange:
        """ended -> live, once however often asked. Raises `RoomBusy`."""
        async with self._store.transaction() as tx:
            change = await tx.lessons.resume(lesson_id, self._clock(), self._grace)
            await self._record(tx, change, "resume", actor)
        return _logged(change)

    async def end(self, lesson_id: LessonId, actor: str, reason: EndReason) -> LessonChange:
        """live -> ended, once however often asked."""
        now = self._clock()
        writing = asyncio.create_task(self._end(lesson_id, actor, now, reason), name=f"end of {lesson_id}")
        self._writing.add(writing)
        writing.add_done_callback(self._written)
        try:
            async with asyncio.timeout(WRITE_PATIENCE_S):
                change = await asyncio.shield(writing)
        except (StoreUnavailable, TimeoutError) as error:
            change = await self._store.lessons.end_unwritten(lesson_id, now, reason, _end_entry(lesson_id, actor, now))
            logger.warning("lesson %s: its end is not written yet: %s", lesson_id, error or "the database is held up")
        return _logged(change)

    async def by_time(self, lesson: Lesson) -> LessonChange:
        """The move that time has made due, if any; a floor whose time is over is taken back."""
        due = moved_by_time(lesson, self._clock(), self._grace)
        if due is lesson:
            return LessonChange(lesson, lesson)
        if due.state is LessonState.ENDED:
            return await self.end(lesson.id, TIME, due.end_reason)
        try:
            return await self._move_by_time(lesson.id)
        except StoreUnavailable as error:
            if due.state is not LessonState.LIVE:
                raise
            # The next comparison tries again; what runs here comes first.
            logger.warning("lesson %s: the floor is not taken back yet: %s", lesson.id, error)
            return LessonChange(lesson, lesson)

    async def _move_by_time(self, lesson_id: LessonId) -> LessonChange:
        async with self._store.transaction() as tx:
            change = await tx.lessons.move_by_time(lesson_id, self._clock(), self._grace)
            before, after = change
            if before.state is not after.state:
                await self._record(tx, change, "end" if after.state is LessonState.ENDED else "cancel", TIME)
            elif before.floor is not None and change.happened:
                logger.info("lesson %s: the floor of room %s is over", lesson_id, before.floor.room_id)
                had, has = {"room": before.floor.room_id}, {"room": None}
                entry = lesson_entry(after, "floor", at=self._clock(), actor=TIME, before=had, after=has)
                await tx.audit.add(entry)
        return _logged(change)

    async def _end(self, lesson_id: LessonId, actor: str, now: datetime, reason: EndReason) -> LessonChange:
        async with self._store.transaction() as tx:
            change = await tx.lessons.end(lesson_id, now, reason)
            await self._record(tx, change, "end", actor)
        return change

    def _written(self, writing: "asyncio.Task[LessonChange]") -> None:
        self._writing.discard(writing)
        if not writing.cancelled():
            writing.exception()  # whoever asked has it, or has gone on from memory

    async def _record(self, tx: Store, change: LessonChange, action: str, actor: str) -> None:
        if change.happened:
            before, after = (state_of(each.state) for each in change)
            at = self._clock()
            await tx.audit.add(lesson_entry(change.after, action, at=at, actor=actor, before=before, after=after))


def _end_entry(lesson_id: LessonId, actor: str, at: datetime) -> AuditEntry:
    return AuditEntry(
        at=at,
        actor=actor,
        action="lesson.end",
        object_kind="lesson",
        object_id=lesson_id,
        before=state_of(LessonState.LIVE),
        after=state_of(LessonState.ENDED),
    )


def _logged(change: LessonChange) -> LessonChange:
    before, after = change
    if before.state is not after.state:
        logger.info("lesson %s: %s -> %s", after.id, before.state, after.state)
    return change
