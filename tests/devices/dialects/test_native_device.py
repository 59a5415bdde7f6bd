"""What a device says is what the dialect reads, and the other way round."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from devices.device import Acknowledgement, Availability, CommandId, Report, Stage
from devices.dialects.native import NativeDialect
from devices.dialects.native_device import NativeDevice, Order
from devices.driver import MqttDriver
from devices.mqtt.message import Message, Publish
from tests.devices.nativedevice import LEVEL, POWER, SCHOOL, command, described

NOW = datetime(2026, 11, 29, 8, 0, tzinfo=UTC)
DEVICE = NativeDevice(described(), boot=7, interval_s=60)


def heard(said: Publish, *, retained: bool = False) -> Message:
    return Message(topic=said.topic, payload=said.payload, retained=retained, received=NOW)


@pytest.fixture
def driver() -> MqttDriver:
    [driver] = NativeDialect().discover(SCHOOL, heard(DEVICE.announcement)).drivers
    return driver


def test_it_is_described_as_it_is(driver: MqttDriver) -> None:
    assert driver.device == DEVICE.device
    assert driver.stale_after == timedelta(seconds=150)


def test_its_values_and_presence_are_read(driver: MqttDriver) -> None:
    [online] = driver.read(heard(DEVICE.online))
    [state] = driver.read(heard(DEVICE.state({POWER: "on"}, now_ms=1)))
    [gone] = driver.read(heard(DEVICE.will))
    assert isinstance(online, Report)
    assert isinstance(state, Report)
    assert isinstance(gone, Report)
    assert (online.availability, state.values, gone.availability) == (
        Availability.ONLINE,
        {POWER: "on"},
        Availability.OFFLINE,
    )
    assert json.loads(DEVICE.will.payload)["boot"] == 7


def test_a_command_is_understood_and_its_answer_read(driver: MqttDriver) -> None:
    asked = command(DEVICE.device.id, LEVEL, 40)
    [written] = driver.write(asked)
    assert written.topic == DEVICE.command_topic
    assert DEVICE.orders(heard(written), now_ms=0) == (Order(LEVEL, 40, asked.id),)
    answered = heard(DEVICE.answer(asked.id, Stage.FAILED, code="busy", retry_after_s=2))
    assert driver.read(answered) == (
        Acknowledgement(
            device_id=DEVICE.device.id,
            command_id=asked.id,
            stage=Stage.FAILED,
            code="busy",
            retry_after=timedelta(milliseconds=2001),
        ),
    )


def test_a_late_or_retained_command_is_left_alone(driver: MqttDriver) -> None:
    [written] = driver.write(command(DEVICE.device.id, POWER, "on", timeout_s=5))
    assert DEVICE.orders(heard(written, retained=True), now_ms=0) == ()
    assert DEVICE.orders(heard(written), now_ms=int((datetime.now(UTC).timestamp() + 6) * 1000)) == ()


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"[]",
        b"\xff",
        b'{"id": "c1"}',
        b'{"id": 1, "set": {"power": "on"}}',
        b'{"id": "c1", "set": {"power": "perhaps"}}',
        b'{"id": "c1", "set": {"power": null}}',
        b'{"id": "c1", "set": {"nothing": 1}}',
    ],
)
def test_what_makes_no_sense_asks_for_nothing(payload: bytes) -> None:
    assert DEVICE.orders(heard(Publish(DEVICE.command_topic, payload)), now_ms=0) == ()


def test_a_new_connection_counts_from_the_start() -> None:
    device = NativeDevice(described())
    device.state({}, now_ms=0)
    device.connected(8)
    state = json.loads(device.state({}, now_ms=5).payload)
    assert state == {"v": {}, "t": 5, "boot": 8, "seq": 1}
    assert json.loads(device.answer(CommandId("c1"), Stage.DONE).payload) == {"id": "c1", "stage": "done"}
