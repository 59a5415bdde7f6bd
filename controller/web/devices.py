"""Devices: found, claimed into rooms, switched."""

from datetime import timedelta

from controller.changes import ChangeKind
from controller.ids import new_command_id
from rooms.people.rights import Right
from controller.web.call import Call
from controller.web.models.rooms import (
    ClaimJson,
    CommandJson,
    CommandResultJson,
    DeviceJson,
    DevicesJson,
    DevicesQuery,
    DiscoveryProblemJson,
)
from controller.web.paging import rest, wanted
from controller.web.reading import device_json, visible_device, visible_room
from controller.web.route import Routes
from devices.device import Command, Device, PropertyName
from rooms.room import RoomId
from rooms.school import OrganisationId, SchoolId

routes = Routes("devices")


@routes("GET", "/devices", problems=(404,))
async def list_devices(call: Call, query: DevicesQuery) -> DevicesJson:
    """The devices of my schools or of one of them, and what is wrong with announcements there."""
    hub = call.services.hub
    mine = call.rights.schools(Right.SEE)
    if query.school is not None:
        id = OrganisationId(query.school)
        call.rights.require(Right.SEE, id, "organisation", id)
        mine &= {SchoolId(id)}
    part = wanted(query, (str, str, str))
    if part.words:
        await call.services.inventory.prepare(mine)
    page = call.services.inventory.page(part, mine, claimed=query.claimed)
    problems = [
        DiscoveryProblemJson(topic=each.topic, code=each.code, detail=each.detail)
        for each in hub.problems()
        if not each.topic or _school_of(each.topic) in mine  # no topic: the broker itself, everybody is concerned
    ]
    devices = [device_json(call.services, each) for each in page.items]
    return DevicesJson(devices=devices, problems=problems, **rest(page))


@routes("POST", "/devices/{device}/claim", problems=(409,))
async def claim_device(call: Call, body: ClaimJson) -> DeviceJson:
    """Put a device into a room; it can be commanded from then on."""
    device = visible_device(call.services, call.rights, Right.EQUIP, call.path("device"))
    room = await visible_room(call.services, call.rights, Right.EQUIP, body.room)
    await call.services.store.devices.claim(device.id, room.id)
    call.services.hub.claim(device.id, room.id)
    return await _moved(call, device, "device.claim", room.id, after={"room": room.id})


@routes("POST", "/devices/{device}/release")
async def release_device(call: Call) -> DeviceJson:
    """Take a device out of its room; it is commanded no more."""
    device = visible_device(call.services, call.rights, Right.EQUIP, call.path("device"))
    room_id = await call.services.store.devices.room_of(device.id)
    await call.services.store.devices.release(device.id)
    call.services.hub.release(device.id)
    return await _moved(call, device, "device.release", room_id, before={"room": room_id})


@routes("DELETE", "/devices/{device}", problems=(409,))
async def delete_device(call: Call) -> None:
    """Forget a device that is in no room; it returns when it announces itself again."""
    device = visible_device(call.services, call.rights, Right.EQUIP, call.path("device"))
    await call.services.store.devices.delete(device.id)
    call.services.hub.forget(device.id)
    await call.record("device.delete", "device", device.id, before={"school": device.namespace, "name": device.name})
    call.changed(ChangeKind.DEVICE, device.id)


@routes("POST", "/devices/{device}/commands", problems=(503,))
async def send_command(call: Call, body: CommandJson) -> CommandResultJson:
    """Set one property; answered when the command has ended, at its deadline at the latest."""
    device = visible_device(call.services, call.rights, Right.COMMAND, call.path("device"))
    command = Command(
        id=new_command_id(),
        device_id=device.id,
        property=PropertyName(body.property),
        value=body.value,
        deadline=call.services.clock() + timedelta(seconds=body.timeout_s),
        actor=call.actor,
    )
    result = await call.services.hub.send(command)
    await call.record("device.command", "device", device.id, after=result.to_json())
    return CommandResultJson.model_validate(result.to_json())


async def _moved(
    call: Call,
    device: Device,
    action: str,
    room_id: RoomId | None,
    *,
    before: dict[str, object] | None = None,
    after: dict[str, object] | None = None,
) -> DeviceJson:
    await call.record(action, "device", device.id, before=before, after=after)
    call.changed(ChangeKind.DEVICE, device.id)
    if room_id is not None:
        call.changed(ChangeKind.ROOM, room_id)
    return device_json(call.services, device)


def _school_of(topic: str) -> str:
    """The school whose corner of the broker the topic is in; what lies outside all corners is shown to nobody."""
    parts = topic.split("/", 3)
    return parts[2] if len(parts) > 3 and parts[:2] == ["sc", "1"] else ""
