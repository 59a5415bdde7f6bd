"""Devices put into rooms, taken out again, forgotten and commanded."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from controller.audit_lines import AuditLines
from controller.changes import ChangeKind
from controller.ids import new_command_id
from devices.changes import Changes
from devices.device import Command, CommandResult, Device, DeviceId, DeviceRecord, PropertyName, Value
from devices.errors import DeviceNotFound
from devices.hub import DeviceHub
from rooms.people.rights import Right, Rights
from rooms.room import RoomId
from rooms.school import OrganisationId
from store import Store


class Claims:
    """What people and programs do with devices. Which room has a device is in the database and in the hub alike."""

    def __init__(self, store: Store, hub: DeviceHub, changes: Changes, *, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._hub = hub
        self._changes = changes
        self._clock = clock
        self._lines = AuditLines("device", clock)

    async def claim(self, device_id: DeviceId, room_id: RoomId, *, rights: Rights, actor: str) -> None:
        """Put a device into a room; it can be commanded from then on. Nothing happens where it is there already.

        Raises `DeviceNotFound`, `RoomNotFound`, `DeviceOfAnotherSchool`, `DeviceInUse`, `HiddenObject`, `Forbidden`.
        """
        device = self._permitted(Right.EQUIP, device_id, rights)
        record, room = self._hub.record(device_id), await self._store.rooms.get(room_id)
        rights.require(Right.EQUIP, room.school_id, "room", room_id)
        async with self._store.transaction() as tx:
            await tx.devices.save([record])  # it may have been found a moment ago
            await tx.devices.claim(device_id, room_id)
            if record.room is None:
                await tx.audit.add(self._lines.entry(actor, "device.claim", device.id, after={"room": room_id}))
        self._take_in(replace(record, room=room_id))
        self._announce(device_id, room_id)

    async def release(self, device_id: DeviceId, *, rights: Rights, actor: str) -> None:
        """Take a device out of its room; it is commanded no more. Nothing happens where it is in none.

        Raises `DeviceNotFound`, `StoredDeviceNotFound`, `HiddenObject`, `Forbidden`.
        """
        device = self._permitted(Right.EQUIP, device_id, rights)
        async with self._store.transaction() as tx:
            room_id = (await tx.devices.get(device_id)).room
            if room_id is None:
                return
            await tx.devices.release(device_id)
            await tx.audit.add(self._lines.entry(actor, "device.release", device.id, before={"room": room_id}))
        self._hub.release(device_id)
        self._announce(device_id, RoomId(room_id))

    async def forget(self, device_id: DeviceId, *, rights: Rights, actor: str) -> None:
        """Forget a device that is in no room; it returns when it announces itself again.

        Raises `DeviceNotFound`, `StoredDeviceNotFound`, `DeviceInUse`, `HiddenObject`, `Forbidden`.
        """
        device = self._permitted(Right.EQUIP, device_id, rights)
        before = {"school": device.namespace, "name": device.name}
        async with self._store.transaction() as tx:
            await tx.devices.delete(device_id)
            await tx.audit.add(self._lines.entry(actor, "device.delete", device.id, before=before))
        self._hub.forget(device_id)
        self._changes.publish(ChangeKind.DEVICE, device_id)

    async def command(
        self,
        device_id: DeviceId,
        property: PropertyName,
        value: Value,
        *,
        timeout: timedelta,
        rights: Rights,
        actor: str,
    ) -> CommandResult:
        """Set one property; returns when the command has ended, after `timeout` at the latest.

        Raises as `DeviceHub.send`, `HiddenObject`, `Forbidden`; `StoreUnavailable` where it was sent, but its end
        cannot be recorded.
        """
        device = self._permitted(Right.COMMAND, device_id, rights)
        command = Command(
            id=new_command_id(),
            device_id=device_id,
            property=property,
            value=value,
            deadline=self._clock() + timeout,
            actor=actor,
        )
        result = await self._hub.send(command)
        await self._store.audit.add(self._lines.entry(actor, "device.command", device.id, after=result.to_json()))
        return result

    def _permitted(self, right: Right, device_id: DeviceId, rights: Rights) -> Device:
        device = self._hub.device(device_id)
        rights.require(right, OrganisationId(device.namespace), "device", device_id)
        return device

    def _take_in(self, record: DeviceRecord) -> None:
        assert record.room is not None
        try:
            self._hub.keep(record.device.id)
            self._hub.claim(record.device.id, record.room)
        except DeviceNotFound:  # it took its description back while this was written; now it stays, as missing
            self._hub.restore([record])

    def _announce(self, device_id: DeviceId, room_id: RoomId) -> None:
        self._changes.publish(ChangeKind.DEVICE, device_id)
        self._changes.publish(ChangeKind.ROOM, room_id)
