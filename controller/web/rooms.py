"""Rooms, with everything in them."""

from controller.views.room_json import RoomJson, RoomsJson
from controller.web.call import Call
from controller.web.models.rooms import NewRoomJson, RoomEditJson, RoomsQuery
from controller.web.paging import rest, wanted
from controller.web.reading import room_json, room_jsons, visible_room
from controller.web.route import Routes
from rooms.people.rights import Right
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
    return RoomsJson(rooms=await room_jsons(call.services, page.items), **rest(page))


@routes("POST", "/rooms", status=201, problems=(404, 409))
async def add_room(call: Call, body: NewRoomJson) -> RoomJson:
    """Add a room to a school."""
    school_id = OrganisationId(body.school)
    return await _read(call, await call.services.rooms.add(school_id, body.name, rights=call.rights, actor=call.actor))


@routes("GET", "/rooms/{room}")
async def get_room(call: Call) -> RoomJson:
    """One room."""
    room = await visible_room(call.services, call.rights, Right.SEE, call.path("room"))
    return await _read(call, room)


@routes("PATCH", "/rooms/{room}", if_match=True, problems=(409,))
async def edit_room(call: Call, body: RoomEditJson) -> RoomJson:
    """Rename a room."""
    id, version = RoomId(call.path("room")), call.expected_version()
    rename = call.services.rooms.rename
    return await _read(
        call, await rename(id, body.name, expected_version=version, rights=call.rights, actor=call.actor)
    )


@routes("DELETE", "/rooms/{room}", problems=(409,))
async def delete_room(call: Call) -> None:
    """Delete a room that has no devices and no lessons to come; its displays are unpaired."""
    await call.services.rooms.delete(RoomId(call.path("room")), rights=call.rights, actor=call.actor)


async def _read(call: Call, room: Room) -> RoomJson:
    call.set_etag(room.version)
    return await room_json(call.services, room)
