"""Devices in the database: what discovery said, what they last reported, which room has them."""

from collections.abc import AsyncIterator, Collection, Iterable

from sqlalchemy import Row, Table, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from devices.device import DeviceId, DeviceRecord
from rooms.errors import DeviceInUse, DeviceOfAnotherSchool, OrganisationNotFound, StoredDeviceNotFound
from rooms.room import RoomId
from rooms.school import SchoolId
from store.database import Database
from store.rooms import lock_rooms
from store.stored_device import check_record, device_from_json, device_to_json, reported_from_json, reported_to_json
from store.tables import Base, DeviceRow, JsonObject, OrganisationRow

READ_AT_ONCE = 1_000
_KEPT = select(
    DeviceRow.id,
    DeviceRow.device,
    DeviceRow.discovery_topic,
    DeviceRow.discovery_payload,
    DeviceRow.room_id,
    DeviceRow.reported,
)


class Devices:
    """The registry's memory. Only `claim` and `release` decide which room has a device."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._upsert = _upsert(database.engine.dialect.name)

    async def save(self, records: Iterable[DeviceRecord]) -> None:
        """Add or renew these in one transaction; `room` is not written.

        Raises `OrganisationNotFound`, `InvalidValue`.
        """
        latest = {record.device.id: record for record in records}
        if not latest:
            return
        # By id: two processes that save the same devices lock them in the same order.
        values = [_values(latest[device_id]) for device_id in sorted(latest)]
        async with self._database.writing() as db:
            await _check_schools(db, {record.device.namespace for record in latest.values()})
            await db.execute(self._upsert, values)

    async def all(self) -> AsyncIterator[DeviceRecord]:
        """All devices, by id; there are many, so they are read in parts."""
        last = ""
        while True:
            query = _KEPT.where(DeviceRow.id > last).order_by(DeviceRow.id).limit(READ_AT_ONCE)
            async with self._database.reading() as db:
                rows = (await db.execute(query)).all()
            for row in rows:
                yield _record(row)
            if len(rows) < READ_AT_ONCE:
                return
            last = rows[-1].id

    async def get(self, device_id: DeviceId) -> DeviceRecord:
        """Raises `StoredDeviceNotFound`."""
        async with self._database.reading() as db:
            return _stored(await _found(db, device_id))

    async def list(self, school_ids: Collection[SchoolId]) -> tuple[DeviceRecord, ...]:
        """Devices of these schools, by id."""
        query = select(DeviceRow).where(DeviceRow.school_id.in_(school_ids)).order_by(DeviceRow.id)
        async with self._database.reading() as db:
            return tuple(_stored(row) for row in await db.scalars(query))

    async def claim(self, device_id: DeviceId, room_id: RoomId) -> None:
        """Put a device into a room; nothing changes where it is there already.

        Raises `StoredDeviceNotFound`, `RoomNotFound`, `DeviceOfAnotherSchool`, `DeviceInUse` (in another room).
        """
        async with self._database.writing() as db:
            (room,) = await lock_rooms(db, [room_id])
            claimed = await db.scalar(
                update(DeviceRow)
                .where(
                    DeviceRow.id == device_id,
                    DeviceRow.school_id == room.school_id,
                    or_(DeviceRow.room_id.is_(None), DeviceRow.room_id == room_id),
                )
                .values(room_id=room_id)
                .returning(DeviceRow.id)
            )
            if claimed is not None:
                return
            row = await _found(db, device_id)
            if row.school_id != room.school_id:
                raise DeviceOfAnotherSchool(f"device {device_id} is not of the school of room {room_id}")
            raise DeviceInUse(device_id, row.room_id or "")

    async def release(self, device_id: DeviceId) -> None:
        """Take a device out of its room; nothing changes where it is in none. Raises `StoredDeviceNotFound`."""
        async with self._database.writing() as db:
            (await _found(db, device_id)).room_id = None

    async def delete(self, device_id: DeviceId) -> None:
        """Forget an unclaimed device. Raises `StoredDeviceNotFound`, `DeviceInUse`."""
        async with self._database.writing() as db:
            row = await _found(db, device_id, lock=True)
            if row.room_id is not None:
                raise DeviceInUse(device_id, row.room_id)
            await db.delete(row)


def _upsert(dialect: str) -> sqlite.Insert | postgresql.Insert:
    """Adds rows; of those that exist, renews all but the school and the room."""
    table: Table = Base.metadata.tables[DeviceRow.__tablename__]
    insert: sqlite.Insert | postgresql.Insert
    insert = sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)
    renewed = ("device", "discovery_topic", "discovery_payload", "reported")
    return insert.on_conflict_do_update(index_elements=["id"], set_={name: insert.excluded[name] for name in renewed})


async def _check_schools(db: AsyncSession, namespaces: Collection[str]) -> None:
    known = set(await db.scalars(select(OrganisationRow.id).where(OrganisationRow.id.in_(namespaces))))
    if unknown := sorted(set(namespaces) - known):
        raise OrganisationNotFound(f"no school {', '.join(unknown)}")


async def _found(db: AsyncSession, device_id: DeviceId, *, lock: bool = False) -> DeviceRow:
    row = await db.get(DeviceRow, device_id, with_for_update=lock)
    if row is None:
        raise StoredDeviceNotFound(f"no device {device_id}")
    return row


def _values(record: DeviceRecord) -> dict[str, object]:
    check_record(record)
    return {
        "id": record.device.id,
        "school_id": record.device.namespace,
        "room_id": None,
        "device": device_to_json(record.device),
        "discovery_topic": record.discovery_topic,
        "discovery_payload": record.discovery_payload,
        "reported": reported_to_json(record.reported),
    }


def _record(row: Row[str, JsonObject, str, bytes, str | None, JsonObject]) -> DeviceRecord:
    return DeviceRecord(
        device=device_from_json(row.device),
        discovery_topic=row.discovery_topic,
        discovery_payload=row.discovery_payload,
        room=row.room_id,
        reported=reported_from_json(row.reported) if row.reported else {},
    )


def _stored(row: DeviceRow) -> DeviceRecord:
    return DeviceRecord(
        device=device_from_json(row.device),
        discovery_topic=row.discovery_topic,
        discovery_payload=row.discovery_payload,
        room=row.room_id,
        reported=reported_from_json(row.reported),
    )
