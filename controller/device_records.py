"""Keeps the registry's memory in the database, and says to the pages what the hub says of devices.

Values change far more often than they need to be written: what changed is gathered and written together.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from contextlib import suppress

from controller.changes import ChangeKind, Changes
from devices.device import DeviceId
from devices.errors import DeviceNotFound
from devices.hub import ChangeKind as DeviceChangeKind
from devices.hub import DeviceHub, DeviceRecord
from rooms.errors import DeviceInUse, InvalidValue, RoomsError, StoredDeviceNotFound, StoreUnavailable
from rooms.store import Store
from rooms.store.stored_device import StoredDevice

logger = logging.getLogger(__name__)

WRITE_EVERY_S = 2.0
LAST_WRITE_S = 5.0
"""How long we are held up at most when we end."""
DESCRIBED = (DeviceChangeKind.DISCOVERED, DeviceChangeKind.UPDATED, DeviceChangeKind.REMOVED)
KEPT = (DeviceChangeKind.DISCOVERED, DeviceChangeKind.UPDATED, DeviceChangeKind.REPORTED)


async def restore_devices(store: Store, hub: DeviceHub) -> None:
    """Give the hub what the database knows, before it connects."""
    hub.restore(
        DeviceRecord(
            device=each.device,
            discovery_topic=each.discovery_topic,
            discovery_payload=each.discovery_payload,
            claimed=each.room_id is not None,
            reported=each.reported,
        )
        for each in await store.devices.all()
    )


class DeviceRecords:
    """Follows the hub's changes; the owner runs `run()` in a task."""

    def __init__(
        self, store: Store, hub: DeviceHub, changes: Changes, *, described: Callable[[], None] = lambda: None
    ) -> None:
        """`described`: called when a device described itself, anew or otherwise than before."""
        self._store = store
        self._hub = hub
        self._changes = changes
        self._described = described
        self._dirty: dict[DeviceId, None] = {}

    async def run(self) -> None:
        """Until cancelled; what is not yet written then is written before it ends."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._write_regularly(), name="write device records")
            async with self._hub.changes() as changes:
                async for change in changes:
                    if change.kind in DESCRIBED:
                        self._described()
                    if change.kind is DeviceChangeKind.DISCOVERED:
                        await self._write([change.device_id])  # whoever claims it must find it
                    elif change.kind in KEPT:
                        self._dirty[change.device_id] = None
                    elif change.kind is DeviceChangeKind.REMOVED:
                        await self._delete(change.device_id)
                    self._changes.publish(ChangeKind.DEVICE, change.device_id)

    async def _write_regularly(self) -> None:
        try:
            while True:
                await asyncio.sleep(WRITE_EVERY_S)
                await self._write_dirty()
        finally:
            with suppress(TimeoutError):
                async with asyncio.timeout(LAST_WRITE_S):
                    await self._write_dirty()

    async def _write_dirty(self) -> None:
        ids, self._dirty = list(self._dirty), {}
        await self._write(ids)

    async def _write(self, ids: Iterable[DeviceId]) -> None:
        records: list[StoredDevice] = []
        for id in ids:
            try:
                records.append(_stored(self._hub.record(id)))
            except DeviceNotFound:
                continue  # forgotten meanwhile
            except InvalidValue as error:
                logger.warning("device %s: cannot be kept: %s", id, error)
        try:
            await self._store.devices.save(records)
        except asyncio.CancelledError:
            self._dirty |= dict.fromkeys(each.device.id for each in records)
            raise
        except StoreUnavailable as error:
            self._dirty |= dict.fromkeys(each.device.id for each in records)
            logger.warning("%d device records not written yet: %s", len(records), error)
        except RoomsError as error:
            logger.warning("%d device records not written: %s", len(records), error)

    async def _delete(self, id: DeviceId) -> None:
        """Forget what took its description back, so that it is not there again after a restart."""
        with suppress(DeviceNotFound):
            self._hub.device(id)
            return  # it has described itself again since
        self._dirty.pop(id, None)
        try:
            await self._store.devices.delete(id)
        except (StoredDeviceNotFound, DeviceInUse):
            return  # deleted by a person; or put into a room meanwhile, whose technician then sees it as missing
        except StoreUnavailable as error:
            logger.warning("device %s: record not deleted: %s", id, error)


def _stored(record: DeviceRecord) -> StoredDevice:
    return StoredDevice(
        device=record.device,
        discovery_topic=record.discovery_topic,
        discovery_payload=record.discovery_payload,
        reported=record.reported,
    )
