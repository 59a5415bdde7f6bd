"""Scenes in the database."""

from collections.abc import Collection, Mapping

from pydantic import TypeAdapter
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from rooms.errors import InvalidScene, SceneNotFound, VersionConflict
from rooms.room import RoomId
from rooms.scene import Scene, SceneStep
from store.database import Database
from store.rooms import lock_rooms
from store.tables import DeviceRow, JsonObject, SceneRow

_STEPS = TypeAdapter(tuple[SceneStep, ...])


class Scenes:
    """Scenes of rooms, by name."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, scene: Scene, expected_version: int | None = None) -> Scene:
        """Add a scene (`expected_version` None or 0) or replace the one at that version; as stored, version from 1.

        Raises `RoomNotFound`, `InvalidScene` (a step's device is not in the room), `VersionConflict`.
        """
        expected = expected_version or 0
        async with self._database.writing() as db:
            await lock_rooms(db, [scene.room_id])
            await _check_devices(db, scene)
            row = await db.get(SceneRow, (scene.room_id, scene.name))
            if row is None:
                row = SceneRow(room_id=scene.room_id, name=scene.name, version=0)
                db.add(row)
            if row.version != expected:
                raise VersionConflict(f"scene {scene.name}", expected=expected, current=row.version)
            row.version += 1
            row.steps = _steps_to_json(scene)
            return _scene(row)

    async def get(self, room_id: RoomId, name: str) -> Scene:
        """Raises `SceneNotFound`."""
        async with self._database.reading() as db:
            row = await db.get(SceneRow, (room_id, name))
            if row is None:
                raise SceneNotFound(f"room {room_id} has no scene {name!r}")
            return _scene(row)

    async def named(self, room_ids: Collection[RoomId], name: str) -> Mapping[RoomId, Scene]:
        """The scene of that name of each of these rooms that has it, in one query."""
        query = select(SceneRow).where(SceneRow.room_id.in_(room_ids), SceneRow.name == name)
        async with self._database.reading() as db:
            return {RoomId(row.room_id): _scene(row) for row in await db.scalars(query)}

    async def list(self, room_id: RoomId) -> tuple[Scene, ...]:
        """A room's scenes, by name."""
        async with self._database.reading() as db:
            scenes = [_scene(row) for row in await db.scalars(select(SceneRow).where(SceneRow.room_id == room_id))]
        return tuple(sorted(scenes, key=lambda each: each.name))

    async def names_in(self, room_ids: Collection[RoomId]) -> Mapping[RoomId, tuple[str, ...]]:
        """The names of these rooms' scenes, in order."""
        query = select(SceneRow.room_id, SceneRow.name).where(SceneRow.room_id.in_(room_ids))
        names: dict[RoomId, list[str]] = {id: [] for id in room_ids}
        async with self._database.reading() as db:
            for room_id, name in await db.execute(query):
                names[RoomId(room_id)].append(name)
        return {id: tuple(sorted(found)) for id, found in names.items()}


async def _check_devices(db: AsyncSession, scene: Scene) -> None:
    """A scene commands devices of its own room only: otherwise its author would rule another school's."""
    own = set(await db.scalars(select(DeviceRow.id).where(DeviceRow.room_id == scene.room_id)))
    for step in scene.steps:
        if step.device_id not in own:
            raise InvalidScene(f"step {step.id}: device {step.device_id} is not in room {scene.room_id}")


def _steps_to_json(scene: Scene) -> list[JsonObject]:
    steps: list[JsonObject] = _STEPS.dump_python(scene.steps, mode="json")
    return steps


def _scene(row: SceneRow) -> Scene:
    return Scene(
        room_id=RoomId(row.room_id), name=row.name, steps=_STEPS.validate_python(row.steps), version=row.version
    )
