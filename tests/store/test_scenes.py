from dataclasses import replace
from datetime import timedelta

import pytest

from devices.device import PropertyName
from rooms.errors import InvalidScene, RoomNotFound, SceneNotFound, VersionConflict
from rooms.room import RoomId
from rooms.scene import Importance, Scene, SceneStep, StepId
from store import Store
from tests.rooms.samples import LOI, LOI_ROOM, POWER, XUAN_ROOM, projector

ON = SceneStep(
    id=StepId("on"),
    device_id=projector().device.id,
    property=POWER,
    value="on",
    importance=Importance.ESSENTIAL,
    deadline=timedelta(seconds=45.5),
)
LEVEL = replace(ON, id=StepId("level"), property=PropertyName("level"), value=40, after=(ON.id,), needs=(ON.id,))
MUTED = replace(ON, id=StepId("muted"), property=PropertyName("av_mute"), value=False, importance=Importance.COMFORT)
SCENE = Scene(room_id=XUAN_ROOM.id, name="lesson", steps=(ON, LEVEL, MUTED))


async def claim(store: Store) -> None:
    for device, room in ((projector(), XUAN_ROOM), (projector(LOI), LOI_ROOM)):
        await store.devices.save([device])
        await store.devices.claim(device.device.id, room.id)


async def test_a_scene_comes_back_as_it_was(schools: Store) -> None:
    await claim(schools)
    assert await schools.scenes.put(SCENE) == replace(SCENE, version=1)
    end = await schools.scenes.put(replace(SCENE, name="end", steps=()), expected_version=0)
    assert await schools.scenes.get(XUAN_ROOM.id, "lesson") == replace(SCENE, version=1)
    assert await schools.scenes.list(XUAN_ROOM.id) == (end, replace(SCENE, version=1))
    values = [(type(step.value), step.value) for step in (await schools.scenes.get(XUAN_ROOM.id, "lesson")).steps]
    assert values == [(str, "on"), (int, 40), (bool, False)]


async def test_a_scene_is_replaced_at_its_version_only(schools: Store) -> None:
    await claim(schools)
    await schools.scenes.put(SCENE)
    second = await schools.scenes.put(replace(SCENE, steps=(ON,)), expected_version=1)
    assert second == replace(SCENE, steps=(ON,), version=2)
    for stale in (None, 0, 1, 3):
        with pytest.raises(VersionConflict, match="at version 2"):
            await schools.scenes.put(SCENE, expected_version=stale)
    with pytest.raises(VersionConflict, match="at version 0"):
        await schools.scenes.put(replace(SCENE, name="new"), expected_version=1)
    assert await schools.scenes.list(XUAN_ROOM.id) == (second,)


async def test_a_scene_commands_devices_of_its_own_room_only(schools: Store) -> None:
    await claim(schools)
    foreign = replace(ON, id=StepId("foreign"), device_id=projector(LOI).device.id)
    with pytest.raises(InvalidScene, match="step foreign"):
        await schools.scenes.put(replace(SCENE, steps=(ON, foreign)))
    await schools.devices.release(ON.device_id)
    with pytest.raises(InvalidScene, match="step on"):
        await schools.scenes.put(SCENE)
    assert await schools.scenes.list(XUAN_ROOM.id) == ()


async def test_an_unknown_scene_or_room_is_said_to_be_so(schools: Store) -> None:
    with pytest.raises(SceneNotFound, match="exam"):
        await schools.scenes.get(XUAN_ROOM.id, "exam")
    with pytest.raises(RoomNotFound, match="nowhere"):
        await schools.scenes.put(replace(SCENE, room_id=RoomId("nowhere"), steps=()))
