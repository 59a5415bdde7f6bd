"""What the hub knows, kept in a real database and given back to the next hub."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from controller.changes import ChangeKind
from controller.equipment import persistence as device_records
from controller.equipment.persistence import DeviceRecords, restore_devices
from devices.changes import Change
from devices.changes import ChangeKind as DeviceChangeKind
from devices.device import DeviceId, DeviceRecord, Namespace, Value
from devices.dialects.native import NativeDialect
from devices.hub import DeviceHub
from rooms.school import namespace
from testing.clock import AheadClock
from tests.controller.stage import Stage, running
from tests.devices.nativedevice import POWER, NativeDevice, described, native_device, until
from tests.rooms.samples import LOI, LOI_ROOM, XUAN


@asynccontextmanager
async def keeping(stage: Stage) -> AsyncIterator[None]:
    async with running(DeviceRecords(stage.store, stage.hub, stage.changes).run()) as task:
        await asyncio.sleep(0)  # one turn of the loop: it listens
        assert not task.done()
        yield


@asynccontextmanager
async def found(stage: Stage) -> AsyncIterator[NativeDevice]:
    """A device that is kept."""
    with stage.changes.subscribe() as changes:
        async with native_device(stage.broker) as device, asyncio.timeout(10):
            async for change in changes:
                if change == Change(ChangeKind.DEVICE, device.id):
                    break
            yield device


async def stored(stage: Stage, holds: Callable[[dict[DeviceId, DeviceRecord]], bool]) -> dict[DeviceId, DeviceRecord]:
    """What the database has, once `holds`; each look is a real transaction."""
    async with asyncio.timeout(10):
        while True:
            devices = {each.device.id: each async for each in stage.store.devices.all()}
            if holds(devices):
                return devices


def power(kept: dict[DeviceId, DeviceRecord]) -> Value | None:
    return next((each.reported[POWER].value for each in kept.values() if POWER in each.reported), None)


async def test_device_is_kept_before_people_hear_of_it(stage: Stage) -> None:
    async with keeping(stage), found(stage) as device:
        [kept] = [each async for each in stage.store.devices.all()]
        assert (kept.device, kept.room) == (device.device, None)
        await stage.store.devices.claim(device.id, LOI_ROOM.id)


async def test_values_are_written_together_after_a_while(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device_records, "WRITE_EVERY_S", 0.05)
    async with keeping(stage), found(stage) as device:
        await device.report(power="on")
        await stored(stage, lambda kept: power(kept) == "on")


async def test_what_is_not_written_yet_is_written_at_the_end(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device_records, "WRITE_EVERY_S", 3600.0)
    async with keeping(stage), found(stage) as device:
        with stage.changes.subscribe() as changes:
            await device.report(power="on")
            async for _ in changes:
                if POWER in stage.hub.reported(device.id):
                    break
        assert power(await stored(stage, bool)) is None
    assert power(await stored(stage, bool)) == "on"


async def test_device_that_took_its_description_back_is_forgotten_unless_it_is_in_a_room(stage: Stage) -> None:
    async with keeping(stage), found(stage) as device:
        await device.say("desc", b"")
        await stored(stage, lambda kept: not kept)
        await device.describe()
        await stored(stage, bool)
        await stage.put(LOI_ROOM, device.id)
        with stage.changes.subscribe() as changes:
            await device.say("desc", b"")
            async for _ in changes:
                if stage.hub.problems():
                    break
        assert [each.room async for each in stage.store.devices.all()] == [LOI_ROOM.id]


async def test_next_hub_knows_device_room_and_values_but_not_that_they_are_fresh(stage: Stage) -> None:
    async with keeping(stage), found(stage) as device:
        await stage.put(LOI_ROOM, device.id)
        await device.report(power="on")
        await until(stage.hub, lambda: POWER in stage.hub.reported(device.id))
    hub = DeviceHub(connection=stage.broker, dialects=[NativeDialect()], clock=AheadClock())
    await restore_devices(stage.store, hub)
    assert hub.device(device.id) == device.device
    assert hub.room_of(device.id) == LOI_ROOM.id
    reported = hub.reported(device.id)[POWER]
    assert (reported.value, reported.fresh) == ("on", False)


async def test_a_school_that_is_not_in_the_database_takes_nothing_from_the_others(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device_records, "WRITE_EVERY_S", 0.05)
    deleted = Namespace("deleted")
    stage.hub.set_namespaces({namespace(LOI), deleted})
    theirs = native_device(stage.broker, replace(described(), namespace=deleted))
    async with keeping(stage), theirs as other, found(stage) as device:
        await until(stage.hub, lambda: deleted in {each.namespace for each in stage.hub.devices()})
        for level in range(5):
            await other.report(level=level)
            await device.report(power="on")
        kept = await stored(stage, lambda kept: power(kept) == "on")
        assert [each.device.namespace for each in kept.values()] == [namespace(LOI)]


async def test_thousands_of_new_devices_of_one_school_do_not_hold_up_another(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Told in parts, schools in turn: the one device of the second school is kept while most of the first's wait."""
    monkeypatch.setattr(device_records, "PAUSE_S", 3600.0)
    many = [described(room=f"r{number}") for number in range(device_records.AT_ONCE * 3)]
    few = native_device(stage.broker, replace(described(), namespace=namespace(XUAN)), silent=True)
    async with native_device(stage.broker, silent=True) as loud, few as quiet:
        async with asyncio.TaskGroup() as tasks:
            for each in many:
                tasks.create_task(NativeDevice(loud.mqtt, each, 1).describe())
        await quiet.describe()
        await until(stage.hub, lambda: len(list(stage.hub.devices())) == len(many) + 1)
        records = DeviceRecords(stage.store, stage.hub, stage.changes)
        for device in stage.hub.devices():
            records._follow(Change(DeviceChangeKind.DISCOVERED, device.id))
        async with running(records.run()):
            kept = await stored(
                stage, lambda kept: namespace(XUAN) in {each.device.namespace for each in kept.values()}
            )
    assert len(kept) == device_records.AT_ONCE + 1
