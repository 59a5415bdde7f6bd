import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest

from devices.changes import Change, ChangeKind
from devices.device import Availability, CommandState, DeviceId, Namespace
from devices.dialects.native import NativeDialect, describe
from devices.errors import DeviceNotClaimed, DeviceNotFound, InvalidCommand, PropertyNotFound
from devices.hub import DeviceHub
from devices.mqtt.connection import MqttSettings, connect
from devices.mqtt.message import Publish
from testing.mosquitto import Broker
from tests.devices.nativedevice import (
    BUZZ,
    LEVEL,
    POWER,
    SCHOOL,
    NativeDevice,
    command,
    described,
    native_device,
    until,
)


def _now() -> datetime:
    return datetime.now(UTC)


@asynccontextmanager
async def running_hub(settings: MqttSettings) -> AsyncIterator[DeviceHub]:
    hub = DeviceHub(connection=settings, dialects=[NativeDialect()], clock=_now)
    hub.set_namespaces({SCHOOL})
    running = asyncio.create_task(hub.run())
    try:
        yield hub
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def knows(hub: DeviceHub, id: DeviceId) -> bool:
    return id in {each.id for each in hub.devices()}


async def claimed_online(hub: DeviceHub, device: NativeDevice) -> None:
    """Wait until the hub hears the device live, and put it into a room."""
    await until(hub, lambda: knows(hub, device.id))
    hub.claim(device.id, "4a")
    await online_again(hub, device)


async def online_again(hub: DeviceHub, device: NativeDevice) -> None:
    """Wait until the hub listens to the device, which the retained `avail` shows, and have it say so live."""
    heard = (Availability.STALE, Availability.ONLINE)
    await until(hub, lambda: hub.availability(device.id)[0] in heard)
    await device.online()
    await until(hub, lambda: hub.availability(device.id)[0] is Availability.ONLINE)


@pytest.fixture
async def hub(broker: Broker) -> AsyncIterator[DeviceHub]:
    async with running_hub(broker.settings) as hub:
        yield hub


@pytest.fixture
async def device(broker: Broker, hub: DeviceHub) -> AsyncIterator[NativeDevice]:
    async with native_device(broker.settings) as device:
        await claimed_online(hub, device)
        yield device


async def test_a_device_that_describes_itself_is_known_with_all_it_can(broker: Broker, hub: DeviceHub) -> None:
    async with native_device(broker.settings) as device:
        await until(hub, lambda: knows(hub, device.id))
        assert hub.device(device.id) == described()
        assert hub.room_of(device.id) is None


async def test_a_command_is_confirmed_when_the_device_reports_it(hub: DeviceHub, device: NativeDevice) -> None:
    sending = asyncio.create_task(hub.send(asked := command(device.id, POWER, "on")))
    received = await device.asked()
    assert received == {"id": asked.id, "set": {"power": "on"}, "deadline": int(asked.deadline.timestamp() * 1000)}
    await device.answer(received, "accepted")
    await until(hub, lambda: hub.pending(device.id) == {POWER: (asked, CommandState.ACKNOWLEDGED)})
    await device.report(power="warming")
    await until(hub, lambda: POWER in hub.reported(device.id))
    assert not sending.done()
    await device.report(power="on")
    result = await sending
    assert (result.state, result.code) == (CommandState.CONFIRMED, "")
    assert hub.pending(device.id) == {}
    assert hub.reported(device.id)[POWER].fresh


async def test_a_value_that_is_fresh_already_is_confirmed_without_a_message(
    hub: DeviceHub, device: NativeDevice
) -> None:
    await device.report(power="on", level=30)
    await until(hub, lambda: POWER in hub.reported(device.id))
    result = await hub.send(command(device.id, POWER, "on"))
    assert (result.state, result.code) == (CommandState.CONFIRMED, "already")
    sending = asyncio.create_task(hub.send(command(device.id, LEVEL, 40)))
    assert (await device.asked())["set"] == {"level": 40}  # the first that it hears
    await device.report(level=40.4)
    assert (await sending).state is CommandState.CONFIRMED


async def test_a_refused_command_fails_with_the_devices_code(hub: DeviceHub, device: NativeDevice) -> None:
    sending = asyncio.create_task(hub.send(command(device.id, POWER, "off")))
    await device.answer(await device.asked(), "failed", code="cooling_lockout")
    result = await sending
    assert (result.state, result.code) == (CommandState.FAILED, "cooling_lockout")


async def test_a_busy_device_is_asked_again(hub: DeviceHub, device: NativeDevice) -> None:
    sending = asyncio.create_task(hub.send(command(device.id, POWER, "on")))
    await device.answer(await device.asked(), "failed", code="busy", retry_after_ms=50)
    await device.asked()
    await device.report(power="on")
    assert (await sending).state is CommandState.CONFIRMED


async def test_what_cannot_be_reported_is_assumed_when_done(hub: DeviceHub, device: NativeDevice) -> None:
    sending = asyncio.create_task(hub.send(command(device.id, BUZZ, "press")))
    await device.answer(await device.asked(), "done")
    assert (await sending).state is CommandState.ASSUMED


@pytest.mark.parametrize(("said", "code"), [(None, "no_report"), ("off", "contradicted"), ("warming", "in_transition")])
async def test_a_command_times_out_and_says_what_was_seen(
    hub: DeviceHub, device: NativeDevice, said: str | None, code: str
) -> None:
    sending = asyncio.create_task(hub.send(command(device.id, POWER, "on", timeout_s=0.3)))
    await device.asked()
    if said is not None:
        await device.report(power=said)
    result = await sending
    assert (result.state, result.code) == (CommandState.TIMED_OUT, code)


async def test_a_newer_command_supersedes_the_older(hub: DeviceHub, device: NativeDevice) -> None:
    older = asyncio.create_task(hub.send(command(device.id, POWER, "off")))
    await device.asked()
    newer = asyncio.create_task(hub.send(command(device.id, POWER, "on")))
    assert (await older).state is CommandState.SUPERSEDED
    assert (await device.asked())["set"] == {"power": "on"}
    await device.report(power="on")
    assert (await newer).state is CommandState.CONFIRMED


async def test_a_command_to_an_offline_device_expires_and_nothing_is_switched(broker: Broker, hub: DeviceHub) -> None:
    async with native_device(broker.settings) as gone:
        await claimed_online(hub, gone)
        gone.pull_the_plug()
        await until(hub, lambda: hub.availability(gone.id)[0] is Availability.OFFLINE)
    result = await hub.send(command(gone.id, POWER, "on", timeout_s=0.2))
    assert (result.state, result.code) == (CommandState.EXPIRED, "device_offline")
    async with native_device(broker.settings, boot=2) as back:
        await until(hub, lambda: hub.availability(back.id)[0] is Availability.ONLINE)
        sending = asyncio.create_task(hub.send(command(back.id, LEVEL, 10)))
        assert (await back.asked())["set"] == {"level": 10}
        assert back.unasked
        await back.report(level=10)
        assert (await sending).state is CommandState.CONFIRMED


async def test_a_held_command_is_sent_when_the_device_returns_in_time(broker: Broker, hub: DeviceHub) -> None:
    async with native_device(broker.settings) as gone:
        await claimed_online(hub, gone)
        gone.pull_the_plug()
        await until(hub, lambda: hub.availability(gone.id)[0] is Availability.OFFLINE)
    sending = asyncio.create_task(hub.send(command(gone.id, POWER, "on")))
    await until(hub, lambda: POWER in hub.pending(gone.id))
    async with native_device(broker.settings, boot=2) as back:
        await back.asked()
        await back.report(power="on")
        assert (await sending).state is CommandState.CONFIRMED


async def test_a_late_will_of_an_older_boot_says_nothing(broker: Broker, hub: DeviceHub) -> None:
    async with native_device(broker.settings, boot=1) as old, native_device(broker.settings, boot=2) as new:
        await claimed_online(hub, new)
        states: list[Availability] = []
        old.pull_the_plug()
        async with connect(broker.settings) as watcher:
            await watcher.subscribe([f"sc/1/{SCHOOL}/r1/projector/avail"])
            async with asyncio.timeout(20):
                while b'"online":false' not in (await watcher.receive())[-1].payload:
                    pass
        await new.report(power="on")
        await until(hub, lambda: POWER in hub.reported(new.id))
        states.append(hub.availability(new.id)[0])
        sending = asyncio.create_task(hub.send(command(new.id, LEVEL, 5, timeout_s=4)))  # longer than the debounce
        await new.asked()
        result = await sending
        states.append(hub.availability(new.id)[0])
    assert states == [Availability.ONLINE, Availability.ONLINE]
    assert result.state is CommandState.TIMED_OUT


async def test_retained_values_and_a_retained_online_are_not_fresh(broker: Broker) -> None:
    async with native_device(broker.settings) as device:
        await device.report(power="on")
        async with running_hub(broker.settings) as hub:
            await until(hub, lambda: knows(hub, device.id) and POWER in hub.reported(device.id))
            await until(hub, lambda: hub.availability(device.id)[0] is not Availability.UNKNOWN)
            assert hub.availability(device.id) == (Availability.STALE, None)
            assert not hub.reported(device.id)[POWER].fresh
            hub.claim(device.id, "4a")
            sending = asyncio.create_task(hub.send(command(device.id, POWER, "on")))
            await device.asked()  # it is asked although it said so once
            await device.report(power="on")
            assert (await sending).state is CommandState.CONFIRMED
            assert hub.reported(device.id)[POWER].fresh


async def test_pending_commands_survive_a_restart_of_the_broker(broker: Broker, hub: DeviceHub) -> None:
    async with native_device(broker.settings) as device:
        await claimed_online(hub, device)
        lost = asyncio.create_task(hub.send(command(device.id, POWER, "on", timeout_s=4)))
        await device.asked()
        sent = asyncio.create_task(hub.send(command(device.id, LEVEL, 7, timeout_s=20)))
        await device.asked()
        await until(hub, lambda: [state for _, state in hub.pending(device.id).values()] == [CommandState.SENT] * 2)
        await broker.stop()
        await until(hub, lambda: not hub.connected and hub.availability(device.id)[0] is Availability.STALE)
        held = asyncio.create_task(hub.send(command(device.id, BUZZ, "press", timeout_s=20)))
        expired = await hub.send(command(device.id, POWER, "off", timeout_s=0.1))
        assert (expired.state, expired.code) == (CommandState.EXPIRED, "broker_away")
        assert (await lost).state is CommandState.SUPERSEDED
        await broker.start()
    async with native_device(broker.settings, boot=2) as back:
        assert (await back.asked())["set"] == {"button.buzz": "press"}
        held_asked = hub.pending(back.id)[BUZZ][0]
        await back.answer({"id": held_asked.id}, "done")
        await back.report(level=7)
        assert [(await each).state for each in (held, sent)] == [CommandState.ASSUMED, CommandState.CONFIRMED]


async def test_garbage_on_every_topic_stops_nothing(
    hub: DeviceHub, device: NativeDevice, caplog: pytest.LogCaptureFixture
) -> None:
    garbage = [
        b"",
        b"\xff\xfe\x00",
        b"null",
        b"[]",
        b"{}",
        b'{"v":[]}',
        b'{"v":{"power":1,"level":"x"}}',
        b'{"v":{"level":NaN}}',
        b'{"v":{"level":1e999}}',
        b'{"v":{"level":' + b"9" * 400 + b"}}",
        b'{"v":{"power":"\\ud800"}}',
        b'{"online":"yes"}',
        b'{"id":1,"stage":"done"}',
        b'{"format":1,"properties":[]}',
        b'{"format":1,"properties":{"a b":1}}',
        b"[" * 30_000,
        b"x" * 300_000,
    ]
    for part in ("state", "ack", "avail", "desc/", "other"):
        for payload in garbage:
            await device.say(part, payload, retain=False)
    for payload in garbage[1:]:
        await device.say("desc", payload, retain=False)
    assert hub.room_of(device.id) == "4a"
    await device.describe()
    sending = asyncio.create_task(hub.send(command(device.id, POWER, "on")))
    await device.asked()
    await device.report(power="on")
    assert (await sending).state is CommandState.CONFIRMED
    warnings = [each for each in caplog.records if each.levelname == "WARNING"]
    assert {each.levelname for each in caplog.records} <= {"DEBUG", "INFO", "WARNING"}
    assert len(warnings) <= 4  # one per topic
    bad = {each.topic.rpartition("/")[2] for each in hub.problems()}
    assert "ack" in bad
    assert not bad & {"state", "desc"}  # they are well again


async def test_a_claimed_device_that_takes_its_description_back_stays_as_removed(
    hub: DeviceHub, device: NativeDevice
) -> None:
    await device.say("desc", b"")
    await until(hub, lambda: hub.availability(device.id)[0] is Availability.OFFLINE)
    assert [(each.topic, each.code) for each in hub.problems()] == [(f"sc/1/{SCHOOL}/r1/projector/desc", "removed")]
    result = await hub.send(command(device.id, POWER, "on", timeout_s=0.1))
    assert (result.state, result.code) == (CommandState.EXPIRED, "device_removed")
    await device.describe()
    await until(hub, lambda: hub.problems() == ())
    await online_again(hub, device)


async def test_an_unclaimed_device_that_takes_its_description_back_is_gone(broker: Broker, hub: DeviceHub) -> None:
    async with native_device(broker.settings) as device:
        await until(hub, lambda: knows(hub, device.id))
        await device.say("desc", b"")
        await until(hub, lambda: not knows(hub, device.id))


async def test_a_burst_of_reports_loses_nothing(hub: DeviceHub, device: NativeDevice) -> None:
    others = [described(room=f"r{number}", name="light") for number in range(100)]
    async with asyncio.TaskGroup() as tasks:
        for each in others:
            light = NativeDevice(device.mqtt, each, 1)
            tasks.create_task(light.describe())
    await until(hub, lambda: len(list(hub.devices())) == 101)
    async with asyncio.TaskGroup() as tasks:
        for number in range(10):
            for each in others:
                tasks.create_task(NativeDevice(device.mqtt, each, 1).report(level=number))
    await until(hub, lambda: all(LEVEL in hub.reported(each.id) for each in others))
    await until(hub, lambda: all(hub.reported(each.id)[LEVEL].value == 9 for each in others))


async def test_a_thousand_commands_at_once_all_end(broker: Broker, hub: DeviceHub) -> None:
    async with native_device(broker.settings, described(name="first")) as device:
        others = [described(room=f"r{number}", name="light") for number in range(100)]
        async with asyncio.TaskGroup() as tasks:
            for each in others:
                tasks.create_task(NativeDevice(device.mqtt, each, 1).describe())
        await until(hub, lambda: len(list(hub.devices())) == 101)
        for each in others:
            hub.claim(each.id, "4a")
        async with asyncio.TaskGroup() as sends:
            sending = [
                sends.create_task(hub.send(command(each.id, LEVEL, number, timeout_s=2)))
                for number in range(10)
                for each in others
            ]
        states = [each.result().state for each in sending]
    assert states[:900] == [CommandState.SUPERSEDED] * 900
    # On a slow machine a deadline may pass before its command is sent.
    assert set(states[900:]) <= {CommandState.TIMED_OUT, CommandState.EXPIRED}


async def test_commands_to_the_wrong_address_are_refused(hub: DeviceHub, device: NativeDevice) -> None:
    with pytest.raises(DeviceNotFound):
        await hub.send(command(DeviceId("d0"), POWER, "on"))
    with pytest.raises(PropertyNotFound):
        await hub.send(command(device.id, type(POWER)("nothing"), "on"))
    with pytest.raises(InvalidCommand):
        await hub.send(command(device.id, POWER, "warming"))
    hub.release(device.id)
    with pytest.raises(DeviceNotClaimed):
        await hub.send(command(device.id, POWER, "on"))


async def test_releasing_a_device_ends_its_commands(hub: DeviceHub, device: NativeDevice) -> None:
    sending = asyncio.create_task(hub.send(command(device.id, POWER, "on")))
    await device.asked()
    hub.release(device.id)
    result = await sending
    assert (result.state, result.code) == (CommandState.FAILED, "cancelled")


async def test_stopping_the_hub_ends_all_commands(broker: Broker) -> None:
    async with native_device(broker.settings) as device:
        async with running_hub(broker.settings) as hub:
            await claimed_online(hub, device)
            sending = asyncio.create_task(hub.send(command(device.id, POWER, "on")))
            await device.asked()
        result = await sending
    assert (result.state, result.code) == (CommandState.FAILED, "cancelled")


async def test_a_restored_device_is_claimed_and_known_before_the_broker_is(broker: Broker) -> None:
    async with running_hub(broker.settings) as first, native_device(broker.settings) as device:
        await claimed_online(first, device)
        await device.report(power="on")
        await until(first, lambda: POWER in first.reported(device.id))
        record = first.record(device.id)
    hub = DeviceHub(connection=broker.settings, dialects=[NativeDialect()], clock=_now)
    hub.restore([record])
    assert hub.device(device.id) == described()
    assert hub.room_of(device.id) == "4a"
    assert hub.availability(device.id)[0] is Availability.UNKNOWN
    assert (hub.reported(device.id)[POWER].value, hub.reported(device.id)[POWER].fresh) == ("on", False)


async def test_changes_are_told_once_per_device_and_kind(broker: Broker, hub: DeviceHub) -> None:
    with hub.changes() as changes:
        async with native_device(broker.settings, silent=True) as device:
            await device.describe()
            for level in range(50):
                await device.report(level=level)
            await until(hub, lambda: knows(hub, device.id))
            await until(hub, lambda: hub.reported(device.id)[LEVEL].value == 49 if hub.reported(device.id) else False)
            seen = [await anext(changes) for _ in range(3)]
    assert set(seen) == {
        Change(kind, device.id) for kind in (ChangeKind.DISCOVERED, ChangeKind.REPORTED, ChangeKind.AVAILABILITY)
    }


async def test_a_school_that_is_not_ours_is_not_listened_to(broker: Broker, hub: DeviceHub) -> None:
    async with connect(broker.settings) as mqtt:
        await mqtt.publish(Publish("sc/1/other/r1/projector/desc", describe(described())), retain=True)
        await mqtt.publish(Publish(f"sc/1/{SCHOOL}/r1/projector/desc", describe(described())), retain=True)
        await until(hub, lambda: knows(hub, described().id))
        assert [each.namespace for each in hub.devices()] == [SCHOOL]
        hub.set_namespaces({SCHOOL, Namespace("other")})
        await until(hub, lambda: len(list(hub.devices())) == 2)


async def test_each_school_is_told_that_we_are_here(broker: Broker) -> None:
    async with connect(broker.settings) as school:
        await school.subscribe([f"sc/1/{SCHOOL}/controller"])
        async with running_hub(broker.settings):
            async with asyncio.timeout(20):
                messages = await school.receive()
    assert [(each.payload, each.retained) for each in messages] == [(b'{"online":true}', False)]


async def test_a_school_in_doubt_is_believed_again_once_it_is_heard(hub: DeviceHub, device: NativeDevice) -> None:
    assert hub.availability(device.id)[0] is Availability.ONLINE
    hub.doubt(device.device.namespace)
    assert hub.availability(device.id)[0] is Availability.STALE
    await device.report(power="on")
    await until(hub, lambda: hub.availability(device.id)[0] is Availability.ONLINE)
