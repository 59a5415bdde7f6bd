"""One discovery payload, read: whose it is, the components that can be followed, what is wrong with the others."""

from collections.abc import Mapping
from dataclasses import dataclass

from devices.dialects.homeassistant.abbreviations import DEVICE_ABBREVIATIONS
from devices.dialects.homeassistant.availability import Rule
from devices.dialects.homeassistant.components import (
    binary_sensor,
    button,
    climate,
    cover,
    fan,
    light,
    number,
    select,
    sensor,
    switch,
)
from devices.dialects.homeassistant.entity import Builder, Label, Parts
from devices.dialects.homeassistant.fields import Fields
from devices.dialects.homeassistant.topics import DEVICE_FORM, TopicRules
from devices.driver import Problem
from devices.errors import InvalidPayload

BUILDERS: Mapping[str, Builder] = {
    "binary_sensor": binary_sensor.build,
    "button": button.build,
    "climate": climate.build,
    "cover": cover.build,
    "fan": fan.build,
    "light": light.build,
    "number": number.build,
    "select": select.build,
    "sensor": sensor.build,
    "switch": switch.build,
}

SHARED = (
    "availability",
    "availability_mode",
    "availability_template",
    "availability_topic",
    "command_topic",
    "encoding",
    "payload_available",
    "payload_not_available",
    "qos",
    "state_topic",
)
"""Options of a device-form payload that its components have too, unless they say otherwise."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Which device a payload is of. Two payloads with one identifier or connection in common are of the same device."""

    tokens: tuple[str, ...]  # identifiers first, then `mac:…` connections; never empty
    name: str = ""
    manufacturer: str = ""
    model: str = ""
    serial: str = ""
    firmware: str = ""
    suggested_room: str = ""


@dataclass(frozen=True, slots=True)
class Component:
    """One component that can be followed."""

    platform: str  # "switch", "sensor", …
    key: str  # in the device form, its key; in the component form, the topic's object id
    unique_id: str
    label: Label
    parts: Parts
    availability: Rule | None


@dataclass(frozen=True, slots=True)
class Announcement:
    """What one discovery topic says."""

    identity: Identity
    components: tuple[Component, ...]
    withdrawn: frozenset[str]  # keys of components that the payload takes back
    problems: tuple[Problem, ...]


def read_announcement(rules: TopicRules, topic: str, root: Fields) -> Announcement:
    """The payload on a discovery topic. Raises `InvalidPayload` where not even its device can be told."""
    found = rules.config(topic)
    if found is None:
        raise InvalidPayload("is not a discovery topic")
    platform, object_id = found
    if platform == DEVICE_FORM:
        return _device_form(rules, topic, root)
    device = root.inner("device", DEVICE_ABBREVIATIONS)
    fallback = root.text("unique_id") or f"{platform}/{object_id}"
    identity = _identity(device, fallback, root.text("name"))
    try:
        component = _component(platform, object_id, root, root.text("unique_id") or f"{topic}")
    except InvalidPayload as error:
        return Announcement(identity, (), frozenset(), (_problem(topic, platform, object_id, error),))
    return Announcement(identity, (component,), frozenset(), _notes(topic, component))


def _device_form(rules: TopicRules, topic: str, root: Fields) -> Announcement:
    """All components in one payload. Each stands for itself: an invalid one does not take the others with it."""
    device = root.inner("device", DEVICE_ABBREVIATIONS)
    identity = _identity(device, "", "")
    if not root.inner("origin").text("name"):
        raise InvalidPayload("origin: name is missing")
    components, withdrawn, problems = [], set(), []
    for key, raw in root.members("components").items():
        try:
            own = Fields.of(raw, rules, base=root.base)
            platform = own.required("platform")
            if own.keys <= {"platform"}:
                withdrawn.add(key)
                continue
            unique_id = own.required("unique_id")
            component = _component(platform, key, own.with_defaults(root, SHARED), unique_id)
        except InvalidPayload as error:
            problems.append(_problem(topic, "component", key, error))
            continue
        components.append(component)
        problems.extend(_notes(topic, component))
    return Announcement(identity, tuple(components), frozenset(withdrawn), tuple(problems))


class UnknownComponent(InvalidPayload):
    """A component that we do not follow, which is no fault of the device's."""


def _component(platform: str, key: str, fields: Fields, unique_id: str) -> Component:
    builder = BUILDERS.get(platform)
    if builder is None:
        raise UnknownComponent(f"components of the kind {platform[:40]!r} are not followed")
    label = Label.of(fields, key)
    return Component(platform, key, unique_id, label, builder(fields, label), Rule.of(fields))


def _identity(device: Fields, fallback: str, fallback_name: str) -> Identity:
    tokens = [*device.texts("identifiers"), *(f"{kind}:{value}" for kind, value in device.pairs("connections"))]
    tokens = [token for token in tokens if token] or ([fallback] if fallback else [])
    if not tokens:
        raise InvalidPayload("device: has neither identifiers nor connections")
    return Identity(
        tokens=tuple(dict.fromkeys(tokens)),
        name=device.text("name") or fallback_name,
        manufacturer=device.text("manufacturer"),
        model=device.text("model") or device.text("model_id"),
        serial=device.text("serial_number"),
        firmware=device.text("sw_version"),
        suggested_room=device.text("suggested_area"),
    )


def _problem(topic: str, kind: str, key: str, error: InvalidPayload) -> Problem:
    code = "unknown_component" if isinstance(error, UnknownComponent) else "invalid_component"
    return Problem(topic, code, f"{kind} {key[:60]!r}: {error}")


def _notes(topic: str, component: Component) -> tuple[Problem, ...]:
    return tuple(
        Problem(topic, "option_ignored", f"component {component.key[:60]!r}: {note}") for note in component.parts.notes
    )
