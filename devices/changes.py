"""Who wants to know that a device changed: subscribers that can be slow without anything growing."""

import asyncio
from collections.abc import AsyncIterator
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


class Changes:
    """Publishes changes. A subscriber's queue holds a (device, kind) once, so it is bounded by what there is."""

    def __init__(self) -> None:
        self._queues: set[_Queue] = set()

    def publish(self, id: DeviceId, *kinds: ChangeKind) -> None:
        for queue in self._queues:
            queue.put(id, kinds)

    @asynccontextmanager
    async def subscribe(self) -> AsyncIterator[AsyncIterator[DeviceChange]]:
        """What is published from now on, in order of its first occurrence since it was last taken."""
        queue = _Queue()
        self._queues.add(queue)
        try:
            yield queue
        finally:
            self._queues.discard(queue)


class _Queue:
    """One subscriber's part."""

    def __init__(self) -> None:
        self._waiting: dict[tuple[DeviceId, ChangeKind], None] = {}
        self._filled = asyncio.Event()

    def put(self, id: DeviceId, kinds: tuple[ChangeKind, ...]) -> None:
        for kind in kinds:
            self._waiting[id, kind] = None
        if self._waiting:
            self._filled.set()

    def __aiter__(self) -> "_Queue":
        return self

    async def __anext__(self) -> DeviceChange:
        while not self._waiting:
            self._filled.clear()
            await self._filled.wait()
        id, kind = first = next(iter(self._waiting))
        del self._waiting[first]
        return DeviceChange(id, kind)
