"""The connection to the broker that comes back: capped random back-off, subscriptions restored.

async with asyncio.TaskGroup() as tasks:
    tasks.create_task(broker.keep_subscribed())
    async for event in broker.events(): ...
"""

import asyncio
import logging
import random
from collections.abc import AsyncGenerator, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from devices.errors import BrokerLost, BrokerRefused
from devices.mqtt.connection import Mqtt, MqttSettings, connect
from devices.mqtt.message import Message, Publish
from devices.turns import Turns

logger = logging.getLogger(__name__)

FIRST_DELAY_S = 0.25
LONGEST_DELAY_S = 30.0
REFUSED_DELAY_S = 60.0
"""A wrong password does not become right by asking often, but a mini-PC must recover when somebody corrects it."""
STEADY_AFTER_S = 10.0
"""A connection that lived this long was a good one: after it, back-off starts again from the first delay."""
FILTERS_PER_PACKET = 200
OWNERS_PER_PACKET = 20


def back_off_s(failures: int, chance: float) -> float:
    """How long to wait after `failures` (1, 2, …) in a row; `chance` in [0, 1) spreads clients over half the delay."""
    longest = min(LONGEST_DELAY_S, FIRST_DELAY_S * 2.0 ** min(failures - 1, 20))
    return longest * (0.5 + 0.5 * chance)


@dataclass(frozen=True, slots=True)
class Connected:
    """Logged in; subscriptions are being restored."""


@dataclass(frozen=True, slots=True)
class Disconnected:
    """The connection that `Connected` announced has ended."""


Event = Connected | Disconnected | list[Message]


class ReconnectingMqtt:
    """A broker we always want to be connected to. `events` and `keep_subscribed` must both run, once each."""

    def __init__(
        self,
        settings: MqttSettings,
        *,
        clock: Callable[[], datetime],
        chance: Callable[[], float] = random.random,
        refused_delay_s: float = REFUSED_DELAY_S,
    ) -> None:
        self._refused_delay_s = refused_delay_s
        self._settings = settings
        self._clock = clock
        self._chance = chance
        self._mqtt: Mqtt | None = None
        self._wanted: dict[str, str] = {}  # in its order: discovery before what was discovered; whose it is
        self._to_add: Turns[str, str] = Turns()
        self._to_drop: dict[str, None] = {}
        self._subscriptions_changed = asyncio.Event()
        self._settled = asyncio.Event()
        self.problem = ""
        """Why there is no connection: "", "broker_unreachable" or "broker_refused"."""

    @property
    def connected(self) -> bool:
        return self._mqtt is not None

    @property
    def behind_s(self) -> float:
        """For how long the broker has had more for us than we could read."""
        return self._mqtt.behind_s if self._mqtt is not None else 0.0

    async def events(self) -> AsyncGenerator[Event, None]:
        """Connect and hand on what comes, for ever. `Connected` and `Disconnected` alternate, each said once."""
        failures = 0
        loop = asyncio.get_running_loop()
        while True:
            delay_s = 0.0
            since = loop.time()
            try:
                async with connect(self._settings, clock=self._clock) as mqtt:
                    self._begin(mqtt)
                    yield Connected()
                    while True:
                        yield await mqtt.receive()
            except BrokerRefused as error:
                if self.problem != "broker_refused":
                    logger.error("broker %s: refuses us: %s", self._address, error)
                self.problem = "broker_refused"
                delay_s = self._refused_delay_s * (0.5 + 0.5 * self._chance())
            except BrokerLost as error:
                failures = 1 if self.connected and loop.time() - since >= STEADY_AFTER_S else failures + 1
                if self.problem != "broker_unreachable":
                    logger.warning("broker %s: lost or not reached: %s", self._address, error)
                self.problem = "broker_unreachable"
                delay_s = back_off_s(failures, self._chance())
            finally:
                was_connected, self._mqtt = self.connected, None
                self._settled.clear()
            if was_connected:
                yield Disconnected()
            await asyncio.sleep(delay_s)

    def _begin(self, mqtt: Mqtt) -> None:
        logger.info("broker %s: connected", self._address)
        self.problem = ""
        self._mqtt = mqtt
        self._to_add.clear()
        for each, owner in self._wanted.items():
            self._to_add.add(owner, each)
        self._to_drop.clear()
        self._subscriptions_changed.set()

    @property
    def _address(self) -> str:
        return f"{self._settings.host}:{self._settings.port}"

    def subscribe(self, filters: Iterable[str], *, of: str = "") -> None:
        """Have these filters subscribed to, now and after every reconnect; `of`: whose they are.

        Owners take turns: who has many makes nobody else wait.
        """
        for each in filters:
            if each not in self._wanted:
                self._wanted[each] = of
                self._to_drop.pop(each, None)
                self._to_add.add(of, each)
        self._changed()

    def unsubscribe(self, filters: Iterable[str]) -> None:
        """Take these filters back."""
        for each in filters:
            if each in self._wanted:
                owner = self._wanted.pop(each)
                if not self._to_add.discard(owner, each):
                    self._to_drop[each] = None
        self._changed()

    def _changed(self) -> None:
        if self._to_add or self._to_drop:
            self._settled.clear()
            self._subscriptions_changed.set()

    async def settled(self) -> None:
        """Return when connected and subscribed to everything that is wanted at this moment."""
        await self._settled.wait()

    async def keep_subscribed(self) -> None:
        """Bring the broker's subscriptions to what is wanted, in chunks, for ever."""
        while True:
            await self._subscriptions_changed.wait()
            self._subscriptions_changed.clear()
            mqtt = self._mqtt
            if mqtt is None:
                continue
            try:
                await self._bring_level(mqtt)
            except BrokerLost as error:
                logger.debug("broker %s: lost while subscribing: %s", self._address, error)
                mqtt.abort()  # it may only have been too slow; what was not answered is asked for on a new connection

    async def _bring_level(self, mqtt: Mqtt) -> None:
        """Raises `BrokerLost`; what is left is then asked for on the next connection, which starts from all wanted."""
        while mqtt is self._mqtt and (self._to_add or self._to_drop):
            if adds := self._to_add.take(FILTERS_PER_PACKET, owners=OWNERS_PER_PACKET):
                if refused := await mqtt.subscribe(adds):
                    logger.warning("broker %s: refuses %d filters: %s, …", self._address, len(refused), refused[0])
            elif drops := list(islice(self._to_drop, FILTERS_PER_PACKET)):
                for each in drops:
                    del self._to_drop[each]
                await mqtt.unsubscribe(drops)
        if mqtt is self._mqtt:
            self._settled.set()

    async def publish(self, message: Publish) -> None:
        """Publish, not retained. Raises `BrokerLost` where there is no connection or it ends before the PUBACK."""
        if self._mqtt is None:
            raise BrokerLost("not connected")
        await self._mqtt.publish(message)
