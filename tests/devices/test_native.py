import json
from datetime import UTC, datetime, timedelta

import pytest

from devices.device import (
    Acknowledgement,
    Availability,
    Capability,
    Command,
    CommandId,
    Device,
    Kind,
    Namespace,
    Property,
    PropertyName,
    Report,
    Stage,
)
from devices.dialects.base import Discovery
from devices.dialects.native import NativeDialect, describe, native_id
from devices.driver import MqttDriver, Problem
from devices.errors import InvalidPayload
from devices.mqtt.message import Message, Publish
from tests.devices.nativedevice import POWER, SCHOOL, described

NOW = datetime(2026, 11, 21, 7, 0, tzinfo=UTC)
BASE = f"sc/1/{SCHOOL}/r1/projector"
ID = native_id(SCHOOL, "r1", "projector")


def message(part: str, payload: object, *, retained: bool = False) -> Message:
    raw = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return Message(topic=f"{BASE}/{part}", payload=raw, retained=retained, received=NOW)


def discover(payload: object) -> Discovery:
    return NativeDialect().discover(SCHOOL, message("desc", payload))


def driver(device: Device | None = None) -> MqttDriver:
    [found] = discover(describe(device or described())).drivers
    return found


def availabilities(of: MqttDriver, *messages: Message) -> list[Availability | None]:
    return [each.availability for one in messages for each in of.read(one) if isinstance(each, Report)]


def test_any_device_survives_its_description() -> None:
    properties = tuple(
        Property(
            name=PropertyName(f"{capability.value}.{kind.value}"),
            capability=capability,
            kind=kind,
            unit="%",
            minimum=-1.5,
            maximum=100,
            step=0.5,
            options=("một", "hai") if kind is Kind.ENUM else (),
            settable=kind is not Kind.TEXT,
            reported=kind is not Kind.BOOL,
        )
        for capability in Capability
        for kind in Kind
    )
    device = described(properties=properties)
    assert discover(describe(device)).problems == ()
    assert driver(device).device == device


def test_a_description_may_say_little_and_more_than_we_know() -> None:
    [found] = discover({"format": 2, "colour": "red", "properties": {}}).drivers
    assert found.device == Device(
        id=ID, namespace=SCHOOL, dialect="native", key="r1/projector", name="projector", suggested_room="r1"
    )
    assert (found.acknowledges, found.stale_after) == (True, None)
    [found] = discover({"format": 1, "properties": {}, "acknowledges": False, "interval_s": 60}).drivers
    assert (found.acknowledges, found.stale_after) == (False, timedelta(seconds=150))


def test_properties_that_cannot_be_understood_are_left_out_and_told_of() -> None:
    discovery = discover(
        {
            "format": 1,
            "properties": {
                "power": {"capability": "teleport", "kind": "bool"},
                "Bad Name": {"kind": "bool"},
                "shape": {"kind": "circle"},
                "mode": {"kind": "enum", "settable": True},
            },
        }
    )
    [found] = discovery.drivers
    assert [(each.name, each.capability) for each in found.device.properties] == [("power", Capability.OTHER)]
    assert [(each.topic, each.code) for each in discovery.problems] == [(f"{BASE}/desc", "invalid_property")]
    assert discovery.problems[0].detail.count(";") == 2


def test_an_empty_description_takes_the_device_back() -> None:
    assert discover(b"") == Discovery(removed=(ID,))


@pytest.mark.parametrize(
    "payload",
    [
        b"\xff",
        b"[]",
        b"{}",
        b'{"format":0,"properties":{}}',
        b'{"format":1}',
        b'{"format":1,"properties":[]}',
        json.dumps({"format": 1, "properties": {f"p{number}": {"kind": "bool"} for number in range(101)}}).encode(),
        b"[" * 100_000,
        b" " * 200_000,
    ],
)
def test_no_description_is_an_invalid_payload(payload: bytes) -> None:
    with pytest.raises(InvalidPayload):
        discover(payload)


def test_the_same_topic_in_two_schools_is_two_devices() -> None:
    assert native_id(SCHOOL, "r1", "projector") != native_id(Namespace("other"), "r1", "projector")


def test_a_state_becomes_a_report() -> None:
    state = {"v": {"power": "on", "level": 20, "unknown": 1, "button.buzz": None}, "t": 1, "boot": 1, "seq": 1}
    assert driver().read(message("state", state)) == (
        Report(
            device_id=ID,
            values={POWER: "on", PropertyName("level"): 20},
            availability=Availability.ONLINE,
            received=NOW,
        ),
    )


def test_values_of_the_wrong_kind_are_left_out_and_told_of() -> None:
    [report, problem] = driver().read(message("state", {"v": {"power": True, "level": 20}}))
    assert isinstance(report, Report)
    assert report.values == {"level": 20}
    assert problem == Problem(f"{BASE}/state", "invalid_value", "power is no enum")


def test_an_older_state_after_a_newer_one_says_nothing() -> None:
    of = driver()
    newer, older = ({"v": {"level": seq}, "boot": 3, "seq": seq, "t": seq} for seq in (5, 4))
    assert len(of.read(message("state", newer))) == 1
    assert of.read(message("state", older)) == ()
    assert len(of.read(message("state", {"v": {}, "boot": 4, "seq": 1, "t": 1}))) == 1


@pytest.mark.parametrize("retained", [False, True])
def test_the_will_of_an_older_boot_says_nothing(retained: bool) -> None:
    of = driver()
    assert availabilities(
        of,
        message("avail", {"online": True, "boot": 2}),
        message("avail", {"online": False, "boot": 1}, retained=retained),
        message("avail", {"online": False, "boot": 2}, retained=retained),
    ) == [Availability.ONLINE, Availability.OFFLINE]


@pytest.mark.parametrize("state_first", [False, True])
@pytest.mark.parametrize(("will", "said_last"), [(1, Availability.ONLINE), (2, Availability.OFFLINE)])
def test_retained_state_and_will_say_the_same_in_either_order(
    state_first: bool, will: int, said_last: Availability
) -> None:
    both = [
        message("avail", {"online": False, "boot": will}, retained=True),
        message("state", {"v": {}, "boot": 2}, retained=True),
    ]
    said = [each for each in availabilities(driver(), *(both[::-1] if state_first else both)) if each is not None]
    assert said[-1] is said_last


def test_a_command_names_its_property_and_its_deadline() -> None:
    command = Command(id=CommandId("c1"), device_id=ID, property=POWER, value="on", deadline=NOW)
    [publish] = driver().write(command)
    assert publish == Publish(
        f"{BASE}/cmd",
        b'{"id": "c1", "set": {"power": "on"}, "deadline": %d}' % (NOW.timestamp() * 1000),
        qos=1,
    )


def test_an_answer_is_an_acknowledgement_unless_it_is_retained() -> None:
    answer = {"id": "c1", "stage": "failed", "code": "busy", "retry_after_ms": 5000}
    assert driver().read(message("ack", answer)) == (
        Acknowledgement(
            device_id=ID,
            command_id=CommandId("c1"),
            stage=Stage.FAILED,
            code="busy",
            retry_after=timedelta(seconds=5),
        ),
    )
    assert driver().read(message("ack", answer, retained=True)) == ()


@pytest.mark.parametrize(
    ("part", "payload"),
    [
        ("ack", b'{"id":"c1"}'),
        ("ack", b'{"id":"c1","stage":"perhaps"}'),
        ("avail", b"online"),
        ("avail", b'{"online":1}'),
    ],
)
def test_what_says_nothing_usable_is_an_invalid_payload(part: str, payload: bytes) -> None:
    with pytest.raises(InvalidPayload):
        driver().read(message(part, payload))


@pytest.mark.parametrize("payload", [b'{"v":1}', b"on", b'{"uptime":5}', b"\xff", b"[]"])
def test_live_state_that_says_nothing_usable_is_a_sign_of_life_and_a_problem(payload: bytes) -> None:
    here, problem = driver().read(message("state", payload))
    assert here == Report(device_id=ID, received=NOW)
    assert isinstance(problem, Problem)
    assert (problem.topic, problem.code) == (f"{BASE}/state", "invalid_payload")
    with pytest.raises(InvalidPayload):
        driver().read(message("state", payload, retained=True))
