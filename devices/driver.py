"""What the registry, the sender and the hub know of how a device is spoken to, whatever carries the words.

A device is reached over the broker (`MqttDriver`, made by a dialect) or over a connection of a gateway's own
(`GatewayDriver`). All else is the same for both: commands, values, availability, problems and shares.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar, Protocol

from devices.device import Acknowledgement, Command, Device, Report
from devices.mqtt.message import Message, Publish


@dataclass(frozen=True, slots=True)
class Problem:
    """Something a device's maker or technician should know of: what could not be taken in, and why."""

    topic: str  # of a device without MQTT: `sc/1/<school>/<gateway>/<host>:<port>`
    code: str  # stable, snake_case: "invalid_payload", "collision", "authentication_refused", …
    detail: str  # English, for the technician; never a payload in full


Statement = Report | Acknowledgement | Problem
"""One thing that a device's message says, or that is wrong with it."""


class MqttDriver(Protocol):
    """Reads and writes one device. It may remember what its convention needs (a boot counter), never values."""

    @property
    def device(self) -> Device: ...

    @property
    def topics(self) -> tuple[str, ...]:
        """Exact topics that the device's messages come on; no wildcards, inside the school's namespace (`inside`)."""

    @property
    def acknowledges(self) -> bool:
        """True: the device answers each command (`Acknowledgement`), so an unreportable one waits for "done"."""

    @property
    def stale_after(self) -> timedelta | None:
        """Silence after which an online device is called stale. None: it speaks only when something changes."""

    def read(self, message: Message) -> tuple[Statement, ...]:
        """What `message` (on one of `topics`) says. Raises `InvalidPayload` where it says nothing usable at all."""

    def readings(self, topic: str) -> int:
        """How many values are looked for in each message on `topic`: what such a message costs."""

    def write(self, command: Command) -> tuple[Publish, ...]:
        """The messages that carry out `command` (already checked by its `Property`), in order, QoS 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayDriver:
    """One device that a gateway asks how it is. The gateway alone reads `description`, which it made."""

    device: Device
    description: bytes
    acknowledges: ClassVar[bool] = True
    stale_after: ClassVar[timedelta | None] = None  # a device that does not answer is offline


Driver = MqttDriver | GatewayDriver
