"""Holds accepted commands until their carrier takes them, and sees each to its end."""

import asyncio
import heapq
from collections.abc import Callable, Iterable
from datetime import datetime

from devices.carrier import Carrier
from devices.changes import ChangeKind, Changes
from devices.device import Availability, Command, CommandCode, CommandId, CommandResult, DeviceId, Property, Value
from devices.errors import InvalidCommand
from devices.registry import Entry, Registry


class Sender:
    """All devices' command queues: the `Outbox` of every carrier. Time comes in as `tick`."""

    def __init__(
        self,
        registry: Registry,
        changes: Changes,
        *,
        clock: Callable[[], datetime],
        carrier: Callable[[Entry], Carrier],
        time_changed: Callable[[], None],
    ) -> None:
        """`carrier`: of a device."""
        self._registry = registry
        self._changes = changes
        self._clock = clock
        self._carrier = carrier
        self._time_changed = time_changed
        self._waiters: dict[CommandId, asyncio.Future[CommandResult]] = {}
        self._due: list[tuple[datetime, DeviceId]] = []
        self._scheduled: dict[DeviceId, datetime] = {}  # the latest place of each in it

    async def send(
        self, entry: Entry, command: Command, of: Property, *, reported: tuple[Value, datetime] | None
    ) -> CommandResult:
        """Queue the command and return how it ended. Raises `QueueFull`, `InvalidCommand` for an id that is in use."""
        if command.id in self._waiters:
            raise InvalidCommand(f"command {command.id} is already on its way")
        ended = entry.queue.accept(command, of, self._clock(), reported=reported)
        waiter: asyncio.Future[CommandResult] = asyncio.get_running_loop().create_future()
        self._waiters[command.id] = waiter
        self.finish(ended)
        self._moved(entry)
        self.poke(command.device_id)
        return await waiter

    def finish(self, ended: Iterable[CommandResult]) -> None:
        """Tell those who wait how their commands ended."""
        for result in ended:
            waiter = self._waiters.pop(result.command.id, None)
            if waiter is not None and not waiter.done():
                waiter.set_result(result)
            self._changes.publish(ChangeKind.COMMAND, result.command.device_id)

    def poke(self, id: DeviceId) -> None:
        """The device may have something that can be sent now."""
        entry = self._registry.get(id)
        if entry is not None and len(entry.queue):
            self._carrier(entry).wake(id)

    def take(self, id: DeviceId) -> Command | None:
        entry = self._registry.get(id)
        if entry is None or self._held(entry):
            return None
        return entry.queue.next(self._clock())

    def ready(self, id: DeviceId) -> bool:
        entry = self._registry.get(id)
        return entry is not None and entry.queue.ready(self._clock())

    def sent(self, command: Command) -> None:
        entry = self._registry.get(command.device_id)
        if entry is not None:
            self.finish(entry.queue.sent(command.id, self._clock()))
            self._moved(entry)

    def lost(self, command: Command) -> None:
        entry = self._registry.get(command.device_id)
        if entry is not None:
            self.finish(entry.queue.lost(command.id, self._clock()))

    def failed(self, command: Command, code: str) -> None:
        entry = self._registry.get(command.device_id)
        if entry is not None:
            self.finish(entry.queue.failed(command.id, self._clock(), code))

    def cancel(self, entry: Entry) -> None:
        """End all commands of a device."""
        self.finish(entry.queue.cancel(self._clock()))

    def cancel_all(self) -> None:
        for entry in self._registry:
            self.cancel(entry)

    @property
    def due(self) -> datetime | None:
        """When `tick` has something to do next."""
        return self._due[0][0] if self._due else None

    def tick(self, now: datetime, *, at_most: int | None = None) -> None:
        """End what has reached its deadline, of `at_most` so many devices; send again what was to wait."""
        left = at_most
        while self._due and self._due[0][0] <= now and left != 0:
            left = None if left is None else left - 1
            when, id = heapq.heappop(self._due)
            if self._scheduled.get(id) == when:
                del self._scheduled[id]
            entry = self._registry.get(id)
            if entry is not None:
                self.finish(entry.queue.tick(now, held=self._held(entry)))
                self._schedule(entry)
                self.poke(id)

    def acknowledged(self, entry: Entry) -> None:
        """A device answered, so its next deadline may have changed."""
        self._moved(entry)

    def _moved(self, entry: Entry) -> None:
        self._schedule(entry)
        self._changes.publish(ChangeKind.COMMAND, entry.driver.device.id)

    def _schedule(self, entry: Entry) -> None:
        due, id = entry.queue.due(self._clock()), entry.driver.device.id
        if due is not None and self._scheduled.get(id) != due:  # a device that answers often has one place all the same
            self._scheduled[id] = due
            heapq.heappush(self._due, (due, id))
            self._time_changed()

    def _held(self, entry: Entry) -> str:
        """Why commands to the device are not sent now; "" if they are."""
        if why := self._carrier(entry).held(entry):
            return why
        if entry.removed:
            return CommandCode.DEVICE_REMOVED
        return CommandCode.DEVICE_OFFLINE if entry.presence.state is Availability.OFFLINE else ""
