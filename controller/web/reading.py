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


def device_json(services: Services, device_id: DeviceId) -> DeviceJson:
    """Raises `DeviceNotFound`."""
    return DeviceJson.of(_now(services, services.hub.device(device_id)))


async def room_jsons(services: Services, rooms: Iterable[Room]) -> list[RoomJson]:
    """These rooms with all that is in them."""
    rooms = list(rooms)
    store = services.store
    of = await organisations(services)
    live = {site.room_id: lesson.id for lesson in await store.lessons.live() for site in lesson.accepted}
    found = []
    for room in rooms:
        found.append(
            RoomJson.of(
                room,
                SchoolJson.of(of[room.school_id]),
                devices=[DeviceJson.of(_now(services, each)) for each in services.hub.in_room(room.id)],
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


def _now(services: Services, device: Device) -> DeviceNow:
    availability, heard = services.hub.availability(device.id)
    return DeviceNow(
        device=device,
        room=services.hub.room_of(device.id),
        availability=availability,
        heard=heard,
        reported=services.hub.reported(device.id),
        pending=services.hub.pending(device.id),
    )
