"""A simulated device on the wire: a connection of its own with a last will, and its machine behind it."""

import asyncio
import logging
import random
import time
from collections import deque
from collections.abc import Callable

from demo.simulated.faults import Fault
from demo.simulated.machine import DONE, EXECUTING, Machine, Speeds, Taken
from demo.simulated.voice import Voice
from devices.device import Stage, Value
from devices.dialects.native_device import Order
from devices.errors import BrokerLost, BrokerRefused
from devices.mqtt.connection import Mqtt, MqttSettings, connect
from devices.mqtt.message import Message
from devices.mqtt.reconnecting import STEADY_AFTER_S, back_off_s

logger = logging.getLogger(__name__)

REMEMBERED_ORDERS = 100


class SimulatedDevice:
    """Its owner runs `run()` as a task. `received` holds the orders that reached it, whatever became of them."""

    def __init__(
        self,
        machine: Machine,
        voice: Voice,
        broker: MqttSettings,
        speeds: Speeds,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`clock`: seconds, monotonic, running as fast as the event loop's."""
        self.machine = machine
        self.received: deque[Order] = deque(maxlen=REMEMBERED_ORDERS)
        self.fault = Fault.NONE
        self._voice = voice
        self._broker = broker
        self._speeds = speeds
        self._clock = clock
        self._alive = asyncio.Event()
        self._alive.set()
        self._boot = 0
        self._published: dict[str, Value] = {}
        self._announce_at: float | None = None
        self._late: list[tuple[float, Order]] = []  # orders that a slow device has not started on
        self._executing: list[Order] = []

    @property
    def slug(self) -> str:
        return self.machine.blueprint.slug

    def set_fault(self, fault: Fault) -> None:
        """From now on; a device that died comes back unless it is to be dead."""
        self.fault = fault
        if fault is not Fault.DIES:
            self._alive.set()

    async def run(self) -> None:
        """Be there until cancelled, which looks to the broker as if the plug was pulled."""
        failures = 0
        while True:
            await self._alive.wait()
            since = self._clock()
            self._boot = max(self._boot + 1, time.time_ns() // 1_000_000)
            self._voice.connected(self._boot)
            try:
                async with connect(self._broker, will=self._voice.will) as mqtt:
                    await self._serve(mqtt)
            except (BrokerLost, BrokerRefused) as error:
                if not self._alive.is_set():
                    continue
                failures = 1 if self._clock() - since >= STEADY_AFTER_S else failures + 1
                log = logger.warning if failures == 1 else logger.debug
                log("simulated %s: broker lost: %s", self.machine.blueprint.serial, error)
                await asyncio.sleep(back_off_s(failures, random.random()))

    async def _serve(self, mqtt: Mqtt) -> None:
        """Raises `BrokerLost`."""
        try:
            await mqtt.subscribe([*self._voice.topics, self._voice.birth_topic])
            await self._announce(mqtt)
            logger.info("simulated %s: online", self.machine.blueprint.serial)
            while True:
                for message in await self._wait(mqtt):
                    await self._take(mqtt, message)
                await self._do_what_is_due(mqtt)
        except asyncio.CancelledError:
            mqtt.abort()  # a device that loses power says no goodbye
            raise

    async def _wait(self, mqtt: Mqtt) -> list[Message]:
        """The next messages; nothing when something is due."""
        moments = [at for at, _ in self._late]
        for each in (self._announce_at, self.machine.next_change(self._clock())):
            if each is not None:
                moments.append(each)
        wait_s = max(0.0, min(moments) - self._clock()) if moments else None
        try:
            async with asyncio.timeout(wait_s):
                return await mqtt.receive()
        except TimeoutError:
            return []

    async def _take(self, mqtt: Mqtt, message: Message) -> None:
        if message.topic == self._voice.birth_topic:
            if not message.retained and b"offline" not in message.payload and b"false" not in message.payload:
                self._announce_at = self._clock() + random.random() * self._speeds.birth_spread_s
            return
        for order in self._voice.orders(message):
            self.received.append(order)
            await self._obey(mqtt, order)

    async def _obey(self, mqtt: Mqtt, order: Order) -> None:
        match self.fault:
            case Fault.NONE:
                await self._execute(mqtt, order)
            case Fault.SLOW:
                self._late.append((self._clock() + self._speeds.slow_s, order))
            case Fault.REFUSES:
                await self._answer(mqtt, order, Taken(Stage.FAILED, "rejected"))
                await self._publish_state(mqtt)
            case Fault.GARBAGE:
                await mqtt.publish(self._voice.garbage())
            case Fault.DIES:
                self._alive.clear()
                mqtt.abort()
                raise BrokerLost("died")
            case Fault.SILENT:
                pass

    async def _do_what_is_due(self, mqtt: Mqtt) -> None:
        now = self._clock()
        due = [order for at, order in self._late if at <= now]
        self._late = [(at, order) for at, order in self._late if at > now]
        for order in due:
            await self._execute(mqtt, order)
        if self._announce_at is not None and now >= self._announce_at:
            await self._announce(mqtt)
        if self.machine.values(self._clock()) != self._published:
            await self._publish_state(mqtt)
        if self._executing and self.machine.next_change(self._clock()) is None:
            done, self._executing = self._executing, []
            for order in done:
                await self._answer(mqtt, order, DONE)

    async def _execute(self, mqtt: Mqtt, order: Order) -> None:
        taken = self.machine.set(order.property, order.value, self._clock())
        if taken == EXECUTING:
            self._executing = [each for each in self._executing if each.property != order.property] + [order]
        await self._answer(mqtt, order, taken)
        await self._publish_state(mqtt)

    async def _announce(self, mqtt: Mqtt) -> None:
        """Description, values, and that it is there: all retained, so that whoever comes later knows."""
        self._announce_at = None
        await mqtt.publish(self._voice.announcement, retain=True)
        await mqtt.publish(self._voice.online, retain=True)
        await self._publish_state(mqtt)

    async def _publish_state(self, mqtt: Mqtt) -> None:
        self._published = self.machine.values(self._clock())
        for publish in self._voice.state(self._published):
            await mqtt.publish(publish, retain=True)

    async def _answer(self, mqtt: Mqtt, order: Order, taken: Taken) -> None:
        for publish in self._voice.answer(order, taken):
            await mqtt.publish(publish)
