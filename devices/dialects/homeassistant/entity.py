"""What one discovery component adds to a device: features that can be set, and readings that say how they are."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from devices.device import Capability, Kind, Value
from devices.dialects.homeassistant.fields import Fields
from devices.dialects.homeassistant.payload import Payload
from devices.dialects.homeassistant.template import Template
from devices.message import Publish

Role = str
"""A feature's name within its component; usually the property name it would like to have (`power`, `climate.mode`)."""

Read = Callable[[Payload], Mapping[Role, Value]]
"""A payload's values in canonical units; empty where it says nothing."""

Write = Callable[[Value], tuple[Publish, ...]]
"""The messages that set a checked canonical value. Raises `InvalidCommand` where its template makes nothing of it."""

UNKNOWN_STATE = "None"  # Home Assistant's PAYLOAD_NONE: the device does not know


@dataclass(frozen=True, slots=True)
class Label:
    """What a component is called, for properties whose meaning is only in their name."""

    slug: str  # [a-z0-9_]+
    words: frozenset[str]
    device_class: str
    category: str  # "config" or "diagnostic": not what the device is for

    @classmethod
    def of(cls, fields: Fields, key: str) -> "Label":
        """`key`: the component's key in the device form, the topic's object id in the component form."""
        name = fields.text("name")
        words = set()
        for text in (name, key, fields.text("object_id"), fields.text("default_entity_id").partition(".")[2]):
            words.update(slug_of(text).split("_"))
        return cls(
            slug=slug_of(name) or slug_of(key) or "value",
            words=frozenset(words - {""}),
            device_class=fields.text("device_class"),
            category=fields.text("entity_category"),
        )


def slug_of(text: str) -> str:
    """`text` in [a-z0-9_], without diacritics: "Máy chiếu 1" is "may_chieu_1"."""
    plain = unicodedata.normalize("NFKD", text.replace("đ", "d").replace("Đ", "D"))
    letters = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return re.sub(r"[^a-z0-9]+", "_", letters.lower()).strip("_")[:40].strip("_")


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """A property before its device's other components are known: `role` becomes its name where nobody else wants it."""

    role: Role
    capability: Capability
    kind: Kind
    unit: str = ""
    minimum: float | None = None
    maximum: float | None = None
    step: float | None = None
    options: tuple[str, ...] = ()
    write: Write | None = None
    reported: bool = True


@dataclass(frozen=True, slots=True)
class Reading:
    """One state topic of a component."""

    topic: str
    read: Read


@dataclass(frozen=True, slots=True)
class Parts:
    """What a component's builder makes of its fields."""

    features: tuple[Feature, ...]
    readings: tuple[Reading, ...] = ()
    notes: tuple[str, ...] = ()  # what of the configuration is not followed, for the technician
    expires_after: timedelta | None = None  # silence after which the device itself calls its values old


class Builder(Protocol):
    """Makes one kind of component. Raises `InvalidPayload` where its configuration cannot be followed."""

    def __call__(self, fields: Fields, label: Label) -> Parts: ...


def number_in(template: Template, payload: Payload) -> float | None:
    """The finite number that a template makes of a payload; None where there is none."""
    text = template.render(payload)
    if text is None:
        return None
    try:
        number = float(text)
    except ValueError:
        return None
    return number if abs(number) < 1e15 else None


def tidy(number: float) -> int | float:
    """A number without the dust of unit conversion; a whole one is an int."""
    rounded = round(number, 6)
    return int(rounded) if rounded == int(rounded) else rounded


def expiry(fields: Fields) -> timedelta | None:
    """`expire_after`, at least a second, at most a week. Raises `InvalidPayload`."""
    if "expire_after" not in fields:
        return None
    return timedelta(seconds=max(1.0, min(fields.positive("expire_after", 1), 7 * 86400.0)))
