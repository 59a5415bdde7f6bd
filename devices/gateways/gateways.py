"""The carrier of all devices without MQTT: one connection each, started and ended as addresses come and go."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from devices.carrier import Outbox
from devices.device import CommandCode, DeviceAddress, DeviceId, Namespace
from devices.driver import GatewayDriver
from devices.errors import TooManyDevices
from devices.gateways.connection import DeviceConnection, Pace, Reception
from devices.gateways.gateway import Gateway
from devices.registry import Entry

SCHOOL_DEVICES_LIMIT = 300
"""Of one school: each may have a connection."""
SCHOOL_ATTEMPTS_LIMIT = 16
"""Of one school, to connect, at the same time: addresses where nobody answers take no place from other schools."""


class Gateways:
    """`run` must be running for anything to happen; everything else returns at once."""

    def __init__(
        self,
        gateways: Sequence[Gateway],
        *,
        reception: Reception,
        outbox: Outbox,
        clock: Callable[[], datetime],
        pace: Pace,
    ) -> None:
        self._gateways = {each.name: each for each in gateways}
        self._reception = reception
        self._outbox = outbox
        self._clock = clock
        self._pace = pace
        self._namespaces: frozenset[Namespace] = frozenset()
        self._known: dict[DeviceId, tuple[DeviceAddress, GatewayDriver]] = {}
        self._of_school: Counter[Namespace] = Counter()
        self._places: defaultdict[Namespace, asyncio.Semaphore] = defaultdict(
            lambda: asyncio.Semaphore(SCHOOL_ATTEMPTS_LIMIT)
        )
        self._running: dict[DeviceId, tuple[DeviceConnection, asyncio.Task[None]]] = {}
        self._changed = asyncio.Event()

    async def run(self) -> None:
        """Talk to all devices until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                self._changed.clear()
                self._end_others()
                for id, (address, driver) in self._known.items():
                    if id not in self._running and address.namespace in self._namespaces:
                        connection = self._connection(address, driver)
                        task = tasks.create_task(connection.run(), name=f"talk to device {id}")
                        self._running[id] = connection, task
                await self._changed.wait()

    def _end_others(self) -> None:
        """End what is not to run any more, or is to run with another address."""
        for id, (connection, task) in list(self._running.items()):
            address, _ = self._known.get(id, (None, None))
            if address is not connection.address or connection.address.namespace not in self._namespaces:
                task.cancel()
                del self._running[id]

    def _connection(self, address: DeviceAddress, driver: GatewayDriver) -> DeviceConnection:
        return DeviceConnection(
            self._gateways[address.gateway],
            address,
            driver,
            reception=self._reception,
            outbox=self._outbox,
            places=self._places[address.namespace],
            clock=self._clock,
            pace=self._pace,
        )

    def knows(self, gateway: str) -> bool:
        return gateway in self._gateways

    def set_namespaces(self, namespaces: Iterable[Namespace]) -> None:
        """The schools whose devices are talked to."""
        self._namespaces = frozenset(namespaces)
        self._changed.set()

    def check_room(self, namespace: Namespace) -> None:
        """Raises `TooManyDevices` where the school has as many devices as it may."""
        if self._of_school[namespace] >= SCHOOL_DEVICES_LIMIT:
            raise TooManyDevices(f"the school has {SCHOOL_DEVICES_LIMIT} devices with addresses already")

    def driver(self, address: DeviceAddress, description: bytes = b"") -> GatewayDriver:
        """What is known of a device there."""
        return self._gateways[address.gateway].driver(address, description)

    def connect(self, address: DeviceAddress, description: bytes = b"") -> GatewayDriver:
        """Talk to a device there, in the place of another address that it had."""
        self._of_school[address.namespace] += address.device_id not in self._known
        driver = self.driver(address, description)
        self._known[address.device_id] = address, driver
        self._changed.set()
        return driver

    def disconnect(self, id: DeviceId) -> None:
        """Talk to the device no more. Idempotent."""
        known = self._known.pop(id, None)
        if known is not None:
            self._of_school[known[0].namespace] -= 1
            self._changed.set()

    def wake(self, id: DeviceId) -> None:
        running = self._running.get(id)
        if running is not None:
            running[0].wake()

    def held(self, entry: Entry) -> str:
        running = self._running.get(entry.driver.device.id)
        return CommandCode.DEVICE_OFFLINE if running is None else running[0].held
