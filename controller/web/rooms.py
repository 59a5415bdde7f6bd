"""Rooms, with everything in them."""

from dataclasses import replace

from controller.changes import ChangeKind
from controller.ids import new_id
from rooms.people.rights import Right
from controller.views.room_json import RoomJson, RoomsJson
from controller.web.call import Call
from controller.web.models.rooms import NewRoomJson, RoomEditJson
from controller.web.reading import room_json, room_jsons, schools, visible_room
from controller.web.route import Routes
from rooms.room import Room, RoomId
from rooms.school import OrganisationId

routes = Routes("rooms")


@routes("GET", "/rooms")
async def list_rooms(call: Call) -> RoomsJson:
    """The rooms of my schools."""
    found = await call.services.store.rooms.list(await schools(call.services, call.rights, Right.SEE))
    return RoomsJson(rooms=await room_jsons(call.services, found))


@routes("POST", "/rooms", status=201, problems=(404, 409))
async def add_room(call: Call, body: NewRoomJson) -> RoomJson:
    """Add a room to a school."""
    id = OrganisationId(body.school)
    call.rights.require(Right.EQUIP, id, "organisation", id)
    school = await call.services.store.organisations.get(id)
    room = Room(id=RoomId(new_id("r")), school_id=school.school_id, name=body.name)
    await call.services.store.rooms.add(room)
    await call.record("room.add", "room", room.id, after={"school": id, "name": room.name})
    return await _answer(call, room)


@routes("GET", "/rooms/{room}")
async def get_room(call: Call) -> RoomJson:
    """One room."""
    room = await visible_room(call.services, call.rights, Right.SEE, call.path("room"))
    return await _read(call, room)


@routes("PATCH", "/rooms/{room}", if_match=True, problems=(409,))
async def edit_room(call: Call, body: RoomEditJson) -> RoomJson:
    """Rename a room."""
    room = await visible_room(call.services, call.rights, Right.EQUIP, call.path("room"))
    renamed = await call.services.store.rooms.update(replace(room, name=body.name), call.expected_version())
    await call.record("room.edit", "room", room.id, before={"name": room.name}, after={"name": renamed.name})
    return await _answer(call, renamed)


@routes("DELETE", "/rooms/{room}", problems=(409,))
async def delete_room(call: Call) -> None:
    """Delete a room that has no devices and no lessons to come; its displays are unpaired."""
    room = await visible_room(call.services, call.rights, Right.EQUIP, call.path("room"))
    displays = await call.services.store.displays.list(room.id)
    await call.services.store.rooms.delete(room.id, call.services.clock())
    await call.record("room.delete", "room", room.id, before={"school": room.school_id, "name": room.name})
    for display in displays:
        call.services.views.displays.unpair(display.id)
    call.changed(ChangeKind.ROOM, room.id)


async def _answer(call: Call, room: Room) -> RoomJson:
    call.changed(ChangeKind.ROOM, room.id)
    return await _read(call, room)


async def _read(call: Call, room: Room) -> RoomJson:
    call.set_etag(room.version)
    return await room_json(call.services, room)
