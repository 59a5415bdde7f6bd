"""One device behind a gateway: when it is connected to and asked, and how commands reach it.

Real devices take one client at a time and close what is idle, so a connection lasts as long as there is something to
do: it is opened to ask or to command, kept while the device is on its way to another state, and closed.
"""

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from devices.carrier import Outbox
from devices.device import Acknowledgement, Availability, Command, CommandCode, DeviceAddress, Report
from devices.driver import GatewayDriver, Problem, Statement
from devices.errors import AuthenticationRefused, DeviceUnreachable, InvalidCommand, InvalidPayload
from devices.gateways.gateway import Answer, Conversation, Gateway, Reading
from devices.mqtt.reconnecting import back_off_s

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How often a device is asked, in seconds."""

    idle_s: float = 30.0  # somebody may use its own remote control
    moving_s: float = 2.0
    moving_at_most_s: float = 300.0  # then it is asked as one that is idle
    linger_s: float = 3.0  # after a command, for the next one
    refused_s: float = 60.0  # a wrong password does not become right by asking often
    failed_s: float = 2.0  # at least, before the next attempt, also with a command that waits
    away_s: float = 30.0  # at most, between two attempts
    exchange_s: float = 15.0  # for what belongs together, at most
    describe_s: float = 60.0  # at most
    thorough_every: int = 10  # so many readings


class Reception(Protocol):
    """Takes in what devices behind gateways say."""

    def take_in_from_gateway(self, driver: GatewayDriver, source: str, statements: tuple[Statement, ...]) -> None: ...

    def take_in_description(self, driver: GatewayDriver, source: str) -> None: ...


class DeviceConnection:
    """Its owner runs `run` in a task. `places`: attempts to connect that its school may have at the same time."""

    def __init__(
        self,
        gateway: Gateway,
        address: DeviceAddress,
        driver: GatewayDriver,
        *,
        reception: Reception,
        outbox: Outbox,
        places: asyncio.Semaphore,
        clock: Callable[[], datetime],
        pace: Pace,
    ) -> None:
        self.address = address
        self.held = ""
        """Why no command goes to the device, as a result's code."""
        self._gateway = gateway
        self._driver = driver
        self._reception = reception
        self._outbox = outbox
        self._places = places
        self._clock = clock
        self._pace = pace
        self._woken = asyncio.Event()
        self._described = False  # since it was last away
        self._readings = 0  # since then
        self._quiet_until = 0.0
        self._loop = asyncio.get_running_loop()

    def wake(self) -> None:
        """There may be a command."""
        self._woken.set()

    async def run(self) -> None:
        """Ask and command until cancelled."""
        failures = 0
        while True:
            failures, rest_s, wait_s = await self._attempt(failures)
            await asyncio.sleep(rest_s)
            await self._wait(wait_s - rest_s)

    async def _attempt(self, failures: int) -> tuple[int, float, float]:
        """Connect once and do what there is.

        Returns how often in a row it has failed, how long to leave the device alone, and when to ask it again.
        """
        try:
            await self._connect()
        except AuthenticationRefused as error:
            self.held = CommandCode.AUTHENTICATION_REFUSED
            self._away(Problem(self.address.source, "authentication_refused", str(error)))
            wait_s = self._pace.refused_s * random.uniform(0.5, 1.0)
            return failures + 1, wait_s, wait_s
        except InvalidPayload as error:
            self._away(Problem(self.address.source, "invalid_answer", str(error)))
        except DeviceUnreachable as error:
            new = not self._driver.description  # a person who has just given the address wants to know
            self._away(*([Problem(self.address.source, "no_answer", str(error))] if new else []))
        except Exception:  # noqa: BLE001 - the rim of one conversation: a gateway's fault is no other device's
            logger.exception("device %s: a conversation failed", self.address.device_id)
            self._away(Problem(self.address.source, "internal_error", "see the log"))
        else:
            return 0, 0.0, self._pace.idle_s * random.uniform(0.8, 1.2)
        rest_s = self._pace.failed_s
        back_off = min(self._pace.away_s, back_off_s(failures + 1, random.random()))
        wait_s = rest_s if self._quiet else max(rest_s, back_off)
        return failures + 1, rest_s, wait_s

    async def _connect(self) -> None:
        async with AsyncExitStack() as stack:
            async with self._places:
                talk = await stack.enter_async_context(self._gateway.converse(self.address))
            self.held = ""
            await self._talk(talk)

    async def _talk(self, talk: Conversation) -> None:
        """Command and ask until there is nothing to wait for."""
        if not self._driver.description:
            await self._describe(talk)
        begun = self._loop.time()
        linger_until = 0.0
        while True:
            while (command := self._outbox.take(self.address.device_id)) is not None:
                await self._carry(talk, command)
                linger_until = self._loop.time() + self._pace.linger_s
            reading = await self._read(talk)
            if reading.describe or not self._described:
                await self._describe(talk)
            if self._outbox.ready(self.address.device_id):  # held: that the device is there is not taken in yet
                await asyncio.sleep(self._pace.moving_s)
                continue
            now = self._loop.time()
            moving = reading.moving and now < begun + self._pace.moving_at_most_s
            if not moving and now >= linger_until:
                return
            await self._wait(self._pace.moving_s if moving else linger_until - now)

    async def _read(self, talk: Conversation) -> Reading:
        async with _at_most(self._pace.exchange_s):
            reading = await talk.read(self._driver, thorough=self._readings % self._pace.thorough_every == 0)
        self._readings += not reading.moving
        report = Report(
            device_id=self.address.device_id,
            values=dict(reading.values),
            unknown=reading.unknown,
            availability=Availability.ONLINE,
            received=self._clock(),
        )
        self._reception.take_in_from_gateway(self._driver, self.address.source, (report,))
        return reading

    async def _describe(self, talk: Conversation) -> None:
        async with _at_most(self._pace.describe_s):
            description = await talk.describe(self._driver.description)
        self._described = True
        if description != self._driver.description:
            self._driver = self._gateway.driver(self.address, description)
            self._reception.take_in_description(self._driver, self.address.source)

    async def _carry(self, talk: Conversation, command: Command) -> None:
        """Do what is asked. Where the connection ends meanwhile, the device may have done it."""
        try:
            async with _at_most(self._pace.exchange_s):
                answer = await talk.set(self._driver, command)
        except InvalidCommand:
            self._outbox.failed(command, CommandCode.UNSUPPORTED)
        except BaseException:
            self._outbox.lost(command)
            raise
        else:
            self._quiet_until = max(self._quiet_until, self._loop.time() + answer.quiet_for.total_seconds())
            self._outbox.sent(command)
            self._acknowledge(command, answer)

    def _acknowledge(self, command: Command, answer: Answer) -> None:
        acknowledgement = Acknowledgement(
            device_id=command.device_id,
            command_id=command.id,
            stage=answer.stage,
            code=answer.code,
            retry_after=answer.retry_after,
        )
        self._reception.take_in_from_gateway(self._driver, f"{self.address.source} {command.id}", (acknowledgement,))

    @property
    def _quiet(self) -> bool:
        return self._loop.time() < self._quiet_until

    def _away(self, *problems: Problem) -> None:
        """It cannot be talked to; nothing is wrong with one of those that say nothing while they switch on."""
        if self._quiet and not problems:
            return
        self._described, self._readings = False, 0
        offline = Report(device_id=self.address.device_id, availability=Availability.OFFLINE, received=self._clock())
        self._reception.take_in_from_gateway(self._driver, self.address.source, (offline, *problems))

    async def _wait(self, delay_s: float) -> None:
        """For so long, or until there is a command: each report of a device whose commands wait wakes us, too."""
        with suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, delay_s)):
                while not self._outbox.ready(self.address.device_id):
                    self._woken.clear()
                    await self._woken.wait()


@asynccontextmanager
async def _at_most(limit_s: float) -> AsyncIterator[None]:
    """Raises `DeviceUnreachable` where it takes longer."""
    try:
        async with asyncio.timeout(limit_s):
            yield
    except TimeoutError as error:
        raise DeviceUnreachable(f"it takes longer than {limit_s:g} s to answer") from error
