"""Where devices without MQTT are, in the database: what a person has given, and no device says of itself.

A gateway has to give a password to its device, so it is kept as it is, not as a hash. It is in no answer and no audit
entry; whoever may read the database reads it.
"""

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from devices.device import DeviceAddress, DeviceId, Namespace
from rooms.errors import AddressInUse, StoredDeviceNotFound
from store.database import Database
from store.tables import DeviceAddressRow, DeviceRow


class DeviceAddresses:
    """One address for each device behind a gateway; it goes with its device."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self) -> tuple[DeviceAddress, ...]:
        query = select(DeviceAddressRow, DeviceRow.school_id).join(DeviceRow).order_by(DeviceAddressRow.device_id)
        async with self._database.reading() as db:
            return tuple(_address(row, school_id) for row, school_id in await db.execute(query))

    async def get(self, device_id: DeviceId) -> DeviceAddress:
        """Raises `StoredDeviceNotFound`, also for a device that has no address."""
        query = select(DeviceAddressRow, DeviceRow.school_id).join(DeviceRow)
        async with self._database.reading() as db:
            found = (await db.execute(query.where(DeviceAddressRow.device_id == device_id))).first()
        if found is None:
            raise StoredDeviceNotFound(f"no device {device_id} with an address")
        row, school_id = found
        return _address(row, school_id)

    async def add(self, address: DeviceAddress) -> None:
        """The address of a device that is there. Raises `AddressInUse`."""
        async with self._database.writing() as db:
            db.add(_row(address))
            await _flush(db, address)

    async def change(self, address: DeviceAddress) -> None:
        """Another address of the same device. Raises `AddressInUse`, `StoredDeviceNotFound`."""
        async with self._database.writing() as db:
            if await db.get(DeviceAddressRow, address.device_id, with_for_update=True) is None:
                raise StoredDeviceNotFound(f"no device {address.device_id} with an address")
            await db.merge(_row(address))
            await _flush(db, address)


async def _flush(db: AsyncSession, address: DeviceAddress) -> None:
    try:
        await db.flush()
    except IntegrityError as error:
        raise AddressInUse(f"another device is at {address.host}, port {address.port}") from error


def _row(address: DeviceAddress) -> DeviceAddressRow:
    return DeviceAddressRow(
        device_id=address.device_id,
        gateway=address.gateway,
        host=address.host,
        port=address.port,
        password=address.password,
        name=address.name,
    )


def _address(row: DeviceAddressRow, school_id: str) -> DeviceAddress:
    return DeviceAddress(
        device_id=DeviceId(row.device_id),
        namespace=Namespace(school_id),
        gateway=row.gateway,
        host=row.host,
        port=row.port,
        password=row.password,
        name=row.name,
    )
