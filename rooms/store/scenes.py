"""Scenes in the database."""

from rooms.room import RoomId
from rooms.scene import Scene


class Scenes:
    """Scenes of rooms, by name."""

    async def put(self, scene: Scene, expected_version: int | None = None) -> Scene:
        """Add a scene (`expected_version` None or 0) or replace the one at that version; as stored, version from 1.

        Raises `RoomNotFound`, `InvalidScene` (a step's device is not in the room), `VersionConflict`.
        """
        raise NotImplementedError

    async def get(self, room_id: RoomId, name: str) -> Scene:
        """Raises `SceneNotFound`."""
        raise NotImplementedError

    async def list(self, room_id: RoomId) -> tuple[Scene, ...]:
        """A room's scenes, by name."""
        raise NotImplementedError
