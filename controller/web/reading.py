"""What several handlers read together before they answer: rooms with their devices, lessons with their views."""

from collections.abc import Collection, Sequence

from controller.schema import SchoolJson
from controller.views.device_json import DeviceJson, DeviceNow
from controller.views.lesson_json import LessonJson, Starters, lesson_as_seen, needs_starters
from controller.views.lesson_view import LessonView
from controller.views.room_json import DisplayJson, RoomJson
from controller.web.call import Call
from controller.web.services import Services
from devices.device import Device, DeviceId
from rooms.lesson import Lesson, LessonId
from rooms.people.account import Account
from rooms.people.rights import ROLES, Right, Rights
from rooms.room import Room, RoomId
from rooms.school import OrganisationId

MOST_STARTERS = 3
"""So many of those who may start a lesson are named."""


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


def device_json(services: Services, device: Device) -> DeviceJson:
    """Raises `DeviceNotFound`."""
    availability, heard = services.hub.availability(device.id)
    return DeviceJson.of(
        DeviceNow(
            device=device,
            room=services.hub.room_of(device.id),
            availability=availability,
            heard=heard,
            reported=services.hub.reported(device.id),
            pending=services.hub.pending(device.id),
        )
    )


async def room_jsons(services: Services, rooms: Collection[Room]) -> list[RoomJson]:
    """These rooms with all that is in them."""
    ids = [room.id for room in rooms]
    connected = services.views.displays.connected
    displays, scenes = await services.store.displays.in_rooms(ids), await services.store.scenes.names_in(ids)
    found = []
    for room in rooms:
        plan = services.conductor.plan_in(room.id)
        found.append(
            RoomJson.of(
                room,
                SchoolJson.of(services.store.tree.get(room.school_id)),
                devices=[device_json(services, each) for each in services.hub.in_room(room.id)],
                displays=[DisplayJson.of(each, connected=connected(each.id)) for each in displays[room.id]],
                scenes=scenes[room.id],
                in_use_by=None if plan is None else plan.lesson.id,
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
    return (await lesson_view_jsons(services, rights, [view]))[0]


async def lesson_view_jsons(services: Services, rights: Rights, views: Sequence[LessonView]) -> list[LessonJson]:
    """As whoever has these rights may know them; one query at most, however many they are."""
    hosts = {view.lesson.host_school_id for view in views if needs_starters(view, rights)}
    starters = await services.people.accounts.holding(ROLES[Right.RUN].at, hosts) if hosts else {}
    return [
        lesson_as_seen(view, rights, services.clock(), _starters(starters.get(view.lesson.host_school_id, ())))
        for view in views
    ]


def _starters(held: Sequence[Account]) -> Starters:
    return Starters(names=tuple(each.display_name for each in held[:MOST_STARTERS]), count=len(held))
