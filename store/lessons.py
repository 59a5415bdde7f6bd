"""Lessons in the database. Each move is one conditional update, so that of many who try, one succeeds.

Locks are taken in one order: the lesson's row, then its rooms' rows by id. Two lessons that want one room meet there,
and the second sees what the first did.
"""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Subquery, and_, exists, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from rooms.errors import (
    AlreadyExists,
    InvalidLesson,
    InvalidState,
    LessonNotFound,
    OrganisationNotFound,
    RemindedLately,
    RoomBusy,
    VersionConflict,
)
from rooms.floor import Floor, Mode
from rooms.folding import folded
from rooms.invitation import InvitationState, checked_move
from rooms.lesson import (
    MAX_LENGTH,
    REMIND_PAUSE,
    EndReason,
    Lesson,
    LessonId,
    LessonState,
    can_resume,
    ended,
    planned_site,
    reinstated,
    replanned,
)
from rooms.organisation_tree import OrganisationTree
from rooms.page import Page, Wanted
from rooms.people.rights import SEES_NOTHING
from rooms.room import RoomId
from rooms.scene import StepId
from rooms.school import SchoolId
from store.database import Database
from store.lesson_rows import find_site, lesson_of, new_row, set_floor, set_sites
from store.paging import Order, having, read_page
from store.rooms import lock_rooms
from store.tables import LessonRow, OrganisationRow, SiteRow

_LISTED: Order[LessonRow] = Order((LessonRow.start_at, LessonRow.id), lambda row: (row.start_at, row.id))


class Lessons:
    """Lessons with their sites. An end that could not be written is read as if it were, and written before all else."""

    def __init__(self, database: Database, tree: OrganisationTree) -> None:
        self._database = database
        self._tree = tree
        self._unwritten: dict[LessonId, tuple[datetime, EndReason]] = {}

    async def add(self, lesson: Lesson) -> None:
        """Add a lesson made by `Lesson.planned`.

        Raises `InvalidLesson` (not as planned), `OrganisationNotFound`, `RoomNotFound`, `RoomBusy`, `AlreadyExists`.
        """
        _check_planned(lesson)
        async with self._writing() as db:
            if await db.get(OrganisationRow, lesson.host_school_id) is None:
                raise OrganisationNotFound(f"no school {lesson.host_school_id}")
            await _lock_sites(db, lesson)
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

    async def start(self, lesson_id: LessonId, now: datetime) -> Lesson | None:
        """scheduled -> live; None where it was not scheduled.

        Raises `LessonNotFound`, `RoomBusy` where an accepted room is in another live lesson.
        """
        async with self._writing() as db:
            moved = await db.scalar(
                update(LessonRow)
                .where(LessonRow.id == lesson_id, LessonRow.state == LessonState.SCHEDULED)
                .values(state=LessonState.LIVE, started_at=now, version=LessonRow.version + 1)
                .returning(LessonRow.id)
            )
            lesson = lesson_of(await _found(db, lesson_id))
            if moved is None:
                return None
            await lock_rooms(db, [site.room_id for site in lesson.accepted])
            await _check_free(db, lesson)
            return lesson

    async def resume(self, lesson_id: LessonId, now: datetime, grace: timedelta) -> Lesson | None:
        """ended -> live while `can_resume` holds; None where it was not ended. Expired invitations are open again.

        Raises `LessonNotFound`, `InvalidState` (it is over for good), `RoomBusy` as `start` does.
        """
        async with self._writing() as db:
            row = await _found(db, lesson_id, lock=True)
            lesson = lesson_of(row)
            if lesson.state is not LessonState.ENDED:
                return None
            if not can_resume(lesson, now, grace):
                raise InvalidState(f"lesson {lesson_id} ended too long ago to go on")
            row.state, row.ended_at, row.end_reason = LessonState.LIVE, None, EndReason.NONE
            row.version += 1
            for site in row.sites:
                site.overridden = []  # its room was put to rest meanwhile
                if site.invitation is InvitationState.EXPIRED:
                    site.invitation = checked_move(site.invitation, InvitationState.PENDING)
            await db.flush()
            lesson = lesson_of(row)
            await lock_rooms(db, [site.room_id for site in lesson.accepted])
            await _check_free(db, lesson)
            return lesson

    async def end(self, lesson_id: LessonId, now: datetime, reason: EndReason) -> Lesson | None:
        """live -> ended; None where it was not live. Unanswered invitations expire. Raises `LessonNotFound`."""
        return await self._finish(lesson_id, LessonState.LIVE, LessonState.ENDED, now, reason)

    async def end_unwritten(self, lesson_id: LessonId, now: datetime, reason: EndReason) -> Lesson | None:
        """As `end`, where nothing can be written: the row follows at the next write, or at `catch_up`."""
        lesson = await self.get(lesson_id)
        if lesson.state is not LessonState.LIVE:
            return None
        self._unwritten[lesson_id] = (now, reason)
        return ended(lesson, now, reason)

    async def catch_up(self) -> None:
        """Write the ends that could not be written until now. Raises `StoreUnavailable`."""
        if self._unwritten:
            async with self._writing():
                pass

    @asynccontextmanager
    async def _writing(self) -> AsyncIterator[AsyncSession]:
        unwritten = dict(self._unwritten)
        async with self._database.writing() as db:
            for lesson_id, (now, reason) in unwritten.items():
                await _finish(db, lesson_id, LessonState.LIVE, LessonState.ENDED, now, reason)
            yield db
        for lesson_id in unwritten:
            self._unwritten.pop(lesson_id, None)

    def _shown(self, lesson: Lesson) -> Lesson:
        end = self._unwritten.get(lesson.id)
        return lesson if end is None or lesson.state is not LessonState.LIVE else ended(lesson, *end)

    async def cancel(self, lesson_id: LessonId, now: datetime, reason: EndReason = EndReason.NONE) -> Lesson | None:
        """scheduled -> cancelled; None where it was not scheduled. Unanswered invitations expire.

        Raises `LessonNotFound`.
        """
        return await self._finish(lesson_id, LessonState.SCHEDULED, LessonState.CANCELLED, now, reason)

    async def reinstate(self, lesson_id: LessonId, now: datetime) -> Lesson:
        """cancelled by time -> scheduled, by the rules of `reinstated`; nothing changes where it is scheduled.

        Raises `LessonNotFound`, `InvalidState`, `RoomBusy`.
        """
        async with self._writing() as db:
            row = await _found(db, lesson_id, lock=True)
            if row.state is LessonState.SCHEDULED:
                return lesson_of(row)
            lesson = reinstated(lesson_of(row), now)
            await _lock_sites(db, lesson)
            row.state, row.ended_at, row.end_reason = lesson.state, lesson.ended_at, lesson.end_reason
            row.version = lesson.version
            set_sites(row, lesson.sites)
            await db.flush()
            await _check_free(db, lesson)
            return lesson

    async def update(self, lesson: Lesson, expected_version: int) -> Lesson:
        """Change title, subject, kind, times and rooms of a scheduled lesson, by the rules of `replanned`.

        Raises `LessonNotFound`, `VersionConflict`, `InvalidState`, `RoomNotFound`, `RoomBusy`.
        """
        async with self._writing() as db:
            row = await _found(db, lesson.id, lock=True)
            if row.version != expected_version:
                raise VersionConflict(f"lesson {lesson.id}", expected=expected_version, current=row.version)
            changed = replanned(lesson_of(row), lesson)
            await _lock_sites(db, changed)
            row.title, row.subject, row.kind = changed.title, changed.subject, changed.kind
            row.folded = folded(f"{changed.title} {changed.subject}")
            row.start_at, row.end_at, row.version = changed.start, changed.end, changed.version
            set_sites(row, changed.sites)
            await db.flush()
            await _check_free(db, changed)
            return changed

    async def set_invitation(
        self, lesson_id: LessonId, room_id: RoomId, invitation: InvitationState, *, stepped_out: bool = False
    ) -> Lesson:
        """Answer, revoke or renew an invitation; nothing changes where it is so already.

        `stepped_out`: the room's own display declines, and may take that back.

        Raises `LessonNotFound`, `SiteNotFound`, `InvalidState` (no such move, or the lesson is over), `RoomBusy`.
        """
        async with self._writing() as db:
            row = await _found(db, lesson_id, lock=True)
            site = find_site(row, room_id)
            if site.invitation is invitation:
                site.stepped_out = site.stepped_out and stepped_out  # said by a person now
                return lesson_of(row)
            if row.state.over:
                raise InvalidState(f"lesson {lesson_id} is {row.state}; invitations stay as they are")
            site.invitation = checked_move(site.invitation, invitation)
            site.stepped_out = stepped_out
            if invitation is not InvitationState.ACCEPTED:
                site.overridden = []  # the room is put to rest; what was decided before is not so any more
            if row.floor_room_id == room_id:
                set_floor(row, None)
            row.version += 1
            lesson = lesson_of(row)
            if invitation is InvitationState.ACCEPTED:
                await lock_rooms(db, [room_id])
                await _check_free(db, lesson)
            return lesson

    async def set_overridden(self, lesson_id: LessonId, room_id: RoomId, steps: frozenset[StepId]) -> Lesson:
        """Set which steps a person in the room decided otherwise. Raises `LessonNotFound`, `SiteNotFound`."""
        async with self._writing() as db:
            row = await _found(db, lesson_id, lock=True)
            site = find_site(row, room_id)
            if set(site.overridden) != steps:
                site.overridden = sorted(steps)
                row.version += 1
            return lesson_of(row)

    async def set_sending(
        self, lesson_id: LessonId, room_id: RoomId, *, muted: bool | None = None, camera_off: bool | None = None
    ) -> Lesson:
        """Whether the others are to hear and see a room; None: as it is. The floor of a room that mutes itself stays.

        Raises `LessonNotFound`, `SiteNotFound`, `InvalidState` (not live, or the room takes no part).
        """
        async with self._writing() as db:
            row = await _found_live(db, lesson_id)
            site = find_site(row, room_id)
            if site.invitation is not InvitationState.ACCEPTED:
                raise InvalidState(f"room {room_id} takes no part in lesson {lesson_id}")
            wanted = (site.muted if muted is None else muted, site.camera_off if camera_off is None else camera_off)
            if wanted != (site.muted, site.camera_off):
                site.muted, site.camera_off = wanted
                row.version += 1
            return lesson_of(row)

    async def remind(self, lesson_id: LessonId, room_id: RoomId, now: datetime) -> Lesson:
        """Note that the room was asked again to come to a live lesson.

        Raises `LessonNotFound`, `SiteNotFound`, `InvalidState` (not live, or answered), `RemindedLately`.
        """
        async with self._writing() as db:
            row = await _found_live(db, lesson_id)
            site = find_site(row, room_id)
            if site.invitation is not InvitationState.PENDING:
                raise InvalidState(f"room {room_id} has answered: {site.invitation}")
            if site.reminded_at is not None and now < site.reminded_at + REMIND_PAUSE:
                raise RemindedLately(f"room {room_id} was reminded at {site.reminded_at.isoformat()}")
            site.reminded_at = now
            row.version += 1
            return lesson_of(row)

    async def set_mode(self, lesson_id: LessonId, mode: Mode) -> Lesson:
        """Who is heard; nothing changes where it is so already. Raises `LessonNotFound`, `InvalidState` unless live."""
        async with self._writing() as db:
            row = await _found_live(db, lesson_id)
            if row.mode is not mode:
                row.mode = mode
                row.version += 1
            return lesson_of(row)

    async def set_floor(self, lesson_id: LessonId, floor: Floor | None) -> Lesson:
        """Give the floor, or take it back; nobody has it twice, and nobody beside another.

        Raises `LessonNotFound`, `SiteNotFound`, `InvalidState` (not live, or the room takes no part).
        """
        async with self._writing() as db:
            row = await _found_live(db, lesson_id)
            if floor is not None and find_site(row, floor.room_id).invitation is not InvitationState.ACCEPTED:
                raise InvalidState(f"room {floor.room_id} takes no part in lesson {lesson_id}")
            if lesson_of(row).floor != floor:
                set_floor(row, floor)
                row.version += 1
            return lesson_of(row)

    async def expire_floor(self, lesson_id: LessonId, now: datetime) -> Lesson | None:
        """Take the floor back where its time is over; None where nobody has it, or has it longer.

        Raises `LessonNotFound`.
        """
        async with self._writing() as db:
            moved = await db.scalar(
                update(LessonRow)
                .where(LessonRow.id == lesson_id, LessonRow.floor_until <= now)
                .values(floor_room_id=None, floor_until=None, version=LessonRow.version + 1)
                .returning(LessonRow.id)
            )
            row = await _found(db, lesson_id)
            return lesson_of(row) if moved is not None else None

    async def _in_state(self, state: LessonState) -> tuple[Lesson, ...]:
        query = select(LessonRow).where(LessonRow.state == state).order_by(LessonRow.start_at, LessonRow.id)
        async with self._database.reading() as db:
            lessons = [self._shown(lesson_of(row)) for row in await db.scalars(query)]
        return tuple(lesson for lesson in lessons if lesson.state is state)

    async def _finish(
        self, lesson_id: LessonId, current: LessonState, final: LessonState, now: datetime, reason: EndReason
    ) -> Lesson | None:
        async with self._writing() as db:
            return await _finish(db, lesson_id, current, final, now, reason)


async def _finish(
    db: AsyncSession, lesson_id: LessonId, current: LessonState, final: LessonState, now: datetime, reason: EndReason
) -> Lesson | None:
    moved = await db.scalar(
        update(LessonRow)
        .where(LessonRow.id == lesson_id, LessonRow.state == current)
        .values(
            state=final,
            ended_at=now,
            end_reason=reason,
            floor_room_id=None,
            floor_until=None,
            version=LessonRow.version + 1,
        )
        .returning(LessonRow.id)
    )
    row = await _found(db, lesson_id)
    if moved is None:
        return None
    for site in row.sites:
        if site.invitation is InvitationState.PENDING:
            site.invitation = InvitationState.EXPIRED
    return lesson_of(row)


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


async def _lock_sites(db: AsyncSession, lesson: Lesson) -> None:
    """Hold the lesson's rooms, and check that each is of the school that its site says."""
    schools = {row.id: row.school_id for row in await lock_rooms(db, [site.room_id for site in lesson.sites])}
    for site in lesson.sites:
        if schools[site.room_id] != site.school_id:
            raise InvalidLesson(f"room {site.room_id} is not of school {site.school_id}")


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


async def _found(db: AsyncSession, lesson_id: LessonId, *, lock: bool = False) -> LessonRow:
    row = await db.get(LessonRow, lesson_id, with_for_update=lock)
    if row is None:
        raise LessonNotFound(f"no lesson {lesson_id}")
    return row


async def _found_live(db: AsyncSession, lesson_id: LessonId) -> LessonRow:
    row = await _found(db, lesson_id, lock=True)
    if row.state is not LessonState.LIVE:
        raise InvalidState(f"lesson {lesson_id} is {row.state}, not live")
    return row
