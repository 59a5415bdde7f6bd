"""What people do with devices, on a real broker and a real database."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from controller.changes import ChangeKind
from devices.changes import Change
from devices.device import Availability, CommandState, DeviceId
from devices.errors import DeviceNotClaimed, DeviceNotFound
from rooms.errors import DeviceInUse, DeviceOfAnotherSchool, InvalidValue
from rooms.people.account import Account, AccountId, Role, RoleAt
from rooms.people.errors import Forbidden, HiddenObject
from rooms.people.rights import OWNER, Rights
from rooms.school import SchoolId
from tests.controller.equipment.test_persistence import found, keeping
from tests.controller.stage import UNRECORDABLE, Stage, running
from tests.devices.nativedevice import POWER, NativeDevice, until
from tests.rooms.samples import LOI, LOI_ROOM, XUAN, XUAN_ROOM

LATER = timedelta(seconds=5)


@pytest.fixture
async def device(stage: Stage) -> AsyncIterator[NativeDevice]:
    """One that is kept, in the inbox of Lê Lợi."""
    async with keeping(stage), found(stage) as device:
        yield device


def rights(stage: Stage, role: Role, school: SchoolId) -> Rights:
    held = (RoleAt(role, school),)
    account = Account(id=AccountId("a"), name="a", display_name="A", roles=held, created=stage.clock())
    return Rights.of(account, stage.store.tree)


async def recorded(stage: Stage) -> list[tuple[str, object, object]]:
    """Action, before and after of what was done to devices, oldest first."""
    entries = await stage.store.audit.list(object_kind="device")
    return [(each.action, each.before, each.after) for each in reversed(entries)]


async def kept_in(stage: Stage, id: DeviceId) -> str | None:
    """The room that the database has; the hub has the same."""
    room = (await stage.store.devices.get(id)).room
    assert stage.hub.room_of(id) == room
    return room


async def test_claim_and_release_are_kept_recorded_and_announced_once(stage: Stage, device: NativeDevice) -> None:
    both = {Change(ChangeKind.DEVICE, device.id), Change(ChangeKind.ROOM, LOI_ROOM.id)}
    end = Change(ChangeKind.ROOM, "end")
    with stage.changes.subscribe() as changes:
        stream = aiter(changes)
        with stage.hub.changes({device.id}) as hub_changes:
            for _ in range(2):
                await stage.claims.claim(device.id, LOI_ROOM.id, rights=OWNER, actor="lan")
                assert await kept_in(stage, device.id) == LOI_ROOM.id
                assert {await anext(stream) for _ in both} == both
            await anext(hub_changes)  # it has gone round: nothing follows
            stage.changes.publish(end.kind, end.id)
            assert await anext(stream) == end
        for _ in range(2):
            await stage.claims.release(device.id, rights=OWNER, actor="lan")
        assert await kept_in(stage, device.id) is None
        assert {await anext(stream) for _ in both} == both
    room = {"room": LOI_ROOM.id}
    assert await recorded(stage) == [("device.claim", None, room), ("device.release", room, None)]


async def test_what_cannot_be_recorded_has_not_happened_and_may_be_tried_again(
    stage: Stage, device: NativeDevice
) -> None:
    claims = stage.claims
    with pytest.raises(InvalidValue):
        await claims.claim(device.id, LOI_ROOM.id, rights=OWNER, actor=UNRECORDABLE)
    assert await kept_in(stage, device.id) is None
    with pytest.raises(InvalidValue):
        await claims.forget(device.id, rights=OWNER, actor=UNRECORDABLE)
    await claims.claim(device.id, LOI_ROOM.id, rights=OWNER, actor="lan")
    with pytest.raises(InvalidValue):
        await claims.release(device.id, rights=OWNER, actor=UNRECORDABLE)
    assert await kept_in(stage, device.id) == LOI_ROOM.id
    await claims.release(device.id, rights=OWNER, actor="lan")
    assert await kept_in(stage, device.id) is None


async def test_only_those_who_equip_a_school_move_its_devices_and_only_into_its_rooms(
    stage: Stage, device: NativeDevice
) -> None:
    claim = stage.claims.claim
    with pytest.raises(Forbidden):
        await claim(device.id, LOI_ROOM.id, rights=rights(stage, Role.TEACHER, LOI), actor="a")
    with pytest.raises(HiddenObject):
        await claim(device.id, LOI_ROOM.id, rights=rights(stage, Role.TECHNICIAN, XUAN), actor="a")
    with pytest.raises(HiddenObject):
        await claim(device.id, XUAN_ROOM.id, rights=rights(stage, Role.TECHNICIAN, LOI), actor="a")
    with pytest.raises(DeviceOfAnotherSchool):
        await claim(device.id, XUAN_ROOM.id, rights=OWNER, actor="a")
    assert (await kept_in(stage, device.id), await recorded(stage)) == (None, [])
    await claim(device.id, LOI_ROOM.id, rights=rights(stage, Role.TECHNICIAN, LOI), actor="a")


async def test_a_device_that_takes_its_description_back_while_it_is_claimed_stays_as_missing(
    stage: Stage, device: NativeDevice
) -> None:
    async with stage.store.transaction():  # the claim waits for its turn to write
        claiming = asyncio.create_task(stage.claims.claim(device.id, LOI_ROOM.id, rights=OWNER, actor="lan"))
        await device.say("desc", b"")
        await until(stage.hub, lambda: not list(stage.hub.devices()))
    await claiming
    assert await kept_in(stage, device.id) == LOI_ROOM.id
    assert stage.hub.availability(device.id)[0] is not Availability.ONLINE


async def test_a_forgotten_device_is_gone_and_one_in_a_room_is_not_forgotten(
    stage: Stage, device: NativeDevice
) -> None:
    claims = stage.claims
    await claims.claim(device.id, LOI_ROOM.id, rights=OWNER, actor="lan")
    with pytest.raises(DeviceInUse):
        await claims.forget(device.id, rights=OWNER, actor="lan")
    await claims.release(device.id, rights=OWNER, actor="lan")
    await claims.forget(device.id, rights=OWNER, actor="lan")
    assert [each async for each in stage.store.devices.all()] == []
    with pytest.raises(DeviceNotFound):
        stage.hub.device(device.id)
    assert (await recorded(stage))[-1][0] == "device.delete"


async def test_a_command_is_recorded_with_its_end_and_refused_outside_rooms(stage: Stage, device: NativeDevice) -> None:
    async with running(device.follow()):
        with pytest.raises(DeviceNotClaimed):
            await stage.claims.command(device.id, POWER, "on", timeout=LATER, rights=OWNER, actor="lan")
        await stage.put(LOI_ROOM, device.id)
        result = await stage.claims.command(device.id, POWER, "on", timeout=LATER, rights=OWNER, actor="lan")
    assert result.state is CommandState.CONFIRMED
    [entry] = [each for each in await stage.store.audit.list() if each.action == "device.command"]
    assert (entry.actor, entry.after) == ("lan", result.to_json())
