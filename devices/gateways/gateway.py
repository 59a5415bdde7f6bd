"""What a gateway is: translation between a protocol without MQTT and `devices/device.py`, on connections of its own.

A gateway is one file: how its devices are described, read and set once a connection is open. When to connect, how
often to ask and what waits are the same for all of them (`devices/gateways/connection.py`).
"""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from devices.device import Command, DeviceAddress, PropertyName, Stage, Value
from devices.driver import GatewayDriver


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a device answered when it was asked how it is."""

    values: Mapping[PropertyName, Value]
    unknown: frozenset[PropertyName] = frozenset()
    moving: bool = False  # it is on its way to another state: ask again soon
    describe: bool = False  # it can say more of itself now than it could before


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """How a device took a command."""

    stage: Stage
    code: str = ""
    retry_after: timedelta | None = None  # of FAILED: it is busy
    quiet_for: timedelta = timedelta()  # it may answer nothing for so long, and nothing is wrong


class Conversation(Protocol):
    """One open connection to a device, logged in.

    All methods raise `DeviceUnreachable` where it ends or nothing comes, `InvalidPayload` for what makes no sense.
    """

    async def describe(self, known: bytes) -> bytes:
        """What kind of device it is; `known`: what it was before, for what it does not say now."""

    async def read(self, driver: GatewayDriver, *, thorough: bool) -> Reading:
        """`thorough`: also what seldom changes."""

    async def set(self, driver: GatewayDriver, command: Command) -> Answer:
        """Raises `InvalidCommand` where the device has no such thing."""


class Gateway(Protocol):
    """One protocol."""

    @property
    def name(self) -> str:
        """Also the dialect of its devices."""

    @property
    def port(self) -> int:
        """That its devices listen on unless somebody has changed it."""

    def driver(self, address: DeviceAddress, description: bytes) -> GatewayDriver:
        """The device at the address; of one that has not been reached yet `description` is empty."""

    def converse(self, address: DeviceAddress) -> AbstractAsyncContextManager[Conversation]:
        """Connect and log in. Raises `DeviceUnreachable`, `AuthenticationRefused`, `InvalidPayload`."""
