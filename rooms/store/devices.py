"""Devices in the database: what discovery said, what they last reported, which room has them."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from devices.device import Device, DeviceId, PropertyName, Reported
from rooms.room import RoomId
from rooms.school import SchoolId


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredDevice:
    """A device as it is kept over a restart. `reported` values are never `fresh` when read back."""

    device: Device
    discovery_topic: str
    discovery_payload: bytes
    room_id: RoomId | None = None  # None: in the inbox, unclaimed
    reported: Mapping[PropertyName, Reported] = field(default_factory=dict)


class Devices:
    """The registry's memory. Only `claim` and `release` decide which room has a device."""

    async def save(self, records: Iterable[StoredDevice]) -> None:
        """Add or renew these in one transaction; `room_id` is not written. Raises `OrganisationNotFound`."""
        raise NotImplementedError

    async def all(self) -> tuple[StoredDevice, ...]:
        """All devices, by id."""
        raise NotImplementedError

    async def get(self, device_id: DeviceId) -> StoredDevice:
        """Raises `StoredDeviceNotFound`."""
        raise NotImplementedError

    async def list(self, school_ids: Collection[SchoolId]) -> tuple[StoredDevice, ...]:
        """Devices of these schools, by id."""
        raise NotImplementedError

    async def claim(self, device_id: DeviceId, room_id: RoomId) -> None:
        """Put a device into a room; nothing changes where it is there already.

        Raises `StoredDeviceNotFound`, `RoomNotFound`, `DeviceOfAnotherSchool`, `DeviceInUse` (in another room).
        """
        raise NotImplementedError

    async def release(self, device_id: DeviceId) -> None:
        """Take a device out of its room; nothing changes where it is in none. Raises `StoredDeviceNotFound`."""
        raise NotImplementedError

    async def delete(self, device_id: DeviceId) -> None:
        """Forget an unclaimed device. Raises `StoredDeviceNotFound`, `DeviceInUse`."""
        raise NotImplementedError

    async def room_of(self, device_id: DeviceId) -> RoomId | None:
        """The room that has claimed it. Raises `StoredDeviceNotFound`."""
        raise NotImplementedError
