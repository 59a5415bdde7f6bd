"""The devices of all schools behind one broker: what they are, what they say, and commands that end in a result."""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from devices.device import (
    Availability,
    Command,
    CommandResult,
    CommandState,
    Device,
    DeviceId,
    Namespace,
    PropertyName,
    Reported,
)
from devices.dialects.base import Dialect, Problem
from devices.mqtt import MqttSettings


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


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceRecord:
    """What is kept of a device over a restart."""

    device: Device
    discovery_topic: str
    discovery_payload: bytes
    claimed: bool
    reported: Mapping[PropertyName, Reported]


class DeviceHub:
    """All devices of the schools in `set_namespaces`. Everything but `run` and `send` returns at once."""

    def __init__(self, *, connection: MqttSettings, dialects: Sequence[Dialect], clock: Callable[[], datetime]) -> None:
        raise NotImplementedError

    async def run(self) -> None:
        """Connect, take in, send, connect again; until cancelled. Then every pending command fails as `cancelled`."""
        raise NotImplementedError

    @property
    def connected(self) -> bool:
        raise NotImplementedError

    def restore(self, records: Iterable[DeviceRecord]) -> None:
        """Take up devices from the database, before `run`. Their values are not fresh."""
        raise NotImplementedError

    def set_namespaces(self, namespaces: set[Namespace]) -> None:
        """The schools whose devices are listened to; can be called again at any time."""
        raise NotImplementedError

    def claim(self, id: DeviceId) -> None:
        """The device may be commanded from now on. Idempotent. Raises `DeviceNotFound`."""
        raise NotImplementedError

    def release(self, id: DeviceId) -> None:
        """The device may not be commanded any more; pending commands fail as `cancelled`. Raises `DeviceNotFound`."""
        raise NotImplementedError

    def forget(self, id: DeviceId) -> None:
        """Drop a device; it returns when it announces itself again. Idempotent."""
        raise NotImplementedError

    def devices(self) -> Iterable[Device]:
        raise NotImplementedError

    def device(self, id: DeviceId) -> Device:
        """Raises `DeviceNotFound`."""
        raise NotImplementedError

    def claimed(self, id: DeviceId) -> bool:
        """Raises `DeviceNotFound`."""
        raise NotImplementedError

    def availability(self, id: DeviceId) -> tuple[Availability, datetime | None]:
        """The availability, and when the device itself was last heard (None: never). Raises `DeviceNotFound`."""
        raise NotImplementedError

    def reported(self, id: DeviceId) -> Mapping[PropertyName, Reported]:
        """Raises `DeviceNotFound`."""
        raise NotImplementedError

    def record(self, id: DeviceId) -> DeviceRecord:
        """What to keep of the device over a restart. Raises `DeviceNotFound`."""
        raise NotImplementedError

    def problems(self) -> tuple[Problem, ...]:
        """What is wrong on the broker now, oldest first; at most 1,000."""
        raise NotImplementedError

    def pending(self, id: DeviceId) -> Mapping[PropertyName, tuple[Command, CommandState]]:
        """Commands that have not ended. Raises `DeviceNotFound`."""
        raise NotImplementedError

    async def send(self, command: Command) -> CommandResult:
        """Send a command and return how it ended, at its deadline at the latest.

        Cancelling the caller does not take the command back. Raises `DeviceNotFound`, `PropertyNotFound`,
        `DeviceNotClaimed`, `InvalidCommand`, `QueueFull`.
        """
        raise NotImplementedError

    def changes(self) -> AbstractAsyncContextManager[AsyncIterator[DeviceChange]]:
        """What changes from now on, one entry per device and kind until it is taken: a slow reader misses none.

        `async with hub.changes() as changes: async for change in changes: ...`
        """
        raise NotImplementedError
