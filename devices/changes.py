"""Who wants to know that a device changed: subscribers that can be slow without anything growing."""

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum

from devices.device import DeviceId


class ChangeKind(StrEnum):
    """What changed about a device."""

    DISCOVERED = "discovered"
    UPDATED = "updated"  # described anew: other properties, other firmware
    REMOVED = "removed"
    REPORTED = "reported"  # a value or its freshness
    AVAILABILITY = "availability"
    COMMAND = "command"  # a pending command moved or ended
    CLAIM = "claim"


@dataclass(frozen=True, slots=True)
class DeviceChange:
    """One device, one kind of change. It carries no values: ask the hub for what is so now."""

    device_id: DeviceId
    kind: ChangeKind


TAKEN_AT_ONCE = 50
"""Changes that a reader takes before others have their turn, should more be waiting."""


class Changes:
    """Publishes changes. A subscriber's queue holds a (device, kind) once, so it is bounded by what there is."""

    def __init__(self) -> None:
        self._of_all: set[_Queue] = set()
        self._of_device: dict[DeviceId, set[_Queue]] = {}  # none that is empty

    def publish(self, id: DeviceId, *kinds: ChangeKind) -> None:
        for queue in self._of_all:
            queue.put(id, kinds)
        for queue in self._of_device.get(id, ()):
            queue.put(id, kinds)

    @asynccontextmanager
    async def subscribe(self, ids: Collection[DeviceId] | None = None) -> AsyncIterator[AsyncIterator[DeviceChange]]:
        """What is published from now on, in order of its first occurrence since it was last taken; of these devices
        only, if they are named: what others do then costs nothing."""
        queue = _Queue()
        places = [self._of_all] if ids is None else [self._of_device.setdefault(id, set()) for id in set(ids)]
        for place in places:
            place.add(queue)
        try:
            yield queue
        finally:
            for place in places:
                place.discard(queue)
            for id in ids or ():
                if not self._of_device.get(id, True):
                    del self._of_device[id]


class _Queue:
    """One subscriber's part."""

    def __init__(self) -> None:
        self._waiting: dict[tuple[DeviceId, ChangeKind], None] = {}
        self._filled = asyncio.Event()
        self._taken = 0

    def put(self, id: DeviceId, kinds: tuple[ChangeKind, ...]) -> None:
        for kind in kinds:
            self._waiting[id, kind] = None
        if self._waiting:
            self._filled.set()

    def __aiter__(self) -> "_Queue":
        return self

    async def __anext__(self) -> DeviceChange:
        self._taken += 1
        if self._taken >= TAKEN_AT_ONCE:
            self._taken = 0
            await asyncio.sleep(0)
        while not self._waiting:
            self._filled.clear()
            await self._filled.wait()
            self._taken = 0
        id, kind = first = next(iter(self._waiting))
        del self._waiting[first]
        return DeviceChange(id, kind)
