"""Rooms, with everything in them."""

from dataclasses import replace

from controller.changes import ChangeKind
from controller.ids import new_id
from rooms.people.rights import Right
from controller.web.call import Call
from controller.web.models.rooms import NewRoomJson, RoomEditJson, RoomJson, RoomsJson, RoomsQuery
from controller.web.paging import rest, wanted
from controller.web.reading import DISPLAY_SOCKETS, room_json, room_jsons, visible_room
from controller.web.route import Routes
from rooms.room import Room, RoomId
from rooms.school import OrganisationId, SchoolId

routes = Routes("rooms")


@routes("GET", "/rooms")
async def list_rooms(call: Call, query: RoomsQuery) -> RoomsJson:
    """The rooms of my schools."""
    store, mine = call.services.store, call.rights.schools(Right.SEE)
    if query.school is not None:
        mine &= {SchoolId(OrganisationId(query.school))}
    page = await store.rooms.page(wanted(query, (str, str, str)), None if store.tree.is_all_schools(mine) else mine)
    rooms = await room_jsons(call.services, call.request.app[DISPLAY_SOCKETS], page.items)
    return RoomsJson(rooms=rooms, **rest(page))


@routes("POST", "/rooms", status=201, problems=(404, 409))
async def add_room(call: Call, body: NewRoomJson) -> RoomJson:
    """Add a room to a school."""
    id = OrganisationId(body.school)
    call.rights.require(Right.EQUIP, id, "organisation", id)
    school = call.services.store.tree.get(id)
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
        call.request.app[DISPLAY_SOCKETS].unpair(display.id)
    call.changed(ChangeKind.ROOM, room.id)


async def _answer(call: Call, room: Room) -> RoomJson:
    call.changed(ChangeKind.ROOM, room.id)
    return await _read(call, room)


async def _read(call: Call, room: Room) -> RoomJson:
    call.set_etag(room.version)
    return await room_json(call.services, call.request.app[DISPLAY_SOCKETS], room)
