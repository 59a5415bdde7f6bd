"""What several handlers read together before they answer: rooms with their devices, lessons with their views."""

from collections.abc import Iterable

from rooms.people.rights import ROLES, Right, Rights
from controller.schema import SchoolJson
from controller.views.device_json import DeviceJson, DeviceNow
from controller.views.lesson_json import LessonJson, Starters, lesson_as_seen, needs_starters
from controller.views.lesson_view import LessonView
from controller.views.room_json import DisplayJson, RoomJson
from controller.web.call import Call
from controller.web.services import Services
from devices.device import Device, DeviceId
from rooms.errors import StoredDeviceNotFound
from rooms.lesson import Lesson, LessonId
from rooms.room import Room, RoomId
from rooms.school import Organisation, OrganisationId, OrganisationKind, SchoolId

MOST_STARTERS = 3
"""So many of those who may start a lesson are named."""


async def organisations(services: Services) -> dict[OrganisationId, Organisation]:
    return {each.id: each for each in await services.store.organisations.list()}


async def schools(services: Services, rights: Rights, right: Right) -> frozenset[SchoolId]:
    """The schools at which `right` is held."""
    held = rights.organisations(right)
    listed = await services.store.organisations.list()
    return frozenset(each.school_id for each in listed if each.kind is OrganisationKind.SCHOOL and each.id in held)


async def visible_room(services: Services, rights: Rights, right: Right, room_id: str) -> Room:
    """Raises `RoomNotFound`, `HiddenObject`, `Forbidden`."""
    room = await services.store.rooms.get(RoomId(room_id))
    rights.require(right, room.school_id, "room", room_id)
    return room


def visible_device(services: Services, rights: Rights, right: Right, device_id: str) -> Device:
    """Raises `DeviceNotFound`, `HiddenObject`, `Forbidden`."""
    device = services.hub.device(DeviceId(device_id))
    rights.require(right, OrganisationId(device.namespace), "device", device_id)
    return device


async def visible_lesson(services: Services, rights: Rights, right: Right | None, lesson_id: str) -> Lesson:
    """Raises `LessonNotFound`, `HiddenObject`, `Forbidden`."""
    lesson = await services.store.lessons.get(LessonId(lesson_id))
    rights.require_lesson(right, lesson)
    return lesson


async def device_json(services: Services, device_id: DeviceId) -> DeviceJson:
    """Raises `DeviceNotFound`."""
    try:
        room_id = await services.store.devices.room_of(device_id)
    except StoredDeviceNotFound:
        room_id = None  # just discovered, not yet written
    return DeviceJson.of(_now(services, services.hub.device(device_id), {device_id: room_id}))


async def device_jsons(services: Services, devices: list[Device]) -> list[DeviceJson]:
    """Those that are kept by now: whoever is shown a device can put it into a room."""
    rooms = await _rooms_of(devices, services)
    return [DeviceJson.of(_now(services, each, rooms)) for each in devices if each.id in rooms]


async def room_jsons(services: Services, rooms: Iterable[Room]) -> list[RoomJson]:
    """These rooms with all that is in them."""
    rooms = list(rooms)
    store = services.store
    of = await organisations(services)
    stored = await store.devices.list({room.school_id for room in rooms})
    known = {device.id: device for device in services.hub.devices()}
    homes = {each.device.id: each.room_id for each in stored}
    live = {site.room_id: lesson.id for lesson in await store.lessons.live() for site in lesson.accepted}
    found = []
    for room in rooms:
        here = [known[id] for id, home in homes.items() if home == room.id and id in known]
        found.append(
            RoomJson.of(
                room,
                SchoolJson.of(of[room.school_id]),
                devices=[DeviceJson.of(_now(services, each, homes)) for each in here],
                displays=[
                    DisplayJson.of(each, connected=services.views.displays.connected(each.id))
                    for each in await store.displays.list(room.id)
                ],
                scenes=await store.scenes.list(room.id),
                in_use_by=live.get(room.id),
            )
        )
    return found


async def room_json(services: Services, room: Room) -> RoomJson:
    return (await room_jsons(services, [room]))[0]


async def lesson_json(services: Services, rights: Rights, lesson: Lesson) -> LessonJson:
    """A lesson that has just been read or written."""
    return await lesson_view_json(services, rights, await services.views.lessons.of(lesson))


async def answered(call: Call, lesson: Lesson) -> LessonJson:
    """What was done to a lesson, to whoever did it: the lesson as it is now."""
    call.set_etag(lesson.version)
    return await lesson_json(call.services, call.rights, lesson)


async def lesson_view_json(services: Services, rights: Rights, view: LessonView) -> LessonJson:
    starters = Starters()
    if needs_starters(view, rights):
        starters = await _starters(services, view.lesson.host_school_id)
    return lesson_as_seen(view, rights, services.clock(), starters)


async def _starters(services: Services, host: SchoolId) -> Starters:
    held = await services.people.accounts.holding(ROLES[Right.RUN].at, host)
    names = tuple(each.display_name for each in held)
    return Starters(names=names[:MOST_STARTERS], count=len(names))


async def _rooms_of(devices: list[Device], services: Services) -> dict[DeviceId, RoomId | None]:
    stored = await services.store.devices.list({SchoolId(OrganisationId(each.namespace)) for each in devices})
    return {each.device.id: each.room_id for each in stored}


def _now(services: Services, device: Device, rooms: dict[DeviceId, RoomId | None]) -> DeviceNow:
    availability, heard = services.hub.availability(device.id)
    return DeviceNow(
        device=device,
        room_id=rooms.get(device.id),
        availability=availability,
        heard=heard,
        reported=services.hub.reported(device.id),
        pending=services.hub.pending(device.id),
    )
