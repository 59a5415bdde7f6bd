"""A simulated room end to end: real broker, both dialects, commands and faults through the hub."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from demo.simulated import DEVICES_PER_ROOM
from demo.simulated.faults import Fault
from demo.simulated.machine import Speeds
from demo.simulated.room import SimulatedRoom
from devices.device import (
    Availability,
    Command,
    CommandId,
    CommandResult,
    CommandState,
    Device,
    Namespace,
    PropertyName,
    Value,
)
from devices.dialects.homeassistant.dialect import HomeAssistantDialect
from devices.dialects.native import NativeDialect
from devices.dialects.native_device import Order
from devices.hub import DeviceHub
from testing.mosquitto import Broker

SCHOOL = Namespace("le-loi")
SPEEDS = Speeds(
    warm_up_s=0.2,
    cool_down_s=0.05,
    travel_s=0.1,
    camera_move_s=0.05,
    sensor_interval_s=0.1,
    progress_s=0.02,
    slow_s=0.3,
    birth_spread_s=0.01,
)
_numbers = count(1)


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass
class House:
    """A hub and a simulated room on one broker."""

    hub: DeviceHub
    room: SimulatedRoom

    def device(self, type: str) -> Device:
        [device] = [each for each in self.hub.devices() if each.type == type]
        return device

    async def send(self, type: str, name: str, value: Value, *, timeout_s: float = 10.0) -> CommandResult:
        command = Command(
            id=CommandId(f"c{next(_numbers)}"),
            device_id=self.device(type).id,
            property=PropertyName(name),
            value=value,
            deadline=_now() + timedelta(seconds=timeout_s),
        )
        return await self.hub.send(command)

    def value(self, type: str, name: str) -> Value | None:
        reported = self.hub.reported(self.device(type).id).get(PropertyName(name))
        return reported.value if reported else None

    def availability(self, type: str) -> Availability:
        return self.hub.availability(self.device(type).id)[0]

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            with self.hub.changes() as changes:
                while not condition():
                    await anext(changes)


@asynccontextmanager
async def running_house(broker: Broker, **faults: Fault) -> AsyncIterator[House]:
    """All devices found, claimed and heard."""
    hub = DeviceHub(connection=broker.settings, dialects=[NativeDialect(), HomeAssistantDialect()], clock=_now)
    hub.set_namespaces({SCHOOL})
    room = SimulatedRoom(SCHOOL, "a1", broker.settings, SPEEDS, faults=faults)
    tasks = [asyncio.create_task(hub.run()), asyncio.create_task(room.run())]
    house = House(hub, room)
    try:
        await house.until(lambda: len(list(hub.devices())) == DEVICES_PER_ROOM)
        for device in hub.devices():
            hub.claim(device.id, "4a")
        await house.until(lambda: all(each.availability is Availability.ONLINE for each in states(house)))
        yield house
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@dataclass(frozen=True)
class State:
    type: str
    availability: Availability


def states(house: House) -> list[State]:
    return [State(each.type, house.hub.availability(each.id)[0]) for each in house.hub.devices()]


@pytest.fixture
async def house(broker: Broker) -> AsyncIterator[House]:
    async with running_house(broker) as house:
        yield house


async def test_every_device_is_found_with_what_it_can_do(house: House) -> None:
    found = {each.type: (each.dialect, [prop.name for prop in each.properties]) for each in house.hub.devices()}
    assert found == {
        "projector": ("native", ["power", "av_source", "av_mute", "consumable.lamp_hours"]),
        "motor_screen": ("native", ["cover", "cover.position"]),
        "ptz_camera": ("native", ["power", "ptz.preset", "ptz.moving"]),
        "light": ("homeassistant", ["power", "level"]),
        "ac": ("homeassistant", ["climate.mode", "climate.setpoint", "climate.fan", "temperature"]),
        "co2_sensor": ("homeassistant", ["co2", "humidity", "temperature"]),
        "occupancy_sensor": ("homeassistant", ["occupancy"]),
    }
    assert house.hub.problems() == ()
    await house.until(
        lambda: all(len(house.hub.reported(each.id)) == len(each.properties) for each in house.hub.devices())
    )


async def test_every_device_confirms_what_it_is_asked(house: House) -> None:
    wishes: list[tuple[str, str, Value]] = [
        ("motor_screen", "cover", "closed"),
        ("projector", "power", "on"),
        ("projector", "av_source", "HDMI 1"),
        ("light", "level", 40),
        ("light", "power", "off"),
        ("ac", "climate.mode", "cool"),
        ("ac", "climate.setpoint", 24),
        ("ac", "climate.fan", "low"),
        ("ptz_camera", "power", "on"),
        ("ptz_camera", "ptz.preset", "class"),
        ("motor_screen", "cover.position", 50),
        ("projector", "power", "off"),
    ]
    for type, name, value in wishes:
        result = await house.send(type, name, value)
        assert (result.state, result.code) == (CommandState.CONFIRMED, ""), (type, name)
        assert house.value(type, name) == value
    assert list(house.room.devices["lights"].received) == [Order("level", 40), Order("power", "off")]


async def test_projector_is_seen_warming_and_takes_its_input_once_it_is_on(house: House) -> None:
    switching = asyncio.create_task(house.send("projector", "power", "on"))
    await house.until(lambda: house.value("projector", "power") == "warming")
    choosing = asyncio.create_task(house.send("projector", "av_source", "HDMI 2"))
    assert (await switching).state is CommandState.CONFIRMED
    assert (await choosing).state is CommandState.CONFIRMED  # refused as busy at first, and asked again
    asked = [order.property for order in house.room.devices["projector"].received]
    assert asked == ["power", "av_source", "av_source"]


async def test_sensors_report_without_being_asked(house: House) -> None:
    first = house.hub.reported(house.device("co2_sensor").id)
    await house.until(lambda: house.hub.reported(house.device("co2_sensor").id) != first)
    assert house.value("co2_sensor", "co2") is not None


@pytest.mark.parametrize(
    ("slug", "type", "name", "value"),
    [("projector", "projector", "power", "on"), ("lights", "light", "level", 40)],
)
async def test_faults_end_in_a_stated_result(
    broker: Broker, caplog: pytest.LogCaptureFixture, slug: str, type: str, name: str, value: Value
) -> None:
    async with running_house(broker) as house:
        device = house.room.devices[slug]
        await house.until(lambda: house.value(type, name) is not None)
        before = house.value(type, name)

        device.set_fault(Fault.SILENT)
        result = await house.send(type, name, value, timeout_s=1.0)
        assert result.state is CommandState.TIMED_OUT
        assert [(order.property, order.value) for order in device.received] == [(name, value)]

        device.set_fault(Fault.GARBAGE)
        result = await house.send(type, name, value, timeout_s=1.0)
        assert result.state is CommandState.TIMED_OUT
        await house.until(lambda: f"topic sc/1/le-loi/a1/{slug}/state: invalid_payload" in caplog.text)

        device.set_fault(Fault.REFUSES)
        result = await house.send(type, name, value, timeout_s=1.0)
        refused = (CommandState.FAILED, "rejected")
        assert (result.state, result.code) == refused or (slug == "lights" and result.state is CommandState.TIMED_OUT)
        assert house.value(type, name) == before

        device.set_fault(Fault.SLOW)
        assert (await house.send(type, name, value)).state is CommandState.CONFIRMED


async def test_a_device_that_dies_is_offline_by_its_will_and_comes_back(house: House) -> None:
    projector = house.room.devices["projector"]
    projector.set_fault(Fault.DIES)
    assert (await house.send("projector", "power", "on", timeout_s=1.0)).state is CommandState.TIMED_OUT
    await house.until(lambda: house.availability("projector") is Availability.OFFLINE)
    projector.set_fault(Fault.NONE)
    await house.until(lambda: house.availability("projector") is Availability.ONLINE)
    assert (await house.send("projector", "power", "on")).state is CommandState.CONFIRMED


async def test_devices_return_after_the_broker_was_away_and_forgot_everything(broker: Broker, house: House) -> None:
    await broker.stop()
    await house.until(lambda: not any(each.availability is Availability.ONLINE for each in states(house)))
    await broker.start()
    await house.until(lambda: all(each.availability is Availability.ONLINE for each in states(house)))
    assert (await house.send("light", "level", 70)).state is CommandState.CONFIRMED
    assert (await house.send("motor_screen", "cover", "closed")).state is CommandState.CONFIRMED
