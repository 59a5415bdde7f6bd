"""Devices without MQTT, which a person adds by their addresses."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from controller.audit_lines import AuditLines
from controller.ids import new_id
from controller.network import IPNetwork, parse_address
from devices.device import DeviceAddress, DeviceId, DeviceRecord
from devices.hub import DeviceHub
from rooms.errors import InvalidAddress
from rooms.people.rights import Right, Rights
from rooms.school import OrganisationId, SchoolId, namespace
from store import Store


class Addresses:
    """What people and programs do with the addresses of devices: in the database first, then in the hub."""

    def __init__(
        self, store: Store, hub: DeviceHub, *, networks: Sequence[IPNetwork], clock: Callable[[], datetime]
    ) -> None:
        self._store = store
        self._hub = hub
        self._networks = networks
        self._lines = AuditLines("device", clock)

    async def add(
        self,
        school_id: OrganisationId,
        *,
        gateway: str,
        host: str,
        port: int,
        password: str,
        name: str,
        rights: Rights,
        actor: str,
    ) -> DeviceId:
        """A device of the school that is talked to from now on; it is in no room.

        Raises `InvalidAddress`, `AddressInUse`, `TooManyDevices`, `OrganisationNotFound`, `HiddenObject`, `Forbidden`.
        """
        rights.require(Right.EQUIP, school_id, "organisation", school_id)
        address = DeviceAddress(
            device_id=DeviceId(new_id("d")),
            namespace=namespace(SchoolId(school_id)),
            gateway=gateway,
            host=self._checked(host),
            port=port,
            password=password,
            name=name,
        )
        device = self._hub.device_at(address)
        record = DeviceRecord(device=device, discovery_topic=address.source, discovery_payload=b"")
        async with self._store.transaction() as tx:
            await tx.devices.save([record])
            await tx.device_addresses.add(address)
            await tx.audit.add(self._lines.entry(actor, "device.connect", address.device_id, after=_public(address)))
        self._hub.connect(address)
        self._hub.keep(address.device_id)
        return address.device_id

    async def change(
        self, device_id: DeviceId, *, host: str, port: int, password: str | None, rights: Rights, actor: str
    ) -> DeviceAddress:
        """The device is elsewhere now, or has another password (None: the same).

        Raises `InvalidAddress`, `AddressInUse`, `StoredDeviceNotFound`, `DeviceNotFound`, `HiddenObject`, `Forbidden`.
        """
        device = self._hub.device(device_id)
        rights.require(Right.EQUIP, OrganisationId(device.namespace), "device", device_id)
        host = self._checked(host)
        async with self._store.transaction() as tx:
            before = await tx.device_addresses.get(device_id)
            address = replace(before, host=host, port=port, password=before.password if password is None else password)
            await tx.device_addresses.change(address)
            await tx.audit.add(
                self._lines.entry(actor, "device.address", device_id, before=_public(before), after=_public(address))
            )
        self._hub.connect(address)
        return address

    def _checked(self, host: str) -> str:
        address = parse_address(host)
        if address is None or "%" in host:
            raise InvalidAddress("give the device's IP address, e.g. 192.168.1.20")
        if not any(address in network for network in self._networks):
            raise InvalidAddress(f"{address} is in none of the networks that `gateways.networks` allows")
        return str(address)


def _public(address: DeviceAddress) -> dict[str, object]:
    """Without the password."""
    return {"gateway": address.gateway, "host": address.host, "port": address.port, "name": address.name}
