"""Devices without MQTT, which a person adds by their addresses."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from controller.ids import new_id
from controller.network import IPNetwork, parse_address
from devices.device import DeviceAddress, DeviceId, Namespace
from devices.hub import DeviceHub
from rooms.audit import AuditEntry
from rooms.errors import InvalidAddress
from store import Store
from store.stored_device import StoredDevice


class Addresses:
    """Gives devices their addresses: in the database with who did it, then in the hub."""

    def __init__(
        self, store: Store, hub: DeviceHub, *, networks: Sequence[IPNetwork], clock: Callable[[], datetime]
    ) -> None:
        self._store = store
        self._hub = hub
        self._networks = networks
        self._clock = clock

    async def add(
        self, school: Namespace, *, gateway: str, host: str, port: int, password: str, name: str, actor: str
    ) -> DeviceId:
        """A device of the school that is talked to from now on; it is in no room.

        Raises `InvalidAddress`, `AddressInUse`, `TooManyDevices`, `OrganisationNotFound`.
        """
        address = DeviceAddress(
            device_id=DeviceId(new_id("d")),
            namespace=school,
            gateway=gateway,
            host=self._checked(host),
            port=port,
            password=password,
            name=name,
        )
        stored = StoredDevice(
            device=self._hub.device_at(address), discovery_topic=address.source, discovery_payload=b""
        )
        await self._store.device_addresses.add(address, stored, self._entry("device.connect", address, actor))
        self._hub.connect(address)
        return address.device_id

    async def change(
        self, device_id: DeviceId, *, host: str, port: int, password: str | None, actor: str
    ) -> DeviceAddress:
        """The device is elsewhere now, or has another password (None: the same).

        Raises `InvalidAddress`, `AddressInUse`, `StoredDeviceNotFound`.
        """
        before = await self._store.device_addresses.get(device_id)
        password = before.password if password is None else password
        address = replace(before, host=self._checked(host), port=port, password=password)
        await self._store.device_addresses.change(address, self._entry("device.address", address, actor, before))
        self._hub.connect(address)
        return address

    def _checked(self, host: str) -> str:
        address = parse_address(host)
        if address is None or "%" in host:
            raise InvalidAddress("give the device's IP address, e.g. 192.168.1.20")
        if not any(address in network for network in self._networks):
            raise InvalidAddress(f"{address} is in none of the networks that `gateways.networks` allows")
        return str(address)

    def _entry(
        self, action: str, address: DeviceAddress, actor: str, before: DeviceAddress | None = None
    ) -> AuditEntry:
        return AuditEntry(
            at=self._clock(),
            actor=actor,
            action=action,
            object_kind="device",
            object_id=address.device_id,
            before=None if before is None else _public(before),
            after=_public(address),
        )


def _public(address: DeviceAddress) -> dict[str, object]:
    """Without the password."""
    return {"gateway": address.gateway, "host": address.host, "port": address.port, "name": address.name}
