"""A room's scenes: read, written, tried out."""

from datetime import timedelta

from controller.changes import ChangeKind
from rooms.people.rights import Right
from controller.lessons.steps import StepsJson
from controller.web.call import Call
from controller.web.errors import InvalidRequest, PreconditionRequired
from controller.web.models.scenes import SceneJson, ScenesJson
from controller.web.reading import visible_room
from controller.web.route import Routes
from devices.device import DeviceId, PropertyName
from devices.errors import DeviceNotFound
from devices.hub import DeviceHub
from rooms.room import RoomId
from rooms.scene import Scene, SceneStep, StepId
from rooms.suggestion import suggested_scenes

routes = Routes("scenes")


@routes("GET", "/rooms/{room}/scenes")
async def list_scenes(call: Call) -> ScenesJson:
    """The scenes of a room, each with its steps."""
    room = await visible_room(call.services, call.rights, Right.SEE, call.path("room"))
    return ScenesJson(scenes=[SceneJson.of(each) for each in await call.services.store.scenes.list(room.id)])


@routes("PUT", "/rooms/{room}/scenes/{name}", also=(201,), if_match=True)
async def put_scene(call: Call, body: SceneJson) -> SceneJson:
    """Write a scene; If-Match with its version once it exists. `version` in the body is not read."""
    room = await visible_room(call.services, call.rights, Right.EQUIP, call.path("room"))
    scene = _scene(room.id, call.path("name"), body)
    _check_values(scene, call.services.hub)
    expected = call.given_version()
    existing = {each.name: each for each in await call.services.store.scenes.list(room.id)}.get(scene.name)
    if existing is not None and expected is None:
        raise PreconditionRequired("this scene exists; say in If-Match which version this changes")
    stored = await call.services.store.scenes.put(scene, expected)
    before = None if existing is None else {"version": existing.version}
    await call.record("scene.put", "room", room.id, before=before, after={"scene": stored.name, **_summary(stored)})
    call.changed(ChangeKind.ROOM, room.id)
    call.status = 200 if existing is not None else 201
    call.set_etag(stored.version)
    return SceneJson.of(stored)


@routes("POST", "/rooms/{room}/scenes/{name}/apply", problems=(409,))
async def apply_scene(call: Call) -> StepsJson:
    """Apply a scene now; answered when each step has settled."""
    room = await visible_room(call.services, call.rights, Right.COMMAND, call.path("room"))
    view = await call.services.scenes.apply(room.id, call.path("name"), call.actor)
    states = {each.id: each.state.value for each in view.steps}
    await call.record("scene.apply", "room", room.id, after={"scene": view.name, "steps": states})
    return StepsJson(steps=view.steps)


@routes("POST", "/rooms/{room}/scenes/suggest", problems=(409,))
async def suggest_scenes(call: Call) -> ScenesJson:
    """Give the room the scenes that suit the devices in it; scenes that it has already are left as they are."""
    room = await visible_room(call.services, call.rights, Right.EQUIP, call.path("room"))
    stored = {
        device.device.id
        for device in await call.services.store.devices.list([room.school_id])
        if device.room_id == room.id
    }
    known = {each.name for each in await call.services.store.scenes.list(room.id)}
    devices = [device for device in call.services.hub.devices() if device.id in stored]
    for scene in suggested_scenes(room.id, devices):
        if scene.name not in known:
            added = await call.services.store.scenes.put(scene)
            await call.record("scene.put", "room", room.id, after={"scene": added.name, **_summary(added)})
    call.changed(ChangeKind.ROOM, room.id)
    return ScenesJson(scenes=[SceneJson.of(each) for each in await call.services.store.scenes.list(room.id)])


def _scene(room_id: RoomId, name: str, body: SceneJson) -> Scene:
    if body.name != name:
        raise InvalidRequest((("/body/name", f"the path says {name}"),))
    return Scene(
        room_id=room_id,
        name=name,
        steps=tuple(
            SceneStep(
                id=StepId(each.id),
                device_id=DeviceId(each.device),
                property=PropertyName(each.property),
                value=each.value,
                importance=each.importance,
                deadline=timedelta(seconds=each.deadline_s),
                after=tuple(StepId(one) for one in each.after),
                needs=tuple(StepId(one) for one in each.needs),
            )
            for each in body.steps
        ),
    )


def _check_values(scene: Scene, hub: DeviceHub) -> None:
    """Raises `InvalidCommand`, `PropertyNotFound` for a step that its device would refuse in every lesson."""
    for step in scene.steps:
        try:
            device = hub.device(step.device_id)
        except DeviceNotFound:
            continue  # the store knows whether it is in the room
        device.property(step.property).checked(step.value)


def _summary(scene: Scene) -> dict[str, object]:
    return {
        "version": scene.version,
        "steps": [f"{each.device_id} {each.property}={each.value}" for each in scene.steps],
    }
