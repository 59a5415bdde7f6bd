"""Rooms in the database."""

from collections.abc import Collection, Mapping
from datetime import datetime

from rooms.room import Room, RoomId
from rooms.school import SchoolId


class Rooms:
    """Rooms of schools. A deleted room is kept where past lessons name it, and found by `named` only."""

    async def add(self, room: Room) -> None:
        """Raises `OrganisationNotFound`, `InvalidValue` (not a school), `AlreadyExists` (id, or name in its school)."""
        raise NotImplementedError

    async def get(self, room_id: RoomId) -> Room:
        """Raises `RoomNotFound`."""
        raise NotImplementedError

    async def list(self, school_ids: Collection[SchoolId] | None = None) -> tuple[Room, ...]:
        """Rooms of these schools, of all where None; by school and name."""
        raise NotImplementedError

    async def named(self, room_ids: Collection[RoomId]) -> Mapping[RoomId, Room]:
        """These rooms, deleted ones too: what a past lesson's page shows. Unknown ids are left out."""
        raise NotImplementedError

    async def update(self, room: Room, expected_version: int) -> Room:
        """Rename; the room at its next version. Raises `RoomNotFound`, `VersionConflict`, `AlreadyExists`."""
        raise NotImplementedError

    async def delete(self, room_id: RoomId, now: datetime) -> None:
        """Delete with its displays and scenes. Raises `RoomNotFound`, `RoomInUse` (devices, lessons not over)."""
        raise NotImplementedError
