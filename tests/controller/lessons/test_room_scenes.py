"""A room's scenes outside lessons, on a real device behind a real broker."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from controller.changes import ChangeKind
from controller.lessons.errors import RoomInUse
from controller.lessons.room_scenes import Scenes
from devices.changes import Change
from rooms.errors import InvalidValue, SceneNotFound, VersionConflict
from rooms.people.rights import OWNER
from rooms.scene import Scene, StepId
from tests.controller.lessons.test_scenes import ROOM, beamer, scene, step
from tests.controller.stage import UNRECORDABLE, Stage, running
from tests.devices.nativedevice import LEVEL, NativeDevice, described, until
from tests.rooms.samples import XUAN_OTHER


@pytest.fixture
async def device(stage: Stage) -> AsyncIterator[NativeDevice]:
    async with beamer(stage) as device:
        yield device


@pytest.fixture
def scenes(stage: Stage) -> Scenes:
    return Scenes(
        stage.store,
        stage.hub,
        stage.changes,
        clock=stage.clock,
        in_lesson=lambda room_id: room_id == XUAN_OTHER.id,
    )


async def test_applied_scene_is_told_step_by_step(stage: Stage, scenes: Scenes, device: NativeDevice) -> None:
    await stage.store.scenes.put(scene(step(device.id), step(device.id, 40, id="dim", property=LEVEL)))
    async with asyncio.timeout(10), running(device.follow()):
        view = await scenes.apply(ROOM.id, "lesson", rights=OWNER, actor="technician")
    shown = [(each.id, each.state.value, each.device.name, each.reported) for each in view.steps]
    assert shown == [
        ("on", "confirmed", described().name, "on"),
        ("dim", "confirmed", described().name, 40),
    ]


async def test_applying_ends_with_its_caller(stage: Stage, scenes: Scenes, device: NativeDevice) -> None:
    await stage.store.scenes.put(
        scene(step(device.id), step(device.id, 40, id="dim", property=LEVEL, after=(StepId("on"),)))
    )
    before = asyncio.all_tasks()
    applying = asyncio.create_task(scenes.apply(ROOM.id, "lesson", rights=OWNER, actor="technician"))
    await device.asked()
    applying.cancel()
    await asyncio.wait([applying])
    assert applying.cancelled()
    assert asyncio.all_tasks() <= before
    await device.report(power="on", level=3)
    await until(stage.hub, lambda: not stage.hub.pending(device.id))
    assert device.unasked


async def test_scene_is_not_applied_in_a_lesson_or_where_there_is_none(stage: Stage, scenes: Scenes) -> None:
    await stage.store.scenes.put(Scene(room_id=XUAN_OTHER.id, name="lesson", steps=()))
    with pytest.raises(RoomInUse):
        await scenes.apply(XUAN_OTHER.id, "lesson", rights=OWNER, actor="technician")
    with pytest.raises(SceneNotFound):
        await scenes.apply(ROOM.id, "lesson", rights=OWNER, actor="technician")


async def test_scenes_are_written_with_their_record_or_not_at_all(
    stage: Stage, scenes: Scenes, device: NativeDevice
) -> None:
    written = scene(step(device.id))
    with pytest.raises(InvalidValue):
        await scenes.put(written, expected_version=None, rights=OWNER, actor=UNRECORDABLE)
    with pytest.raises(InvalidValue):
        await scenes.suggest(ROOM.id, rights=OWNER, actor=UNRECORDABLE)
    assert await stage.store.scenes.list(ROOM.id) == ()
    with stage.changes.subscribe() as changes:
        await scenes.put(written, expected_version=None, rights=OWNER, actor="technician")
        assert await anext(aiter(changes)) == Change(ChangeKind.ROOM, ROOM.id)
    with pytest.raises(VersionConflict):
        await scenes.put(written, expected_version=None, rights=OWNER, actor="technician")
    await scenes.put(written, expected_version=1, rights=OWNER, actor="technician")
    [second, first] = await stage.store.audit.list(object_kind="room")
    assert (first.action, first.before, second.before) == ("scene.put", None, {"version": 1})


async def test_suggested_scenes_leave_those_that_are_there(stage: Stage, scenes: Scenes, device: NativeDevice) -> None:
    await stage.store.scenes.put(Scene(room_id=ROOM.id, name="lesson", steps=()))
    await scenes.suggest(ROOM.id, rights=OWNER, actor="technician")
    found = {each.name: each for each in await stage.store.scenes.list(ROOM.id)}
    assert found["lesson"].steps == ()
    assert found.keys() > {"lesson"}
