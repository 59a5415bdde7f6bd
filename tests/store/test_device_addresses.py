from dataclasses import replace

import pytest

from devices.device import Device, DeviceAddress, DeviceId, DeviceRecord, DeviceType
from rooms.errors import AddressInUse, StoredDeviceNotFound
from rooms.school import namespace
from store import Store
from tests.rooms.samples import XUAN_SCHOOL

ADDRESS = DeviceAddress(
    device_id=DeviceId("d-1"),
    namespace=namespace(XUAN_SCHOOL.school_id),
    gateway="pjlink",
    host="10.0.0.7",
    port=4352,
    password="secret",
    name="Máy chiếu",
)


def record(address: DeviceAddress) -> DeviceRecord:
    device = Device(
        id=address.device_id,
        namespace=address.namespace,
        dialect=address.gateway,
        key=address.device_id,
        name=address.name,
        type=DeviceType.PROJECTOR,
    )
    return DeviceRecord(device=device, discovery_topic=address.source, discovery_payload=b"")


async def add(store: Store, address: DeviceAddress) -> None:
    async with store.transaction() as tx:
        await tx.devices.save([record(address)])
        await tx.device_addresses.add(address)


async def test_an_address_is_kept_with_its_device(schools: Store) -> None:
    await add(schools, ADDRESS)
    assert await schools.device_addresses.all() == (ADDRESS,)
    assert await schools.device_addresses.get(ADDRESS.device_id) == ADDRESS


async def test_two_devices_have_no_address_in_common(schools: Store) -> None:
    await add(schools, ADDRESS)
    second = replace(ADDRESS, device_id=DeviceId("d-2"))
    with pytest.raises(AddressInUse):
        await add(schools, second)
    with pytest.raises(StoredDeviceNotFound):
        await schools.devices.get(second.device_id)
    await add(schools, replace(second, port=4353))
    with pytest.raises(AddressInUse):
        await schools.device_addresses.change(replace(second, port=4352))


async def test_an_address_changes_and_goes_with_its_device(schools: Store) -> None:
    with pytest.raises(StoredDeviceNotFound):
        await schools.device_addresses.change(ADDRESS)
    await add(schools, ADDRESS)
    other = replace(ADDRESS, host="10.0.0.8", password="other")
    await schools.device_addresses.change(other)
    assert await schools.device_addresses.all() == (other,)
    await schools.devices.delete(ADDRESS.device_id)
    assert await schools.device_addresses.all() == ()
