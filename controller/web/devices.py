"""Devices: found, claimed into rooms, switched."""

from datetime import timedelta

from controller.views.device_json import CommandResultJson, DeviceJson, DevicesJson, DiscoveryProblemJson
from controller.web.call import Call
from controller.web.models.rooms import (
    AddressEditJson,
    AddressJson,
    ClaimJson,
    CommandJson,
    DevicesQuery,
    GatewayName,
    NewDeviceJson,
)
from controller.web.paging import rest, wanted
from controller.web.reading import device_json, visible_device
from controller.web.route import Routes
from devices.device import DeviceAddress, DeviceId, PropertyName
from rooms.people.rights import Right
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


@routes("POST", "/devices", status=201, problems=(404, 409))
async def connect_device(call: Call, body: NewDeviceJson) -> DeviceJson:
    """Add a device without MQTT by its address; it comes into the school's inbox, whether it answers or not."""
    id = await call.services.addresses.add(
        OrganisationId(body.school),
        gateway=body.gateway,
        host=body.host,
        port=body.port,
        password=body.password or "",
        name=body.name,
        rights=call.rights,
        actor=call.actor,
    )
    return _device(call, id)


@routes("GET", "/devices/{device}/address")
async def read_address(call: Call) -> AddressJson:
    """Where a device without MQTT is."""
    device = visible_device(call.services, call.rights, Right.EQUIP, call.path("device"))
    return _address(await call.services.store.device_addresses.get(device.id))


@routes("PUT", "/devices/{device}/address", problems=(409,))
async def change_address(call: Call, body: AddressEditJson) -> AddressJson:
    """The device is elsewhere, or has another password."""
    address = await call.services.addresses.change(
        DeviceId(call.path("device")),
        host=body.host,
        port=body.port,
        password=body.password,
        rights=call.rights,
        actor=call.actor,
    )
    return _address(address)


@routes("POST", "/devices/{device}/claim", problems=(409,))
async def claim_device(call: Call, body: ClaimJson) -> DeviceJson:
    """Put a device into a room; it can be commanded from then on."""
    id = DeviceId(call.path("device"))
    await call.services.claims.claim(id, RoomId(body.room), rights=call.rights, actor=call.actor)
    return _device(call, id)


@routes("POST", "/devices/{device}/release")
async def release_device(call: Call) -> DeviceJson:
    """Take a device out of its room; it is commanded no more."""
    id = DeviceId(call.path("device"))
    await call.services.claims.release(id, rights=call.rights, actor=call.actor)
    return _device(call, id)


@routes("DELETE", "/devices/{device}", problems=(409,))
async def delete_device(call: Call) -> None:
    """Forget a device that is in no room; it returns when it announces itself again."""
    await call.services.claims.forget(DeviceId(call.path("device")), rights=call.rights, actor=call.actor)


@routes("POST", "/devices/{device}/commands", problems=(503,))
async def send_command(call: Call, body: CommandJson) -> CommandResultJson:
    """Set one property; answered when the command has ended, at its deadline at the latest."""
    result = await call.services.claims.command(
        DeviceId(call.path("device")),
        PropertyName(body.property),
        body.value,
        timeout=timedelta(seconds=body.timeout_s),
        rights=call.rights,
        actor=call.actor,
    )
    return CommandResultJson.of(result)


def _device(call: Call, id: DeviceId) -> DeviceJson:
    """Raises `DeviceNotFound`."""
    return device_json(call.services, call.services.hub.device(id))


def _address(address: DeviceAddress) -> AddressJson:
    return AddressJson(
        gateway=GatewayName(address.gateway),
        host=address.host,
        port=address.port,
        has_password=bool(address.password),
    )


def _school_of(topic: str) -> str:
    """The school whose corner of the broker the topic is in; what lies outside all corners is shown to nobody."""
    parts = topic.split("/", 3)
    return parts[2] if len(parts) > 3 and parts[:2] == ["sc", "1"] else ""
