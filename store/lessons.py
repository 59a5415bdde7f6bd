"""Lessons in the database.

The rules of `rooms/lesson_moves.py` and `rooms/lesson_changes.py` say what a lesson becomes. That is written in one
update on the condition that the lesson is still what the rule was shown, so that of many who try, one succeeds; the
others are shown what it has become. All that change a lesson raise `LessonNotFound`, and what their rule does.

Locks are taken in one order: the lesson's row, then its rooms' rows by id. Two lessons that want one room meet there,
and the second sees what the first did.
"""

from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from functools import partial
from typing import NamedTuple

from sqlalchemy import ColumnElement, Subquery, and_, exists, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from rooms.audit import AuditEntry
from rooms.errors import (
    AlreadyExists,
    InvalidLesson,
    LessonNotFound,
    OrganisationNotFound,
    RoomBusy,
    VersionConflict,
)
from rooms.floor import Floor, Mode
from rooms.invitation import InvitationState
from rooms.lesson import MAX_LENGTH, EndReason, Lesson, LessonId, LessonState, planned_site
from rooms.lesson_changes import answered, reminded, with_floor, with_mode, with_overridden, with_sending
from rooms.lesson_moves import cancelled, ended, moved_by_time, reinstated, replanned, resumed, started
from rooms.organisation_tree import OrganisationTree
from rooms.page import Page, Wanted
from rooms.people.rights import SEES_NOTHING
from rooms.room import RoomId
from rooms.scene import StepId
from rooms.school import SchoolId
from store.audit import Audit
from store.database import Database, Joined
from store.lesson_rows import columns_of, lesson_of, new_row, set_sites
from store.paging import Order, having, read_page
from store.rooms import lock_rooms
from store.tables import LessonRow, OrganisationRow, SiteRow

_LISTED: Order[LessonRow] = Order((LessonRow.start_at, LessonRow.id), lambda row: (row.start_at, row.id))


class LessonChange(NamedTuple):
    """A lesson before and after what was asked for."""

    before: Lesson
    after: Lesson

    @property
    def happened(self) -> bool:
        """False where it was so already."""
        return self.before is not self.after


class _UnwrittenEnd(NamedTuple):
    at: datetime
    reason: EndReason
    entry: AuditEntry


class Lessons:
    """Lessons with their sites. An end that could not be written is read as if it were, and written before all else."""

    def __init__(self, database: Database, tree: OrganisationTree) -> None:
        self._database = database
        self._tree = tree
        self._unwritten: dict[LessonId, _UnwrittenEnd] = {}

    async def add(self, lesson: Lesson) -> None:
        """Add a lesson made by `Lesson.planned`.

        Raises `InvalidLesson` (not as planned), `OrganisationNotFound`, `RoomNotFound`, `RoomBusy`, `AlreadyExists`.
        """
        _check_planned(lesson)
        async with self._writing() as db:
            if await db.get(OrganisationRow, lesson.host_school_id) is None:
                raise OrganisationNotFound(f"no school {lesson.host_school_id}")
            await _lock_sites(db, lesson, [site.room_id for site in lesson.sites])
            db.add(new_row(lesson))
            try:
                await db.flush()
            except IntegrityError as error:
                raise AlreadyExists(f"there is a lesson {lesson.id}") from error
            await _check_free(db, lesson)

    async def get(self, lesson_id: LessonId) -> Lesson:
        """Raises `LessonNotFound`."""
        async with self._database.reading() as db:
            return self._shown(lesson_of(await _found(db, lesson_id)))

    async def list(
        self, *, start: datetime, end: datetime, school_ids: Collection[SchoolId] | None = None
    ) -> tuple[Lesson, ...]:
        """Lessons that touch `start` to `end` with one of these schools as host or guest (None: any); by start."""
        query = select(LessonRow).where(_touching(start, end))
        if school_ids is not None:
            mine = _of_schools(school_ids, start, end)
            query = query.join(mine, mine.c.id == LessonRow.id)
        async with self._database.reading() as db:
            rows = await db.scalars(query.order_by(LessonRow.start_at, LessonRow.id))
            return tuple(self._shown(lesson_of(row)) for row in rows)

    async def page(
        self, wanted: Wanted, *, start: datetime, end: datetime, school_ids: Collection[SchoolId] | None = None
    ) -> Page[Lesson]:
        """As `list`, but for invitations that were taken back or have expired; words of the host's name count, too."""
        query = select(LessonRow).where(_touching(start, end))
        if school_ids is not None:
            mine = _of_schools(school_ids, start, end, SiteRow.invitation.not_in(SEES_NOTHING))
            query = query.join(mine, mine.c.id == LessonRow.id)
        if wanted.words:
            query = query.where(having(wanted.words, LessonRow.folded, self._of_host))
        async with self._database.reading() as db:
            return await read_page(db, query, _LISTED, wanted, lambda row: self._shown(lesson_of(row)))

    def _of_host(self, word: str) -> ColumnElement[bool]:
        return LessonRow.host_school_id.in_(self._tree.named_like(word))

    async def live(self) -> tuple[Lesson, ...]:
        """All live lessons, by start."""
        return await self._in_state(LessonState.LIVE)

    async def upcoming(self) -> tuple[Lesson, ...]:
        """All scheduled lessons, by start; also those whose end has passed and that nobody has cancelled yet."""
        return await self._in_state(LessonState.SCHEDULED)

    async def scheduled_in(self, room_ids: Collection[RoomId], *, before: datetime) -> tuple[LessonId, ...]:
        """Lessons that accepted one of these rooms and are to start before then."""
        here = exists().where(
            SiteRow.lesson_id == LessonRow.id,
            SiteRow.room_id.in_(room_ids),
            SiteRow.invitation == InvitationState.ACCEPTED,
        )
        query = select(LessonRow.id).where(LessonRow.state == LessonState.SCHEDULED, LessonRow.start_at < before, here)
        async with self._database.reading() as db:
            return tuple(LessonId(id) for id in await db.scalars(query))

    async def asking(self, room_id: RoomId) -> Lesson | None:
        """The live lesson that waits for this room: nobody has answered, or its display left; the latest of several."""
        here = exists().where(
            SiteRow.lesson_id == LessonRow.id,
            SiteRow.room_id == room_id,
            or_(SiteRow.invitation == InvitationState.PENDING, SiteRow.stepped_out),
        )
        query = select(LessonRow).where(LessonRow.state == LessonState.LIVE, here)
        async with self._database.reading() as db:
            row = await db.scalar(query.order_by(LessonRow.start_at.desc(), LessonRow.id).limit(1))
            return None if row is None else lesson_of(row)

    async def start(self, lesson_id: LessonId, now: datetime) -> LessonChange:
        """By the rule of `started`. Raises `RoomBusy` where an accepted room is in another live lesson."""
        return await self._change(lesson_id, partial(started, now=now))

    async def resume(self, lesson_id: LessonId, now: datetime, grace: timedelta) -> LessonChange:
        """By the rule of `resumed`. Raises `RoomBusy` as `start` does."""
        return await self._change(lesson_id, partial(resumed, now=now, grace=grace))

    async def end(self, lesson_id: LessonId, now: datetime, reason: EndReason) -> LessonChange:
        """By the rule of `ended`."""
        return await self._change(lesson_id, partial(ended, now=now, reason=reason))

    async def cancel(self, lesson_id: LessonId, now: datetime, reason: EndReason = EndReason.NONE) -> LessonChange:
        """By the rule of `cancelled`."""
        return await self._change(lesson_id, partial(cancelled, now=now, reason=reason))

    async def reinstate(self, lesson_id: LessonId, now: datetime) -> LessonChange:
        """By the rule of `reinstated`. Raises `RoomNotFound`, `RoomBusy`."""
        return await self._change(lesson_id, partial(reinstated, now=now))

    async def move_by_time(self, lesson_id: LessonId, now: datetime, grace: timedelta) -> LessonChange:
        """By the rule of `moved_by_time`."""
        return await self._change(lesson_id, partial(moved_by_time, now=now, grace=grace))

    async def update(self, lesson: Lesson, expected_version: int) -> LessonChange:
        """Change title, subject, kind, times and rooms, by the rule of `replanned`.

        Raises `VersionConflict`, `RoomNotFound`, `RoomBusy`, `InvalidLesson` (a room of another school).
        """

        def rule(current: Lesson) -> Lesson:
            if current.version != expected_version:
                raise VersionConflict(f"lesson {lesson.id}", expected=expected_version, current=current.version)
            return replanned(current, lesson)

        return await self._change(lesson.id, rule)

    async def set_invitation(
        self, lesson_id: LessonId, room_id: RoomId, invitation: InvitationState, *, stepped_out: bool = False
    ) -> LessonChange:
        """By the rule of `answered`. Raises `RoomBusy`."""
        rule = partial(answered, room_id=room_id, invitation=invitation, stepped_out=stepped_out)
        return await self._change(lesson_id, rule)

    async def set_overridden(self, lesson_id: LessonId, room_id: RoomId, steps: frozenset[StepId]) -> LessonChange:
        """By the rule of `with_overridden`."""
        return await self._change(lesson_id, partial(with_overridden, room_id=room_id, steps=steps))

    async def set_sending(
        self, lesson_id: LessonId, room_id: RoomId, *, muted: bool | None = None, camera_off: bool | None = None
    ) -> LessonChange:
        """By the rule of `with_sending`."""
        return await self._change(lesson_id, partial(with_sending, room_id=room_id, muted=muted, camera_off=camera_off))

    async def remind(self, lesson_id: LessonId, room_id: RoomId, now: datetime) -> LessonChange:
        """By the rule of `reminded`."""
        return await self._change(lesson_id, partial(reminded, room_id=room_id, now=now))

    async def set_mode(self, lesson_id: LessonId, mode: Mode) -> LessonChange:
        """By the rule of `with_mode`."""
        return await self._change(lesson_id, partial(with_mode, mode=mode))

    async def set_floor(self, lesson_id: LessonId, floor: Floor | None) -> LessonChange:
        """By the rule of `with_floor`."""
        return await self._change(lesson_id, partial(with_floor, floor=floor))

    async def end_unwritten(
        self, lesson_id: LessonId, now: datetime, reason: EndReason, entry: AuditEntry
    ) -> LessonChange:
        """As `end`, where nothing can be written: row and `entry` follow together at the next write, or `catch_up`."""
        lesson = await self.get(lesson_id)
        after = ended(lesson, now, reason)
        if after is not lesson:
            self._unwritten[lesson_id] = _UnwrittenEnd(now, reason, entry)
        return LessonChange(lesson, after)

    async def catch_up(self) -> None:
        """Write the ends that could not be written until now. Raises `StoreUnavailable`."""
        if self._unwritten:
            async with self._writing():
                pass

    async def _change(self, lesson_id: LessonId, rule: Callable[[Lesson], Lesson]) -> LessonChange:
        """What `rule` makes of the lesson, written if it is still the lesson that the rule was shown.

        Raises `LessonNotFound`, and what the rule does.
        """
        async with self._writing() as db:
            return await _change(db, lesson_id, rule)

    @asynccontextmanager
    async def _writing(self) -> AsyncIterator[AsyncSession]:
        unwritten = dict(self._unwritten)
        async with self._database.writing() as db:
            for lesson_id, end in unwritten.items():
                await self._catch_up(db, lesson_id, end)
            yield db
        for lesson_id in unwritten:
            self._unwritten.pop(lesson_id, None)

    async def _catch_up(self, db: AsyncSession, lesson_id: LessonId, end: _UnwrittenEnd) -> None:
        """Where whoever held the database up has let the end through meanwhile, there is nothing to do."""
        if lesson_of(await _found(db, lesson_id)).state is LessonState.LIVE:
            await _change(db, lesson_id, partial(ended, now=end.at, reason=end.reason))
            await Audit(Joined(self._database, db)).add(end.entry)

    def _shown(self, lesson: Lesson) -> Lesson:
        end = self._unwritten.get(lesson.id)
        return lesson if end is None or lesson.state is not LessonState.LIVE else ended(lesson, end.at, end.reason)

    async def _in_state(self, state: LessonState) -> tuple[Lesson, ...]:
        query = select(LessonRow).where(LessonRow.state == state).order_by(LessonRow.start_at, LessonRow.id)
        async with self._database.reading() as db:
            lessons = [self._shown(lesson_of(row)) for row in await db.scalars(query)]
        return tuple(lesson for lesson in lessons if lesson.state is state)


async def _change(db: AsyncSession, lesson_id: LessonId, rule: Callable[[Lesson], Lesson]) -> LessonChange:
    while True:
        row = await _found(db, lesson_id)
        before = lesson_of(row)
        after = rule(before)
        if after is before or await _replaced(db, row, before, after):
            return LessonChange(before, after)


async def _replaced(db: AsyncSession, row: LessonRow, before: Lesson, after: Lesson) -> bool:
    """Write `after` in one update on the condition that the row still says `before`; whether it did."""
    written = await db.scalar(
        update(LessonRow)
        .where(LessonRow.id == before.id, LessonRow.state == before.state, LessonRow.version == before.version)
        .values(columns_of(after))
        .returning(LessonRow.id)
    )
    if written is None:
        return False
    taken = _taken_anew(before, after)
    if taken:
        await _lock_sites(db, after, taken)
    if after.sites != before.sites:
        set_sites(row, after.sites)
        await db.flush()
    if taken:
        await _check_free(db, after)
    return True


def _taken_anew(before: Lesson, after: Lesson) -> frozenset[RoomId]:
    """The rooms that the lesson asks for or takes with this change: they must be there, and free where accepted."""
    accepted = frozenset(site.room_id for site in after.accepted)
    if after.state is LessonState.LIVE and before.state is not LessonState.LIVE:
        return accepted
    rooms, known = (frozenset(site.room_id for site in each.sites) for each in (after, before))
    if after.state is LessonState.SCHEDULED and _plan(before, known) != _plan(after, rooms):
        return rooms
    return frozenset() if after.state.over else accepted - {site.room_id for site in before.accepted}


def _plan(lesson: Lesson, rooms: frozenset[RoomId]) -> object:
    return lesson.state, lesson.start, lesson.end, rooms


def _touching(start: datetime, end: datetime) -> ColumnElement[bool]:
    """With what lets an index be used: none lasts longer than `MAX_LENGTH`."""
    return and_(LessonRow.start_at < end, LessonRow.end_at > start, LessonRow.start_at > start - MAX_LENGTH)


def _of_schools(
    school_ids: Collection[SchoolId], start: datetime, end: datetime, *of_guest: ColumnElement[bool]
) -> Subquery:
    """Ids of lessons at that time with one of these as host, or as a guest; found from the school, not by the time."""
    hosted = select(LessonRow.id).where(LessonRow.host_school_id.in_(school_ids), _touching(start, end))
    of_site = select(SiteRow.lesson_id).join(LessonRow, LessonRow.id == SiteRow.lesson_id)
    joined = of_site.where(SiteRow.school_id.in_(school_ids), _touching(start, end), *of_guest)
    return hosted.union(joined).subquery()


def _check_planned(lesson: Lesson) -> None:
    """Nobody answers for a guest: a new lesson's sites are as `Lesson.planned` makes them."""
    if lesson.state is not LessonState.SCHEDULED:
        raise InvalidLesson(f"lesson {lesson.id} is {lesson.state}; a new lesson is scheduled")
    for site in lesson.sites:
        if site != planned_site(lesson.host_school_id, site.room_id, site.school_id):
            raise InvalidLesson(
                f"lesson {lesson.id}: room {site.room_id} cannot be {site.invitation} from the beginning"
            )


async def _lock_sites(db: AsyncSession, lesson: Lesson, room_ids: Collection[RoomId]) -> None:
    """Hold these rooms of the lesson, and check that each is of the school that its site says."""
    schools = {row.id: row.school_id for row in await lock_rooms(db, room_ids)}
    for room_id in room_ids:
        if schools[room_id] != lesson.site(room_id).school_id:
            raise InvalidLesson(f"room {room_id} is not of school {lesson.site(room_id).school_id}")


async def _check_free(db: AsyncSession, lesson: Lesson) -> None:
    """Raises `RoomBusy` where an accepted room is accepted in another lesson at the same time. The rooms are locked.

    The same time is: their times overlap, or both are live, whatever their times say.
    """
    not_over = LessonRow.state.in_((LessonState.SCHEDULED, LessonState.LIVE))
    together = and_(not_over, LessonRow.start_at < lesson.end, LessonRow.end_at > lesson.start)
    if lesson.state is LessonState.LIVE:
        together = or_(together, LessonRow.state == LessonState.LIVE)
    taken = await db.execute(
        select(SiteRow.room_id, LessonRow.id)
        .join(LessonRow, LessonRow.id == SiteRow.lesson_id)
        .where(
            SiteRow.room_id.in_([site.room_id for site in lesson.accepted]),
            SiteRow.invitation == InvitationState.ACCEPTED,
            LessonRow.id != lesson.id,
            together,
        )
        .order_by(LessonRow.start_at, LessonRow.id)
        .limit(1)
    )
    if (first := taken.one_or_none()) is not None:
        raise RoomBusy(first[0], first[1])


async def _found(db: AsyncSession, lesson_id: LessonId) -> LessonRow:
    row = await db.get(LessonRow, lesson_id, populate_existing=True)
    if row is None:
        raise LessonNotFound(f"no lesson {lesson_id}")
    return row
