"""Short ways to say what goes over the wire, for the tests of this dialect."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from devices.device import Command, CommandId, Namespace, PropertyName, Report, Value
from devices.dialects.base import Discovery
from devices.dialects.homeassistant.dialect import HomeAssistantDialect
from devices.driver import MqttDriver
from devices.mqtt.message import Message

SCHOOL = Namespace("le-loi")
NOW = datetime(2026, 9, 1, 7, 0, tzinfo=UTC)
BASE = "sc/1/le-loi/x"


def message(topic: str, payload: object) -> Message:
    """`payload`: bytes and text as they are, anything else as JSON."""
    raw = payload if isinstance(payload, bytes) else payload if isinstance(payload, str) else json.dumps(payload)
    return Message(topic=topic, payload=raw if isinstance(raw, bytes) else raw.encode(), retained=False, received=NOW)


def announce(dialect: HomeAssistantDialect, where: str, payload: object, school: Namespace = SCHOOL) -> Discovery:
    """`where`: `<component or "device">/<object id>`."""
    return dialect.discover(school, message(f"sc/1/{school}/ha/{where}/config", payload))


def device_form(components: Mapping[str, object], **root: object) -> dict[str, object]:
    return {"dev": {"ids": ["AA11"], "name": "Thing"}, "o": {"name": "test"}, "cmps": components} | root


def driver_of(components: Mapping[str, object], **root: object) -> MqttDriver:
    """The driver of a valid device-form payload."""
    discovery = announce(HomeAssistantDialect(), "device/thing", device_form(components, **root))
    assert discovery.problems == ()
    [driver] = discovery.drivers
    return driver


def values(driver: MqttDriver, topic: str, payload: object) -> dict[str, Value]:
    """What a message makes of the device's properties."""
    found: dict[str, Value] = {}
    for said in driver.read(message(f"{BASE}/{topic}", payload)):
        if isinstance(said, Report):
            found.update(said.values.items())
    return found


def forgotten(driver: MqttDriver, topic: str, payload: object) -> set[str]:
    """The properties of which a message says that the device does not know them."""
    said = driver.read(message(f"{BASE}/{topic}", payload))
    return {name for each in said if isinstance(each, Report) for name in each.unknown}


def sent(driver: MqttDriver, name: str, value: Value) -> list[tuple[str, str]]:
    """What goes out for a command, checked by its property: (topic below BASE, payload)."""
    checked = driver.device.property(PropertyName(name)).checked(value)
    command = Command(
        id=CommandId("c1"),
        device_id=driver.device.id,
        property=PropertyName(name),
        value=checked,
        deadline=NOW + timedelta(seconds=10),
    )
    return [(each.topic.removeprefix(f"{BASE}/"), each.payload.decode()) for each in driver.write(command)]
