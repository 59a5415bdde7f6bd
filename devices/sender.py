"""Hands accepted commands to the broker, device by device, and sees each to its end."""

import asyncio
import heapq
import logging
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime, timedelta

from devices.changes import ChangeKind, Changes
from devices.device import Availability, Command, CommandId, CommandResult, DeviceId, Namespace, Property, Value
from devices.errors import BrokerLost, DevicesError, InvalidCommand
from devices.mqtt.message import Publish
from devices.registry import Entry, Registry
from devices.turns import Turns

logger = logging.getLogger(__name__)

WORKERS = 32
"""Devices that may wait for a PUBACK at the same time; one device has at most one."""
MEET_WITHIN = timedelta(seconds=2)
"""After connecting, how long commands wait for a device that was not heard of yet: after a broker's restart it has to
come back as we do, and what is published before it has subscribed is lost. Then it is tried all the same."""


class Sender:
    """All devices' command queues. `run` must be running for anything to leave; time comes in as `tick`."""

    def __init__(
        self,
        registry: Registry,
        changes: Changes,
        *,
        clock: Callable[[], datetime],
        publish: Callable[[Publish], Awaitable[None]],
        connected: Callable[[], bool],
        time_changed: Callable[[], None],
    ) -> None:
        self._registry = registry
        self._changes = changes
        self._clock = clock
        self._publish = publish
        self._connected = connected
        self._time_changed = time_changed
        self._waiters: dict[CommandId, asyncio.Future[CommandResult]] = {}
        self._ready: Turns[Namespace, DeviceId] = Turns()
        self._waiting = asyncio.Semaphore(0)  # as many as are ready
        self._busy: set[DeviceId] = set()
        self._due: list[tuple[datetime, DeviceId]] = []
        self._scheduled: dict[DeviceId, datetime] = {}  # the latest place of each in it
        self._meet_until: datetime | None = None

    async def run(self) -> None:
        """Send until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for number in range(WORKERS):
                tasks.create_task(self._work(), name=f"send commands {number}")

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
        if entry is not None and self._ready.add(entry.driver.device.namespace, id):
            self._waiting.release()

    def connected_anew(self) -> None:
        """Send what was held: at once to devices that are heard of, a little later to the others."""
        self._meet_until = self._clock() + MEET_WITHIN
        self._time_changed()
        self._poke_all()

    def _poke_all(self) -> None:
        for entry in self._registry:
            if len(entry.queue):
                self.poke(entry.driver.device.id)

    def cancel(self, entry: Entry) -> None:
        """End all commands of a device."""
        self.finish(entry.queue.cancel(self._clock()))

    def cancel_all(self) -> None:
        for entry in self._registry:
            self.cancel(entry)

    @property
    def due(self) -> datetime | None:
        """When `tick` has something to do next."""
        next_deadline = self._due[0][0] if self._due else None
        if self._meet_until is None or next_deadline is None:
            return next_deadline or self._meet_until
        return min(next_deadline, self._meet_until)

    def tick(self, now: datetime, *, at_most: int | None = None) -> None:
        """End what has reached its deadline, of `at_most` so many devices; send again what was to wait."""
        if self._meet_until is not None and self._meet_until <= now:
            self._meet_until = None
            self._poke_all()
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
        if not self._connected() or (self._meet_until is not None and not entry.presence.met):
            return "broker_away"
        if entry.removed:
            return "device_removed"
        return "device_offline" if entry.presence.state is Availability.OFFLINE else ""

    async def _work(self) -> None:
        while True:
            await self._waiting.acquire()
            (id,) = self._ready.take(1)
            entry = self._registry.get(id)
            if entry is None or id in self._busy:
                continue  # whoever is busy with it looks again before leaving it
            self._busy.add(id)
            try:
                while not self._held(entry) and (command := entry.queue.next(self._clock())) is not None:
                    await self._send(entry, command)
            finally:
                self._busy.discard(id)

    async def _send(self, entry: Entry, command: Command) -> None:
        """Publish one command and note whether the broker has it."""
        try:
            for message in entry.driver.write(command):
                await self._publish(message)
        except BrokerLost:
            self.finish(entry.queue.lost(command.id, self._clock()))
            return
        except (DevicesError, ValueError) as error:  # ValueError: a topic that paho refuses
            logger.warning("device %s: %s cannot be written: %s", command.device_id, command.property, error)
            self.finish(entry.queue.failed(command.id, self._clock(), "unsupported"))
            return
        except Exception:  # noqa: BLE001 - the rim of one message: a driver's fault ends this command, not all sending
            logger.exception("device %s: %s cannot be written", command.device_id, command.property)
            self.finish(entry.queue.failed(command.id, self._clock(), "internal_error"))
            return
        self.finish(entry.queue.sent(command.id, self._clock()))
        self._moved(entry)
