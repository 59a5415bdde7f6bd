"""The rooms of schools: added, renamed, deleted."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from controller.audit_lines import AuditLines
from controller.changes import ChangeKind
from controller.ids import new_id
from devices.changes import Changes
from rooms.people.rights import Right, Rights
from rooms.room import Room, RoomId
from rooms.school import OrganisationId
from store import Store


class Rooms:
    """What people and programs do with rooms."""

    def __init__(self, store: Store, changes: Changes, *, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._changes = changes
        self._clock = clock
        self._lines = AuditLines("room", clock)

    async def add(
        self, school_id: OrganisationId, name: str, *, rights: Rights, actor: str, id: RoomId | None = None
    ) -> Room:
        """Add a room to a school; `id` None: a new one.

        Raises `HiddenObject`, `Forbidden`, `OrganisationNotFound`, `InvalidValue` (no school), `AlreadyExists`.
        """
        rights.require(Right.EQUIP, school_id, "organisation", school_id)
        school = self._store.tree.get(school_id)
        room = Room(id=id or RoomId(new_id("r")), school_id=school.school_id, name=name)
        async with self._store.transaction() as tx:
            await tx.rooms.add(room)
            await tx.audit.add(
                self._lines.entry(actor, "room.add", room.id, after={"school": school_id, "name": room.name})
            )
        self._changes.publish(ChangeKind.ROOM, room.id)
        return room

    async def rename(self, room_id: RoomId, name: str, *, expected_version: int, rights: Rights, actor: str) -> Room:
        """Raises `RoomNotFound`, `HiddenObject`, `Forbidden`, `VersionConflict`, `AlreadyExists`, `InvalidValue`."""
        room = await self._permitted(room_id, rights)
        async with self._store.transaction() as tx:
            before = await tx.rooms.get(room_id)
            renamed = await tx.rooms.update(replace(room, name=name), expected_version)
            await tx.audit.add(
                self._lines.entry(actor, "room.edit", room_id, before={"name": before.name}, after={"name": name})
            )
        self._changes.publish(ChangeKind.ROOM, room_id)
        return renamed

    async def delete(self, room_id: RoomId, *, rights: Rights, actor: str) -> None:
        """Delete a room that has no devices and no lessons to come; its displays are unpaired.

        Raises `RoomNotFound`, `HiddenObject`, `Forbidden`, `RoomInUse`.
        """
        room = await self._permitted(room_id, rights)
        before = {"school": room.school_id, "name": room.name}
        async with self._store.transaction() as tx:
            await tx.rooms.delete(room_id, self._clock())
            await tx.audit.add(self._lines.entry(actor, "room.delete", room_id, before=before))
        self._changes.publish(ChangeKind.ROOM, room_id)  # by which its displays' pages go

    async def _permitted(self, room_id: RoomId, rights: Rights) -> Room:
        room = await self._store.rooms.get(room_id)
        rights.require(Right.EQUIP, room.school_id, "room", room_id)
        return room
