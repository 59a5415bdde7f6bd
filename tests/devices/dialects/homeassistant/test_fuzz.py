"""Whatever is published for discovery: an answer, never an exception; and drivers that stand what they then hear."""

import json
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from devices.device import Command, CommandId, Kind, Value
from devices.dialects.homeassistant.abbreviations import ABBREVIATIONS
from devices.dialects.homeassistant.announcement import BUILDERS
from devices.dialects.homeassistant.dialect import HomeAssistantDialect
from devices.driver import MqttDriver
from devices.errors import InvalidCommand, InvalidPayload
from testing.rounds import rounds
from tests.devices.dialects.homeassistant.wire import BASE, NOW, SCHOOL, announce, message

TEMPLATES = st.sampled_from(
    [
        "{{ value }}",
        "{{ value_json.x }}",
        "{{ value_json['x'] | float * 2 }}",
        "{{ value_json | to_json }}",
        "{% if value_json.x %}{{ value_json.x }}{% endif %}",
        "{{ 'a' * 9 }}",
    ]
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from([f"{BASE}/a", f"{BASE}/b", "~/c", "ON", "json", "sensor", "temperature", "F", "all"])
    | TEMPLATES
)
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
)
KEYS = st.sampled_from(sorted({*ABBREVIATIONS, *ABBREVIATIONS.values(), "~", "schema", "brightness", "min", "max"}))


@st.composite
def components(draw: st.DrawFn) -> dict[str, object]:
    """One that is nearly right: its topics are there, and some keys have any value."""
    component: dict[str, object] = {
        "p": draw(st.sampled_from(sorted(BUILDERS)) | st.text(max_size=5)),
        "uniq_id": draw(st.text(max_size=3)),
        "cmd_t": f"{BASE}/set",
        "stat_t": f"{BASE}/a",
        "mode_cmd_t": f"{BASE}/set",
        "temp_stat_t": f"{BASE}/a",
        "set_pos_t": f"{BASE}/set",
        "pos_t": f"{BASE}/a",
        "bri_cmd_t": f"{BASE}/set",
        "pct_cmd_t": f"{BASE}/set",
        "pct_stat_t": f"{BASE}/a",
        "ops": ["a", "b"],
    }
    return component | draw(st.dictionaries(KEYS, JSON, max_size=6))


@settings(deadline=None)
@given(
    st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()), st.sampled_from(["device", "light"])
)
def test_any_bytes_are_answered(raw: bytes, form: str) -> None:
    announce(HomeAssistantDialect(), f"{form}/x", raw)


@settings(max_examples=rounds(300, 20_000), deadline=None)  # others may use the processor
@given(
    st.dictionaries(st.text(max_size=4), components() | JSON, max_size=4),
    st.dictionaries(KEYS, JSON, max_size=3),
    st.lists(JSON.map(json.dumps) | st.text(max_size=30) | st.floats().map(str), max_size=5),
)
def test_nearly_right_devices_stand_what_they_hear(
    parts: dict[str, object], root: dict[str, object], heard: list[str]
) -> None:
    dialect = HomeAssistantDialect()
    payload = {"dev": {"ids": ["1"]}, "o": {"name": "fuzz"}, "cmps": parts} | root
    discovery = announce(dialect, "device/x", payload)
    assert announce(dialect, "device/x", payload).drivers == discovery.drivers
    for driver in discovery.drivers:
        for topic in driver.topics:
            assert topic.startswith("sc/1/le-loi/")
            for text in heard:
                try:
                    driver.read(message(topic, text.encode(errors="replace")))
                except InvalidPayload:
                    continue
        write_all(driver)
    announce(dialect, "device/x", b"")


def write_all(driver: MqttDriver) -> None:
    """Set every property to the ends of what it takes."""
    for each in driver.device.properties:
        if not each.settable:
            continue
        ends: tuple[Value, ...] = each.options or (True, False)
        if each.kind is Kind.NUMBER:
            assert each.minimum is not None
            assert each.maximum is not None
            ends = (each.minimum, each.maximum)
        for value in ends:
            command = Command(
                id=CommandId("c"),
                device_id=driver.device.id,
                property=each.name,
                value=each.checked(value),
                deadline=NOW + timedelta(seconds=1),
            )
            try:
                written = driver.write(command)
            except InvalidCommand:
                continue
            assert all(publish.topic.startswith(f"sc/1/{SCHOOL}/") for publish in written)
