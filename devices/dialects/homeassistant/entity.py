"""What one discovery component adds to a device: features that can be set, and readings that say how they are."""

import math
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
from devices.errors import InvalidPayload
from devices.mqtt.message import Publish
from devices.scale import Scale

Role = str
"""A feature's name within its component; usually the property name it would like to have (`power`, `climate.mode`)."""

Read = Callable[[Payload], Mapping[Role, Value | None]]
"""A payload's values in canonical units; None where the device says that it does not know; empty: it says nothing."""

Write = Callable[[Value], tuple[Publish, ...]]
"""The messages that set a checked canonical value. Raises `InvalidCommand` where its template makes nothing of it."""

UNKNOWN_STATES = frozenset({"None", "null", "unknown", "unavailable"})
"""How devices say that they do not know: Home Assistant's PAYLOAD_NONE, JSON's null and Home Assistant's own words."""


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
    scale: Scale | None = None
    tolerance: float = 0.0
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
    tells_power: bool = False  # its readings may also say `power`, in power words, which nobody could know before


class Builder(Protocol):
    """Makes one kind of component. Raises `InvalidPayload` where its configuration cannot be followed."""

    def __call__(self, fields: Fields, label: Label) -> Parts: ...


def word_reader(template: Template, role: Role, words: Mapping[str, Value]) -> Read:
    """Reads one of `words`, or that the device does not know; all other texts say nothing."""

    def read(payload: Payload) -> dict[Role, Value | None]:
        text = template.render(payload)
        if text is None or (text not in words and text not in UNKNOWN_STATES):
            return {}
        return {role: words.get(text)}

    return read


def number_reader(template: Template, role: Role, convert: Callable[[float], Value | None]) -> Read:
    """Reads a finite number, or that the device does not know (NaN, too); where `convert` gives None, nothing."""

    def read(payload: Payload) -> dict[Role, Value | None]:
        text = template.render(payload)
        number = None if text is None else parsed_number(text)
        if number is None:
            return {role: None} if text in UNKNOWN_STATES else {}
        if math.isnan(number):
            return {role: None}
        value = convert(number)
        return {} if value is None else {role: value}

    return read


def parsed_number(text: str) -> float | None:
    """The number that a text names, which may be NaN; None where it names none that could be meant."""
    try:
        number = float(text)
    except ValueError:
        return None
    return None if abs(number) >= 1e15 else number  # NaN is not above it


def tidy(number: float) -> int | float:
    """A number without the dust of unit conversion; a whole one is an int."""
    rounded = round(number, 6)
    return int(rounded) if rounded == int(rounded) else rounded


def expiry(fields: Fields) -> timedelta | None:
    """`expire_after`, at least a second, at most a week; 0 is none. Raises `InvalidPayload`."""
    seconds = fields.number("expire_after", 0)
    if seconds < 0:
        raise InvalidPayload("expire_after: is below 0")
    return timedelta(seconds=max(1.0, min(seconds, 7 * 86400.0))) if seconds else None
