"""Rooms in the database."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from sqlalchemy import ColumnElement, Select, delete, exists, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from rooms.errors import AlreadyExists, InvalidValue, OrganisationNotFound, RoomInUse, RoomNotFound, VersionConflict
from rooms.folding import folded
from rooms.invitation import InvitationState
from rooms.lesson import LessonState
from rooms.organisation_tree import OrganisationTree
from rooms.page import Page, Wanted
from rooms.room import Room, RoomId
from rooms.school import OrganisationId, OrganisationKind, SchoolId
from store.database import Database
from store.paging import Order, having, read_page
from store.tables import DeviceRow, DisplayRow, LessonRow, OrganisationRow, RoomRow, SceneRow, SiteRow

_LISTED: Order[RoomRow] = Order(
    (RoomRow.school_id, RoomRow.folded, RoomRow.id), lambda row: (row.school_id, row.folded, row.id)
)


class Rooms:
    """Rooms of schools. A deleted room is kept where past lessons name it, and found by `named` only."""

    def __init__(self, database: Database, tree: OrganisationTree) -> None:
        self._database = database
        self._tree = tree

    async def add(self, room: Room) -> None:
        """Raises `OrganisationNotFound`, `InvalidValue` (not a school), `AlreadyExists` (id, or name in its school)."""
        async with self._database.writing() as db:
            school = await db.get(OrganisationRow, room.school_id)
            if school is None:
                raise OrganisationNotFound(f"no school {room.school_id}")
            if school.kind is not OrganisationKind.SCHOOL:
                raise InvalidValue(f"{room.school_id} is a {school.kind}; rooms belong to schools")
            db.add(
                RoomRow(
                    id=room.id,
                    school_id=room.school_id,
                    name=room.name,
                    folded=folded(room.name),
                    version=room.version,
                )
            )
            await _flush_named(db, room)

    async def get(self, room_id: RoomId) -> Room:
        """Raises `RoomNotFound`."""
        async with self._database.reading() as db:
            row = await db.get(RoomRow, room_id)
            if row is None or row.deleted_at is not None:
                raise RoomNotFound(f"no room {room_id}")
            return _room(row)

    async def list(self, school_ids: Collection[SchoolId] | None = None) -> tuple[Room, ...]:
        """Rooms of these schools, of all where None; by school and name."""
        query = select(RoomRow).where(RoomRow.deleted_at.is_(None))
        if school_ids is not None:
            query = query.where(RoomRow.school_id.in_(school_ids))
        async with self._database.reading() as db:
            rooms = [_room(row) for row in await db.scalars(query)]
        return tuple(sorted(rooms, key=lambda each: (each.school_id, each.name, each.id)))

    async def page(self, wanted: Wanted, school_ids: Collection[SchoolId] | None = None) -> Page[Room]:
        """Rooms of these schools, of all where None; by school id and name. Words of the school's name count, too."""
        query = select(RoomRow).where(RoomRow.deleted_at.is_(None))
        if school_ids is not None:
            query = query.where(RoomRow.school_id.in_(school_ids))
        if wanted.words:
            query = query.where(having(wanted.words, RoomRow.folded, self._of_school))
        async with self._database.reading() as db:
            return await read_page(db, query, _LISTED, wanted, _room)

    def _of_school(self, word: str) -> ColumnElement[bool]:
        return RoomRow.school_id.in_(self._tree.named_like(word))

    async def named(self, room_ids: Collection[RoomId]) -> Mapping[RoomId, Room]:
        """These rooms, deleted ones too: what a past lesson's page shows. Unknown ids are left out."""
        async with self._database.reading() as db:
            rows = await db.scalars(select(RoomRow).where(RoomRow.id.in_(room_ids)))
            return {RoomId(row.id): _room(row) for row in rows}

    async def update(self, room: Room, expected_version: int) -> Room:
        """Rename; the room at its next version. Raises `RoomNotFound`, `VersionConflict`, `AlreadyExists`."""
        async with self._database.writing() as db:
            (row,) = await lock_rooms(db, [room.id])
            if row.version != expected_version:
                raise VersionConflict(f"room {room.id}", expected=expected_version, current=row.version)
            row.name, row.folded = room.name, folded(room.name)
            row.version += 1
            await _flush_named(db, room)
            return _room(row)

    async def delete(self, room_id: RoomId, now: datetime) -> None:
        """Delete with its displays and scenes. Raises `RoomNotFound`, `RoomInUse` (devices, lessons not over)."""
        async with self._database.writing() as db:
            (row,) = await lock_rooms(db, [room_id])
            if await db.scalar(select(exists().where(DeviceRow.room_id == room_id))):
                raise RoomInUse(f"room {room_id} still has devices")
            if await db.scalar(select(exists(_lessons_not_over(room_id)))):
                raise RoomInUse(f"room {room_id} is in lessons that are not over")
            await db.execute(delete(DisplayRow).where(DisplayRow.room_id == room_id))
            await db.execute(delete(SceneRow).where(SceneRow.room_id == room_id))
            row.deleted_at = now


async def lock_rooms(db: AsyncSession, room_ids: Iterable[RoomId]) -> tuple[RoomRow, ...]:
    """The rows of these rooms, by id, not changed by others until the transaction ends. Raises `RoomNotFound`.

    Whoever puts something into a room comes through here, so that the room is not deleted or taken meanwhile. Always in
    the order of ids, and after the lesson's own row, so that no two transactions wait for each other.
    """
    wanted = sorted(set(room_ids))
    query = select(RoomRow).where(RoomRow.id.in_(wanted), RoomRow.deleted_at.is_(None)).order_by(RoomRow.id)
    # FOR NO KEY UPDATE: does not hold up those who only refer to the room.
    rows = {row.id: row for row in await db.scalars(query.with_for_update(key_share=True))}
    for room_id in wanted:
        if room_id not in rows:
            raise RoomNotFound(f"no room {room_id}")
    return tuple(rows[room_id] for room_id in wanted)


def _lessons_not_over(room_id: RoomId) -> Select[str]:
    return (
        select(SiteRow.lesson_id)
        .join(LessonRow, LessonRow.id == SiteRow.lesson_id)
        .where(
            SiteRow.room_id == room_id,
            SiteRow.invitation.in_((InvitationState.PENDING, InvitationState.ACCEPTED)),
            LessonRow.state.in_((LessonState.SCHEDULED, LessonState.LIVE)),
        )
    )


async def _flush_named(db: AsyncSession, room: Room) -> None:
    try:
        await db.flush()
    except IntegrityError as error:
        raise AlreadyExists(f"school {room.school_id} has a room {room.name!r}, or room {room.id} exists") from error


def _room(row: RoomRow) -> Room:
    return Room(
        id=RoomId(row.id), school_id=SchoolId(OrganisationId(row.school_id)), name=row.name, version=row.version
    )
