"""Keeps the registry's memory in the database, and says to the pages what the hub says of devices.

Values change far more often than they need to be written: what changed is gathered and written together.
"""

import asyncio
import gc
import logging
from collections.abc import Callable, Iterable
from contextlib import suppress
from itertools import count, islice

from controller.changes import ChangeKind
from devices.changes import Change, Changes
from devices.changes import ChangeKind as DeviceChangeKind
from devices.device import DeviceId, DeviceRecord, Namespace
from devices.errors import DeviceNotFound
from devices.hub import DeviceHub
from rooms.errors import DeviceInUse, InvalidValue, RoomsError, StoredDeviceNotFound, StoreUnavailable
from store import Store
from store.stored_device import check_record

logger = logging.getLogger(__name__)

WRITE_EVERY_S = 2.0
AT_ONCE = 50
PROPERTIES_AT_ONCE = 400
"""Devices of one school in one transaction, and what is to be written of them in all: some 10 ms of the loop. Then it
is another school's turn."""
PARTS_LIMIT = 5
"""Of one school each time that values are written."""
PAUSE_S = 0.1
"""Between two transactions for a school's new devices."""
LAST_WRITE_S = 5.0
"""How long we are held up at most when we end."""
DESCRIBED = (DeviceChangeKind.DISCOVERED, DeviceChangeKind.UPDATED, DeviceChangeKind.REMOVED)
KEPT = (DeviceChangeKind.DISCOVERED, DeviceChangeKind.UPDATED, DeviceChangeKind.REPORTED)


async def restore_devices(store: Store, hub: DeviceHub) -> None:
    """Give the hub what the database knows, before it connects."""
    addresses = {each.device_id: (each,) for each in await store.device_addresses.all()}
    gc.disable()  # all that is made here stays: looking for what does not would take as long as reading
    try:
        async for record in store.devices.all():
            hub.restore([record], addresses.get(record.device.id, ()))
    finally:
        gc.enable()
        gc.freeze()


class DeviceRecords:
    """Follows the hub's changes; the owner runs `run()` in a task.

    Each school has its own transactions, so that one with thousands of new devices, or one that was deleted, is nobody
    else's loss; while they are written, what changed elsewhere is told.
    """

    def __init__(
        self, store: Store, hub: DeviceHub, changes: Changes, *, described: Callable[[], None] = lambda: None
    ) -> None:
        """`described`: called when a device described itself, anew or otherwise than before."""
        self._store = store
        self._hub = hub
        self._changes = changes
        self._described = described
        self._dirty: dict[DeviceId, None] = {}
        self._found: dict[Namespace, dict[DeviceId, None]] = {}  # new devices by school; told of once they are kept
        self._gone: dict[DeviceId, None] = {}
        self._to_write = asyncio.Event()

    async def run(self) -> None:
        """Until cancelled; what is not yet written then is written before it ends."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._write_regularly(), name="write device records")
                tasks.create_task(self._write_what_came(), name="write new devices")
                with self._hub.changes() as changes:
                    async for change in changes:
                        self._follow(change)
        finally:
            for found in self._found.values():
                self._dirty |= found
            with suppress(TimeoutError):
                async with asyncio.timeout(LAST_WRITE_S):
                    await self._write_dirty()

    def _follow(self, change: Change) -> None:
        id = DeviceId(change.id)
        if change.kind is DeviceChangeKind.CLAIM:
            return  # whoever put it there, or took it out, says so
        if change.kind in DESCRIBED:
            self._described()
        if change.kind is DeviceChangeKind.DISCOVERED:
            with suppress(DeviceNotFound):  # gone again
                self._found.setdefault(self._hub.device(id).namespace, {})[id] = None
                self._to_write.set()
                return
        elif change.kind in KEPT:
            self._dirty[id] = None
        elif change.kind is DeviceChangeKind.REMOVED:
            self._gone[id] = None
            self._to_write.set()
        if not self._unwritten(id):
            self._changes.publish(ChangeKind.DEVICE, id)

    def _unwritten(self, id: DeviceId) -> bool:
        """Whether it is new and nobody has heard of it."""
        with suppress(DeviceNotFound):
            return id in self._found.get(self._hub.device(id).namespace, ())
        return False

    async def _write_what_came(self) -> None:
        """Write new devices before people hear of them, and forget those that are gone, school by school, for ever."""
        while True:
            await self._to_write.wait()
            self._to_write.clear()
            await self._delete_some()
            await self._write_found()
            if self._found or self._gone:
                self._to_write.set()
                await asyncio.sleep(PAUSE_S)

    async def _write_found(self) -> None:
        """A part of each school's new devices."""
        for school in list(self._found):
            ids = self._part(self._found[school])
            await self._write(ids)
            for id in ids:
                del self._found[school][id]
                self._hub.keep(id)
                self._changes.publish(ChangeKind.DEVICE, id)
            if not self._found[school]:
                del self._found[school]

    async def _delete_some(self) -> None:
        for id in list(islice(self._gone, AT_ONCE)):
            del self._gone[id]
            await self._delete(id)

    async def _write_regularly(self) -> None:
        while True:
            await asyncio.sleep(WRITE_EVERY_S)
            await self._write_dirty(PARTS_LIMIT)

    async def _write_dirty(self, parts: int | None = None) -> None:
        """What has changed by now, the schools in turn; `parts` of each at most, the rest another time."""
        schools: dict[Namespace, dict[DeviceId, None]] = {}
        ids, self._dirty = self._dirty, {}
        for id in ids:
            with suppress(DeviceNotFound):  # forgotten meanwhile
                schools.setdefault(self._hub.device(id).namespace, {})[id] = None
        try:
            for _ in count() if parts is None else range(parts):
                for school in list(schools):
                    part = self._part(schools[school])
                    for id in part:
                        del schools[school][id]
                    if not schools[school]:
                        del schools[school]
                    await self._write(part)
                if not schools:
                    return
        finally:
            self._dirty = {id: None for left in schools.values() for id in left} | self._dirty

    def _part(self, ids: Iterable[DeviceId]) -> list[DeviceId]:
        """The first of them, as many as one transaction should have."""
        part: list[DeviceId] = []
        properties = 0
        for id in islice(ids, AT_ONCE):
            part.append(id)
            with suppress(DeviceNotFound):
                properties += len(self._hub.device(id).properties)
            if properties >= PROPERTIES_AT_ONCE:
                break
        return part

    async def _write(self, ids: Iterable[DeviceId]) -> None:
        """Write devices of one school."""
        records: list[DeviceRecord] = []
        for id in ids:
            try:
                record = self._hub.record(id)
                check_record(record)
            except DeviceNotFound:
                continue  # forgotten meanwhile
            except InvalidValue as error:
                logger.warning("device %s: cannot be kept: %s", id, error)
            else:
                records.append(record)
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
