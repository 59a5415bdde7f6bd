"""Publishes commands to the broker, device by device."""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from devices.carrier import Outbox
from devices.device import Command, CommandCode, DeviceId, Namespace
from devices.driver import GatewayDriver
from devices.errors import BrokerLost, DevicesError
from devices.mqtt.reconnecting import ReconnectingMqtt
from devices.registry import Entry, Registry
from devices.turns import Turns

logger = logging.getLogger(__name__)

WORKERS = 32
"""Devices that may wait for a PUBACK at the same time; one device has at most one."""
MEET_WITHIN = timedelta(seconds=2)
"""After connecting, how long commands wait for a device that was not heard of yet: after a broker's restart it has to
come back as we do, and what is published before it has subscribed is lost. Then it is tried all the same."""


class BrokerCarrier:
    """The carrier of all devices with MQTT. `run` must be running for anything to leave; time comes in as `tick`."""

    def __init__(
        self,
        registry: Registry,
        outbox: Outbox,
        broker: ReconnectingMqtt,
        *,
        clock: Callable[[], datetime],
        time_changed: Callable[[], None],
    ) -> None:
        self._registry = registry
        self._outbox = outbox
        self._broker = broker
        self._clock = clock
        self._time_changed = time_changed
        self._ready: Turns[Namespace, DeviceId] = Turns()
        self._waiting = asyncio.Semaphore(0)  # as many as are ready
        self._busy: set[DeviceId] = set()
        self._meet_until: datetime | None = None

    async def run(self) -> None:
        """Send until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for number in range(WORKERS):
                tasks.create_task(self._work(), name=f"send commands {number}")

    def wake(self, id: DeviceId) -> None:
        entry = self._registry.get(id)
        if entry is not None and self._ready.add(entry.driver.device.namespace, id):
            self._waiting.release()

    def held(self, entry: Entry) -> str:
        unmet = self._meet_until is not None and not entry.presence.met
        return CommandCode.BROKER_AWAY if unmet or not self._broker.connected else ""

    def connected_anew(self) -> None:
        """Send what was held: at once to devices that are heard of, a little later to the others."""
        self._meet_until = self._clock() + MEET_WITHIN
        self._time_changed()
        self._wake_all()

    @property
    def due(self) -> datetime | None:
        """When `tick` has something to do next."""
        return self._meet_until

    def tick(self, now: datetime) -> None:
        """Try the devices that were not heard of."""
        if self._meet_until is not None and self._meet_until <= now:
            self._meet_until = None
            self._wake_all()

    def _wake_all(self) -> None:
        for entry in self._registry:
            if len(entry.queue) and not isinstance(entry.driver, GatewayDriver):
                self.wake(entry.driver.device.id)

    async def _work(self) -> None:
        while True:
            await self._waiting.acquire()
            (id,) = self._ready.take(1)
            if id in self._busy:
                continue  # whoever is busy with it looks again before leaving it
            self._busy.add(id)
            try:
                while (command := self._outbox.take(id)) is not None:
                    await self._send(command)
            finally:
                self._busy.discard(id)

    async def _send(self, command: Command) -> None:
        """Publish one command and note whether the broker has it."""
        try:
            driver = self._registry.entry(command.device_id).driver
            if not isinstance(driver, GatewayDriver):
                for message in driver.write(command):
                    await self._broker.publish(message)
        except BrokerLost:
            self._outbox.lost(command)
        except (DevicesError, ValueError) as error:  # ValueError: a topic that paho refuses
            logger.warning("device %s: %s cannot be written: %s", command.device_id, command.property, error)
            self._outbox.failed(command, CommandCode.UNSUPPORTED)
        except Exception:  # noqa: BLE001 - the rim of one message: a driver's fault ends this command, not all sending
            logger.exception("device %s: %s cannot be written", command.device_id, command.property)
            self._outbox.failed(command, CommandCode.INTERNAL_ERROR)
        else:
            self._outbox.sent(command)
