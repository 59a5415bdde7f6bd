import asyncio
from dataclasses import replace

import pytest

from devices.device import Capability, DeviceId, DeviceRecord, Kind, Property, PropertyName, Reported, Value
from devices.scale import Scale
from rooms.errors import (
    DeviceInUse,
    DeviceOfAnotherSchool,
    InvalidValue,
    OrganisationNotFound,
    RoomNotFound,
    StoredDeviceNotFound,
)
from rooms.room import RoomId
from rooms.school import OrganisationId, SchoolId
from store import Store
from tests.rooms.samples import LOI, LOI_ROOM, MINUTE, NINE, XUAN, XUAN_OTHER, XUAN_ROOM, projector

PROJECTOR = projector()
ID = PROJECTOR.device.id


def reporting(record: DeviceRecord, **values: Value) -> DeviceRecord:
    reported = {
        PropertyName(name): Reported(value=value, received=NINE + MINUTE / 7, fresh=False)
        for name, value in values.items()
    }
    return replace(record, reported=reported)


async def test_a_device_comes_back_as_it_was(schools: Store) -> None:
    level = Property(
        name=PropertyName("level"),
        capability=Capability.LEVEL,
        kind=Kind.NUMBER,
        unit="%",
        minimum=0,
        maximum=100,
        scale=Scale(per_unit=0.99, least=1),
        tolerance=2.5,
    )
    device = replace(PROJECTOR.device, serial="\ud800 odd", properties=(*PROJECTOR.device.properties, level))
    kept = reporting(replace(PROJECTOR, device=device), power="on", muted=True, level=40, hours=12.5, note="\x00 é")
    await schools.devices.save([kept])
    assert await schools.devices.get(ID) == kept
    values = [(type(each.value), each.value) for each in (await schools.devices.get(ID)).reported.values()]
    assert values == [(str, "on"), (bool, True), (int, 40), (float, 12.5), (str, "\x00 é")]


async def test_many_are_saved_at_once_and_renewed(schools: Store) -> None:
    many = [projector(school, f"p{number}") for school in (XUAN, LOI) for number in range(600)]
    await schools.devices.save(many)
    renewed = [reporting(replace(each, discovery_payload=b"new"), power="off") for each in many[:700]]
    await schools.devices.save([*many[:3], *renewed])
    kept = [each.device async for each in schools.devices.all()]
    assert kept == sorted((each.device for each in (*renewed, *many[700:])), key=lambda each: each.id)
    assert len(await schools.devices.list([LOI])) == 600
    await schools.devices.save([])


async def test_saving_does_not_undo_a_claim(schools: Store) -> None:
    await schools.devices.save([PROJECTOR])
    await schools.devices.claim(ID, XUAN_ROOM.id)
    await schools.devices.save([reporting(PROJECTOR, power="on"), projector(XUAN, "p2")])
    assert await schools.devices.get(ID) == replace(reporting(PROJECTOR, power="on"), room=XUAN_ROOM.id)
    await schools.devices.save([replace(projector(XUAN, "p2"), room=XUAN_ROOM.id)])
    assert (await schools.devices.get(projector(XUAN, "p2").device.id)).room is None


async def test_devices_of_an_unknown_school_are_refused(schools: Store) -> None:
    nowhere = SchoolId(OrganisationId("nowhere"))
    with pytest.raises(OrganisationNotFound, match="nowhere"):
        await schools.devices.save([PROJECTOR, projector(nowhere)])
    assert [each async for each in schools.devices.all()] == []


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
async def test_a_value_that_no_database_takes_is_refused(schools: Store, value: float) -> None:
    with pytest.raises(InvalidValue, match="power"):
        await schools.devices.save([reporting(PROJECTOR, power=value)])
    assert [each async for each in schools.devices.all()] == []


async def test_a_device_is_in_one_room_of_its_school_at_most(schools: Store) -> None:
    await schools.devices.save([PROJECTOR])
    with pytest.raises(DeviceOfAnotherSchool):
        await schools.devices.claim(ID, LOI_ROOM.id)
    with pytest.raises(RoomNotFound):
        await schools.devices.claim(ID, RoomId("nowhere"))
    for _ in range(2):
        await schools.devices.claim(ID, XUAN_ROOM.id)
    with pytest.raises(DeviceInUse) as caught:
        await schools.devices.claim(ID, XUAN_OTHER.id)
    assert (caught.value.device_id, caught.value.room_id) == (ID, XUAN_ROOM.id)
    assert (await schools.devices.get(ID)).room == XUAN_ROOM.id
    with pytest.raises(DeviceInUse):
        await schools.devices.delete(ID)
    for _ in range(2):
        await schools.devices.release(ID)
    await schools.devices.claim(ID, XUAN_OTHER.id)
    await schools.devices.release(ID)
    await schools.devices.delete(ID)
    assert [each async for each in schools.devices.all()] == []


async def test_of_many_rooms_that_claim_one_device_one_has_it(schools: Store) -> None:
    await schools.devices.save([PROJECTOR])
    rooms = [XUAN_ROOM.id, XUAN_OTHER.id] * 5
    async with asyncio.timeout(30):
        ends = await asyncio.gather(*(schools.devices.claim(ID, room) for room in rooms), return_exceptions=True)
    owner = (await schools.devices.get(ID)).room
    assert [None if room == owner else DeviceInUse for room in rooms] == [end and type(end) for end in ends]


async def test_an_unknown_device_is_said_to_be_so(schools: Store) -> None:
    unknown = DeviceId("d-unknown")
    for call in (
        schools.devices.get(unknown),
        schools.devices.claim(unknown, XUAN_ROOM.id),
        schools.devices.release(unknown),
        schools.devices.delete(unknown),
    ):
        with pytest.raises(StoredDeviceNotFound, match="d-unknown"):
            await call
