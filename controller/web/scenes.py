"""A room's scenes: read, written, tried out."""

from datetime import timedelta

from controller.lessons.steps import StepsJson
from controller.web.call import Call
from controller.web.errors import InvalidRequest, PreconditionRequired
from controller.web.models.scenes import SceneJson, ScenesJson
from controller.web.reading import visible_room
from controller.web.route import Routes
from devices.device import DeviceId, PropertyName
from rooms.errors import VersionConflict
from rooms.people.rights import Right
from rooms.room import RoomId
from rooms.scene import Scene, SceneStep, StepId

routes = Routes("scenes")


@routes("GET", "/rooms/{room}/scenes")
async def list_scenes(call: Call) -> ScenesJson:
    """The scenes of a room, each with its steps."""
    room = await visible_room(call.services, call.rights, Right.SEE, call.path("room"))
    return ScenesJson(scenes=[SceneJson.of(each) for each in await call.services.store.scenes.list(room.id)])


@routes("PUT", "/rooms/{room}/scenes/{name}", also=(201,), if_match=True)
async def put_scene(call: Call, body: SceneJson) -> SceneJson:
    """Write a scene; If-Match with its version once it exists. `version` in the body is not read."""
    scene = _scene(RoomId(call.path("room")), call.path("name"), body)
    expected = call.given_version()
    try:
        stored = await call.services.scenes.put(scene, expected_version=expected, rights=call.rights, actor=call.actor)
    except VersionConflict as error:
        if expected is None:
            raise PreconditionRequired("this scene exists; say in If-Match which version this changes") from error
        raise
    call.status = 201 if stored.version == 1 else 200
    call.set_etag(stored.version)
    return SceneJson.of(stored)


@routes("POST", "/rooms/{room}/scenes/{name}/apply", problems=(409,))
async def apply_scene(call: Call) -> StepsJson:
    """Apply a scene now; answered when each step has settled."""
    room_id = RoomId(call.path("room"))
    view = await call.services.scenes.apply(room_id, call.path("name"), rights=call.rights, actor=call.actor)
    return StepsJson(steps=view.steps)


@routes("POST", "/rooms/{room}/scenes/suggest", problems=(409,))
async def suggest_scenes(call: Call) -> ScenesJson:
    """Give the room the scenes that suit the devices in it; scenes that it has already are left as they are."""
    room_id = RoomId(call.path("room"))
    await call.services.scenes.suggest(room_id, rights=call.rights, actor=call.actor)
    return ScenesJson(scenes=[SceneJson.of(each) for each in await call.services.store.scenes.list(room_id)])


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
