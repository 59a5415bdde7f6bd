"""How a simulated device speaks: the part of a dialect that is on the device's side."""

import json
from dataclasses import dataclass
from typing import Protocol

from demo.simulated.machine import Blueprint, Taken
from devices.device import Value
from devices.dialects.native_device import Order
from devices.mqtt.message import Message, Publish


@dataclass(frozen=True, slots=True)
class Place:
    """Where a device is."""

    school: str
    room: str
    slug: str

    @property
    def base(self) -> str:
        """Of its own topics, without a trailing slash."""
        return f"sc/1/{self.school}/{self.room}/{self.slug}"


class Voice(Protocol):
    """One dialect, for one device. What it publishes of itself is retained; answers to orders are not."""

    birth_topic: str
    topics: tuple[str, ...]  # of its orders

    def connected(self, boot: int) -> None:
        """A new connection begins; `boot` is higher than before."""

    @property
    def will(self) -> Publish: ...

    @property
    def online(self) -> Publish: ...

    @property
    def announcement(self) -> Publish: ...

    def state(self, values: dict[str, Value]) -> tuple[Publish, ...]: ...

    def garbage(self) -> Publish:
        """On a state topic, meaning nothing."""

    def orders(self, message: Message) -> tuple[Order, ...]:
        """What a message asks for; nothing where it makes no sense."""

    def answer(self, order: Order, taken: Taken) -> tuple[Publish, ...]: ...


def dumps(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def checked(blueprint: Blueprint, name: str, value: object) -> Value | None:
    """`value` if the property takes it; else None. A device checks for itself what it is asked."""
    for each in blueprint.properties:
        if each.name == name and each.settable and isinstance(value, bool | int | float | str):
            return each.checked(value)
    return None
