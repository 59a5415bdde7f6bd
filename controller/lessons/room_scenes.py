"""A room's scenes outside lessons: written, suggested, tried out."""

from collections.abc import Callable
from datetime import datetime

from controller.audit_lines import AuditLines
from controller.changes import ChangeKind
from controller.lessons.errors import RoomInUse
from controller.lessons.scenes import SceneRun
from controller.lessons.steps import SceneView
from devices.changes import Changes
from devices.errors import DeviceNotFound
from devices.hub import DeviceHub
from rooms.people.rights import Right, Rights
from rooms.room import RoomId
from rooms.scene import Scene
from rooms.suggestion import suggested_scenes
from store import Store


class Scenes:
    """What people and programs do with a room's scenes. `in_lesson`: whether a live lesson rules the room."""

    def __init__(
        self,
        store: Store,
        hub: DeviceHub,
        changes: Changes,
        *,
        clock: Callable[[], datetime],
        in_lesson: Callable[[RoomId], bool],
    ) -> None:
        self._store = store
        self._hub = hub
        self._changes = changes
        self._clock = clock
        self._lines = AuditLines("room", clock)
        self._in_lesson = in_lesson

    async def put(self, scene: Scene, *, expected_version: int | None, rights: Rights, actor: str) -> Scene:
        """Write a scene; `expected_version` None or 0: there is none of this name yet. As stored, from version 1.

        Raises `RoomNotFound`, `HiddenObject`, `Forbidden`, `InvalidCommand`, `PropertyNotFound`, `InvalidScene`,
        `VersionConflict`.
        """
        await self._permit(Right.EQUIP, scene.room_id, rights)
        self._check_values(scene)
        async with self._store.transaction() as tx:
            stored = await self._written(tx, scene, expected_version, actor)
        self._changes.publish(ChangeKind.ROOM, scene.room_id)
        return stored

    async def suggest(self, room_id: RoomId, *, rights: Rights, actor: str) -> None:
        """Give the room the scenes that suit the devices in it; those that it has already are left as they are.

        Raises `RoomNotFound`, `HiddenObject`, `Forbidden`.
        """
        await self._permit(Right.EQUIP, room_id, rights)
        suggested = suggested_scenes(room_id, self._hub.in_room(room_id))
        async with self._store.transaction() as tx:
            known = {each.name for each in await tx.scenes.list(room_id)}
            for scene in suggested:
                if scene.name not in known:
                    await self._written(tx, scene, None, actor)
        self._changes.publish(ChangeKind.ROOM, room_id)

    async def apply(self, room_id: RoomId, name: str, *, rights: Rights, actor: str) -> SceneView:
        """Return once each step has settled.

        Raises `RoomNotFound`, `HiddenObject`, `Forbidden`, `SceneNotFound`; `RoomInUse` while a lesson rules the room;
        `StoreUnavailable` where it was applied, but this cannot be recorded.
        """
        await self._permit(Right.COMMAND, room_id, rights)
        scene = await self._store.scenes.get(room_id, name)
        if self._in_lesson(room_id):
            raise RoomInUse(room_id)
        run = SceneRun(scene, hub=self._hub, actor=actor, clock=self._clock, changed=lambda: None)
        await run.apply()
        view = SceneView(room_id=room_id, name=name, steps=run.views())
        states = {each.id: each.state.value for each in view.steps}
        after = {"scene": name, "steps": states}
        await self._store.audit.add(self._lines.entry(actor, "scene.apply", room_id, before=None, after=after))
        return view

    async def _permit(self, right: Right, room_id: RoomId, rights: Rights) -> None:
        room = await self._store.rooms.get(room_id)
        rights.require(right, room.school_id, "room", room_id)

    def _check_values(self, scene: Scene) -> None:
        """Raises `InvalidCommand`, `PropertyNotFound` for a step that its device would refuse in every lesson."""
        for step in scene.steps:
            try:
                device = self._hub.device(step.device_id)
            except DeviceNotFound:
                continue  # the store knows whether it is in the room
            device.property(step.property).checked(step.value)

    async def _written(self, tx: Store, scene: Scene, expected_version: int | None, actor: str) -> Scene:
        stored = await tx.scenes.put(scene, expected_version)
        before = None if stored.version == 1 else {"version": stored.version - 1}
        after = {"scene": stored.name, **_summary(stored)}
        await tx.audit.add(self._lines.entry(actor, "scene.put", scene.room_id, before=before, after=after))
        return stored


def _summary(scene: Scene) -> dict[str, object]:
    return {
        "version": scene.version,
        "steps": [f"{each.device_id} {each.property}={each.value}" for each in scene.steps],
    }
