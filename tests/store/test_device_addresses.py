from dataclasses import replace
from datetime import UTC, datetime

import pytest

from devices.device import Device, DeviceAddress, DeviceId, DeviceType
from rooms.audit import AuditEntry
from rooms.errors import AddressInUse, StoredDeviceNotFound
from rooms.school import namespace
from store import Store
from store.stored_device import StoredDevice
from tests.rooms.samples import XUAN_SCHOOL

NOW = datetime(2026, 11, 29, 8, 0, tzinfo=UTC)
ADDRESS = DeviceAddress(
    device_id=DeviceId("d-1"),
    namespace=namespace(XUAN_SCHOOL.school_id),
    gateway="pjlink",
    host="10.0.0.7",
    port=4352,
    password="secret",
    name="Máy chiếu",
)


def stored(address: DeviceAddress) -> StoredDevice:
    device = Device(
        id=address.device_id,
        namespace=address.namespace,
        dialect=address.gateway,
        key=address.device_id,
        name=address.name,
        type=DeviceType.PROJECTOR,
    )
    return StoredDevice(device=device, discovery_topic=address.source, discovery_payload=b"")


def entry(id: str = "d-1") -> AuditEntry:
    return AuditEntry(at=NOW, actor="a", action="device.connect", object_kind="device", object_id=id)


async def test_an_address_is_kept_with_its_device_and_who_gave_it(schools: Store) -> None:
    await schools.device_addresses.add(ADDRESS, stored(ADDRESS), entry())
    assert await schools.device_addresses.all() == (ADDRESS,)
    assert await schools.device_addresses.get(ADDRESS.device_id) == ADDRESS
    assert (await schools.devices.get(ADDRESS.device_id)).device == stored(ADDRESS).device
    assert [each.action for each in await schools.audit.list()] == ["device.connect"]


async def test_two_devices_have_no_address_in_common(schools: Store) -> None:
    await schools.device_addresses.add(ADDRESS, stored(ADDRESS), entry())
    second = replace(ADDRESS, device_id=DeviceId("d-2"))
    with pytest.raises(AddressInUse):
        await schools.device_addresses.add(second, stored(second), entry("d-2"))
    with pytest.raises(StoredDeviceNotFound):
        await schools.devices.get(second.device_id)
    assert len(await schools.audit.list()) == 1
    await schools.device_addresses.add(replace(second, port=4353), stored(second), entry("d-2"))
    with pytest.raises(AddressInUse):
        await schools.device_addresses.change(replace(second, port=4352), entry("d-2"))


async def test_an_address_changes_and_goes_with_its_device(schools: Store) -> None:
    with pytest.raises(StoredDeviceNotFound):
        await schools.device_addresses.change(ADDRESS, entry())
    await schools.device_addresses.add(ADDRESS, stored(ADDRESS), entry())
    other = replace(ADDRESS, host="10.0.0.8", password="other")
    await schools.device_addresses.change(other, entry())
    assert await schools.device_addresses.all() == (other,)
    await schools.devices.delete(ADDRESS.device_id)
    assert await schools.device_addresses.all() == ()
