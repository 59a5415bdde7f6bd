"""What a dialect is: translation between one wire convention and `devices/device.py`.

A dialect is pure: bytes in, reports out; command in, publishes out. It has no clock, no connection and no storage. Raw
discovery messages are persisted by the controller and replayed through `discover` at start.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from devices.device import Acknowledgement, Command, Device, DeviceId, Namespace, Report
from devices.mqtt.message import Message, Publish


@dataclass(frozen=True, slots=True)
class Problem:
    """Something a device's maker or technician should know of: what could not be taken in, and why."""

    topic: str
    code: str  # stable, snake_case: "invalid_payload", "collision", "unknown_component", "foreign_topic", "removed", …
    detail: str  # English, for the technician; never a payload in full


class Driver(Protocol):
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

    def read(self, message: Message) -> tuple[Report | Acknowledgement | Problem, ...]:
        """What `message` (on one of `topics`) says. Raises `InvalidPayload` where it says nothing usable at all."""

    def readings(self, topic: str) -> int:
        """How many values are looked for in each message on `topic`: what such a message costs."""

    def write(self, command: Command) -> tuple[Publish, ...]:
        """The messages that carry out `command` (already checked by its `Property`), in order, QoS 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Discovery:
    """What one discovery message says. A driver for a known device id replaces the one before."""

    drivers: tuple[Driver, ...] = ()
    removed: tuple[DeviceId, ...] = ()
    problems: tuple[Problem, ...] = ()


class Dialect(Protocol):
    """One wire convention."""

    @property
    def name(self) -> str: ...

    def discovery_filters(self, namespace: Namespace) -> tuple[str, ...]:
        """The topic filters that a school's devices announce themselves on."""

    def prepare(self, message: Message) -> Iterator[None]:
        """Do what is dear about `discover`, in steps of a few milliseconds. Raises nothing: `discover` does."""

    def discover(self, namespace: Namespace, message: Message) -> Discovery:
        """What a message on one of the filters says: devices that are there, devices that are gone, what is wrong.

        Two devices that claim one identity are the dialect's to notice: problem `collision`, the second is left out.
        Raises `InvalidPayload` where the message says nothing usable at all.
        """

    def birth(self, namespace: Namespace) -> tuple[Publish, ...]:
        """Published to a school whenever we are connected anew, so that its devices say again how they are."""


def root(namespace: Namespace) -> str:
    """`sc/1/<school>/`: the part of the broker that a school's user may use, and nobody else's may."""
    return f"sc/1/{namespace}/"


def inside(namespace: Namespace, topic: str) -> bool:
    """Whether `topic` is an exact topic in the school's own part of the broker.

    The controller's user may use every topic, a school's only its own: a description that names a topic elsewhere
    would let one school's device read or command another's through us.
    """
    return topic.startswith(root(namespace)) and not set(topic) & {"+", "#", "\0"}
