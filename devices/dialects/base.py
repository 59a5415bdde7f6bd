"""What a dialect is: translation between one wire convention and `devices/device.py`.

A dialect is pure: bytes in, reports out; command in, publishes out. It has no clock, no connection and no storage. Raw
discovery messages are persisted by the controller and replayed through `discover` at start.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from devices.device import DeviceId, Namespace
from devices.driver import MqttDriver, Problem
from devices.mqtt.message import Message, Publish


@dataclass(frozen=True, slots=True, kw_only=True)
class Discovery:
    """What one discovery message says. A driver for a known device id replaces the one before."""

    drivers: tuple[MqttDriver, ...] = ()
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
