"""Displays in the database, known by the hash of their secret."""

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError

from rooms.errors import AlreadyExists, DisplayNotFound
from rooms.room import Display, DisplayId, RoomId
from store.database import Database
from store.rooms import lock_rooms
from store.tables import DisplayRow


class Displays:
    """Paired displays. The secret itself is only in the display's cookie."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, display: Display, secret_hash: str) -> None:
        """Raises `RoomNotFound`, `AlreadyExists`. `secret_hash`: at most 128 characters, e.g. SHA-256 in hex."""
        async with self._database.writing() as db:
            await lock_rooms(db, [display.room_id])
            db.add(
                DisplayRow(
                    id=display.id,
                    room_id=display.room_id,
                    name=display.name,
                    secret_hash=secret_hash,
                    paired_at=display.paired_at,
                    last_seen=display.last_seen,
                )
            )
            try:
                await db.flush()
            except IntegrityError as error:
                raise AlreadyExists(f"display {display.id}, or its secret, exists") from error

    async def get(self, display_id: DisplayId) -> Display:
        """Raises `DisplayNotFound`."""
        async with self._database.reading() as db:
            row = await db.get(DisplayRow, display_id)
            if row is None:
                raise DisplayNotFound(f"no display {display_id}")
            return _display(row)

    async def get_by_secret_hash(self, secret_hash: str) -> Display | None:
        """The display with that secret; None: never paired, or unpaired since."""
        async with self._database.reading() as db:
            row = await db.scalar(select(DisplayRow).where(DisplayRow.secret_hash == secret_hash))
            return None if row is None else _display(row)

    async def list(self, room_id: RoomId | None = None) -> tuple[Display, ...]:
        """Displays of a room, all where None; by name."""
        query = select(DisplayRow) if room_id is None else select(DisplayRow).where(DisplayRow.room_id == room_id)
        async with self._database.reading() as db:
            displays = [_display(row) for row in await db.scalars(query)]
        return tuple(sorted(displays, key=lambda each: (each.name, each.id)))

    async def in_rooms(self, room_ids: Collection[RoomId]) -> Mapping[RoomId, tuple[Display, ...]]:
        """Displays of these rooms, by name; none of a room without."""
        query = select(DisplayRow).where(DisplayRow.room_id.in_(room_ids))
        async with self._database.reading() as db:
            found = sorted((_display(row) for row in await db.scalars(query)), key=lambda each: (each.name, each.id))
        return {id: tuple(each for each in found if each.room_id == id) for id in room_ids}

    async def touch(self, display_id: DisplayId, now: datetime) -> None:
        """Note that it was seen. Nothing happens where it is unknown."""
        async with self._database.writing() as db:
            await db.execute(update(DisplayRow).where(DisplayRow.id == display_id).values(last_seen=now))

    async def delete(self, display_id: DisplayId) -> None:
        """Unpair. Raises `DisplayNotFound`."""
        gone = delete(DisplayRow).where(DisplayRow.id == display_id).returning(DisplayRow.id)
        async with self._database.writing() as db:
            if await db.scalar(gone) is None:
                raise DisplayNotFound(f"no display {display_id}")


def _display(row: DisplayRow) -> Display:
    return Display(
        id=DisplayId(row.id),
        room_id=RoomId(row.room_id),
        name=row.name,
        paired_at=row.paired_at,
        last_seen=row.last_seen,
    )
