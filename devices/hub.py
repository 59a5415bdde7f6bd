"""The devices of all schools, behind one broker and gateways: what they are and say, and commands with a result."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, aclosing, suppress
from dataclasses import replace
from datetime import datetime

from devices.broker_carrier import BrokerCarrier
from devices.carrier import Carrier
from devices.changes import Change, ChangeKind, Changes, Subscription
from devices.device import (
    Availability,
    Command,
    CommandResult,
    CommandState,
    Device,
    DeviceAddress,
    DeviceId,
    DeviceRecord,
    Namespace,
    PropertyName,
    Reported,
)
from devices.dialects.base import Dialect
from devices.driver import GatewayDriver, Problem
from devices.errors import BrokerLost, DeviceNotClaimed
from devices.gateways.connection import Pace
from devices.gateways.gateway import Gateway
from devices.gateways.gateways import Gateways
from devices.intake import Intake
from devices.mqtt.connection import MqttSettings
from devices.mqtt.reconnecting import Connected, ReconnectingMqtt
from devices.problems import Problems
from devices.registry import Entry, Registry
from devices.sender import Sender

logger = logging.getLogger(__name__)

BIRTH_AFTER_S = 0.5
"""After subscribing: what was retained brings more topics to subscribe to, and those should be heard too."""
DUE_AT_ONCE = 100
"""Devices that go offline or stale, and commands that reach their deadline, in one turn of the loop."""
BIRTH_PAUSE_S = 0.05
"""Between two schools, so that a province does not answer at once."""


async def _at_once() -> None:
    """For a loop that is never held up."""


class DeviceHub:
    """All devices of the schools in `set_namespaces`. Everything but `run` and `send` returns at once."""

    def __init__(
        self,
        *,
        connection: MqttSettings,
        dialects: Sequence[Dialect],
        gateways: Sequence[Gateway] = (),
        pace: Pace | None = None,
        clock: Callable[[], datetime],
        caught_up: Callable[[], Awaitable[None]] = _at_once,
        changes: Changes | None = None,
    ) -> None:
        """`caught_up`: returns once what came while the event loop was held up has been read.

        `changes`: where the hub publishes; one of its own where that is left out.
        """
        self._clock = clock
        self._caught_up = caught_up
        self._dialects = tuple(dialects)
        self._broker = ReconnectingMqtt(connection, clock=clock)
        self._registry = Registry()
        self._changes = changes or Changes()
        self._problems = Problems()
        self._wake = asyncio.Event()
        self._asleep_until: datetime | None = None
        self._sender = Sender(
            self._registry, self._changes, clock=clock, carrier=self._carrier, time_changed=self._wake.set
        )
        self._broker_carrier = BrokerCarrier(
            self._registry, self._sender, self._broker, clock=clock, time_changed=self._wake.set
        )
        self._intake = Intake(
            self._registry, self._sender, self._changes, self._problems, self._broker, self._dialects, clock=clock
        )
        self._gateways = Gateways(
            gateways, reception=self._intake, outbox=self._sender, clock=clock, pace=pace or Pace()
        )
        self._births: dict[Namespace, None] = {}
        self._births_wanted = asyncio.Event()

    async def run(self) -> None:
        """Connect, take in, send, connect again; until cancelled. Then every pending command fails as `cancelled`."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._broker.keep_subscribed(), name="keep subscribed")
                tasks.create_task(self._broker_carrier.run(), name="send commands")
                tasks.create_task(self._gateways.run(), name="talk to devices without MQTT")
                tasks.create_task(self._keep_time(), name="device deadlines")
                tasks.create_task(self._greet(), name="announce us to schools")
                tasks.create_task(self._listen(), name="listen to the broker")
                tasks.create_task(self._catch_up(), name="read what waits of schools")
        finally:
            self._sender.cancel_all()

    @property
    def connected(self) -> bool:
        return self._broker.connected

    def _carrier(self, entry: Entry) -> Carrier:
        return self._gateways if isinstance(entry.driver, GatewayDriver) else self._broker_carrier

    def restore(self, records: Iterable[DeviceRecord], addresses: Iterable[DeviceAddress] = ()) -> None:
        """Take up devices from the database, before `run`. Their values are not fresh."""
        known = {each.device_id: each for each in addresses if self._gateways.knows(each.gateway)}
        for record in records:
            address = known.get(record.device.id)
            if address is None:
                self._intake.restore(record)
            else:
                driver = self._gateways.connect(address, record.discovery_payload)
                self._intake.restore_connected(replace(record, discovery_topic=address.source), driver)

    def device_at(self, address: DeviceAddress) -> Device:
        """A device at an address that nobody has talked to yet. Raises `TooManyDevices` where the school has enough."""
        self._gateways.check_room(address.namespace)
        return self._gateways.driver(address).device

    def connect(self, address: DeviceAddress) -> None:
        """Talk to a device at this address from now on, also where it had another."""
        known = self._registry.get(address.device_id)
        description = known.driver.description if known and isinstance(known.driver, GatewayDriver) else b""
        self._intake.connect(self._gateways.connect(address, description), address.source)

    @property
    def namespaces(self) -> frozenset[Namespace]:
        """Those whose devices it listens to."""
        return self._intake.namespaces

    def set_namespaces(self, namespaces: set[Namespace]) -> None:
        """The schools whose devices are listened to; can be called again at any time."""
        self._gateways.set_namespaces(namespaces)
        for namespace in self._intake.set_namespaces(namespaces):
            self._births[namespace] = None
        self._births_wanted.set()

    def claim(self, id: DeviceId, room: str) -> None:
        """The device is in that room, and may be commanded from now on. Idempotent. Raises `DeviceNotFound`."""
        entry = self._registry.entry(id)
        if self._registry.move(entry, room):
            self._changes.publish(ChangeKind.CLAIM, id)

    def release(self, id: DeviceId) -> None:
        """The device may not be commanded any more; pending commands fail as `cancelled`. Raises `DeviceNotFound`."""
        entry = self._registry.entry(id)
        if self._registry.move(entry, None):
            self._sender.cancel(entry)
            self._changes.publish(ChangeKind.CLAIM, id)
            if entry.removed:
                self.forget(id)

    def forget(self, id: DeviceId) -> None:
        """Drop a device; it returns when it announces itself again. Idempotent."""
        if self._registry.get(id) is not None:
            self._gateways.disconnect(id)
            self._intake.forget(id)

    def doubt(self, namespace: Namespace) -> None:
        """A school's devices may have been cut off without a last will: believe in each again once it is heard."""
        for id in self._registry.doubt(namespace):
            self._changes.publish(ChangeKind.AVAILABILITY, id)
        self._births[namespace] = None
        self._births_wanted.set()

    def keep(self, id: DeviceId) -> None:
        """The device has been written to the database. Nothing happens where it is unknown by now."""
        self._registry.keep(id)

    def of_school(self, namespace: Namespace) -> Mapping[DeviceId, Device]:
        """The school's devices that are kept in the database."""
        return {id: entry.driver.device for id, entry in self._registry.of_school(namespace).entries.items()}

    def in_school(self, namespace: Namespace) -> tuple[int, int, int]:
        """Of a school's devices that are kept: a number that changes when they do; how many; how many in rooms."""
        found = self._registry.of_school(namespace)
        return found.version, len(found.entries), found.in_rooms

    def devices(self) -> Iterable[Device]:
        return [entry.driver.device for entry in self._registry]

    def in_room(self, room: str) -> list[Device]:
        """The devices that a room has claimed, by id."""
        return [entry.driver.device for entry in self._registry.in_room(room)]

    def device(self, id: DeviceId) -> Device:
        """Raises `DeviceNotFound`."""
        return self._registry.entry(id).driver.device

    def school_of(self, id: DeviceId) -> Namespace | None:
        """Whose the device is, or was until it was lately forgotten; None: it is not known."""
        return self._registry.school_of(id)

    def room_of(self, id: DeviceId) -> str | None:
        """The room that has claimed it; None: it is in the inbox. Raises `DeviceNotFound`."""
        return self._registry.entry(id).room

    def availability(self, id: DeviceId) -> tuple[Availability, datetime | None]:
        """The availability, and when the device itself was last heard (None: never). Raises `DeviceNotFound`."""
        presence = self._registry.entry(id).presence
        return presence.state, presence.last_heard

    def reported(self, id: DeviceId) -> Mapping[PropertyName, Reported]:
        """Raises `DeviceNotFound`."""
        return self._registry.reported(self._registry.entry(id))

    def record(self, id: DeviceId) -> DeviceRecord:
        """What to keep of the device over a restart. Raises `DeviceNotFound`."""
        return self._registry.record(self._registry.entry(id))

    def problems(self) -> tuple[Problem, ...]:
        """What is wrong on the broker now, by topic; one about the broker itself has the topic ""."""
        broker = self._broker.problem
        return (*((Problem("", broker, "no connection to the broker"),) if broker else ()), *self._problems)

    def pending(self, id: DeviceId) -> Mapping[PropertyName, tuple[Command, CommandState]]:
        """Commands that have not ended. Raises `DeviceNotFound`."""
        return self._registry.entry(id).queue.pending

    async def send(self, command: Command) -> CommandResult:
        """Send a command and return how it ended, at its deadline at the latest.

        Cancelling the caller does not take the command back. Raises `DeviceNotFound`, `PropertyNotFound`,
        `DeviceNotClaimed`, `InvalidCommand`, `QueueFull`.
        """
        entry = self._registry.entry(command.device_id)
        of = entry.driver.device.property(command.property)
        if entry.room is None:
            raise DeviceNotClaimed(f"device {command.device_id} is in no room")
        of.checked(command.value)
        return await self._sender.send(entry, command, of, reported=self._registry.fresh(entry, of.name))

    def changes(self, ids: Collection[DeviceId] | None = None) -> AbstractContextManager[Subscription]:
        """What changes from now on, one entry per device and kind until it is taken: a slow reader misses none.

        Of all devices, or of `ids` only. `with hub.changes() as changes: async for change in changes: ...`
        """
        if ids is None:
            return self._changes.subscribe(*ChangeKind, limit=None)
        return self._changes.subscribe(*(Change(kind, id) for id in set(ids) for kind in ChangeKind), limit=None)

    async def _listen(self) -> None:
        """Take in what comes from the broker, for ever."""
        async with aclosing(self._broker.events()) as events:
            async for event in events:
                if isinstance(event, list):
                    self._intake.take_in(event)
                    self._note_time()
                    # a full inbound queue is ready at once: let the others have their turn between two
                    await asyncio.sleep(0)
                elif isinstance(event, Connected):
                    self._births = dict.fromkeys(self._intake.namespaces)
                    self._births_wanted.set()
                    self._broker_carrier.connected_anew()
                else:
                    self._disconnected()

    async def _catch_up(self) -> None:
        """Take in what did not fit into one turn of the loop, or into its school's share, for ever."""
        while True:
            await self._intake.backlog()
            self._intake.tick(self._clock())
            self._intake.serve()
            self._note_time()
            await asyncio.sleep(0)

    def _note_time(self) -> None:
        """Something may be due earlier than it was."""
        due = self._registry.due
        if due is not None and (self._asleep_until is None or due < self._asleep_until):
            self._wake.set()

    def _disconnected(self) -> None:
        self._intake.disconnected()
        for id in self._registry.disconnected():
            self._changes.publish(ChangeKind.AVAILABILITY, id)

    async def _keep_time(self) -> None:
        """Have deadlines, offline and stale devices noticed at their time, for ever."""
        while True:
            dues = self._registry.due, self._sender.due, self._broker_carrier.due
            due = min((each for each in dues if each is not None), default=None)
            self._asleep_until = due
            self._wake.clear()
            delay_s = None if due is None else max(0.0, (due - self._clock()).total_seconds())
            with suppress(TimeoutError):
                async with asyncio.timeout(delay_s):
                    await self._wake.wait()
            await self._caught_up()  # what came in time must not be judged as late because we are
            now = self._clock()
            for id in self._registry.tick(now, at_most=DUE_AT_ONCE):
                self._changes.publish(ChangeKind.AVAILABILITY, id)
                self._sender.poke(id)
            self._broker_carrier.tick(now)
            self._sender.tick(now, at_most=DUE_AT_ONCE)
            await asyncio.sleep(0)

    async def _greet(self) -> None:
        """Tell each school that we are here, once per connection, for ever."""
        while True:
            await self._births_wanted.wait()
            self._births_wanted.clear()
            await self._broker.settled()
            await asyncio.sleep(BIRTH_AFTER_S)
            try:
                await self._announce()
            except BrokerLost as error:
                logger.debug("not announced to all schools: %s", error)  # the next connection starts again

    async def _announce(self) -> None:
        """Raises `BrokerLost`."""
        while self._births:
            await self._broker.settled()
            namespace = next(iter(self._births))
            for dialect in self._dialects:
                for message in dialect.birth(namespace):
                    await self._broker.publish(message)
            self._births.pop(namespace, None)
            await asyncio.sleep(BIRTH_PAUSE_S)
