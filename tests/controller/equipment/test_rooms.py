"""What people do with rooms, on a real database."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from controller.changes import ChangeKind
from controller.config.model import sqlite_url
from controller.equipment.rooms import Rooms
from devices.changes import Change, Changes
from rooms.errors import InvalidValue, RoomInUse, RoomNotFound, VersionConflict
from rooms.people.rights import OWNER
from store import Store, open_store
from testing.clock import AheadClock
from tests.controller.stage import UNRECORDABLE
from tests.rooms.samples import LOI, XUAN, XUAN_OTHER, XUAN_ROOM, plant, projector


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with open_store(sqlite_url(tmp_path / "store.sqlite")) as store:
        await plant(store)
        yield store


@pytest.fixture
def changes() -> Changes:
    return Changes()


@pytest.fixture
def rooms(store: Store, changes: Changes) -> Rooms:
    return Rooms(store, changes, clock=AheadClock())


async def recorded(store: Store) -> list[tuple[str, object, object]]:
    return [(each.action, each.before, each.after) for each in reversed(await store.audit.list())]


async def test_rooms_are_added_renamed_and_deleted_with_a_record_and_one_announcement(
    store: Store, rooms: Rooms, changes: Changes
) -> None:
    with changes.subscribe() as told:
        stream = aiter(told)
        added = await rooms.add(LOI, "5B", rights=OWNER, actor="lan")
        renamed = await rooms.rename(added.id, "5C", expected_version=1, rights=OWNER, actor="lan")
        assert renamed == replace(added, name="5C", version=2)
        assert await anext(stream) == Change(ChangeKind.ROOM, added.id)
        await rooms.delete(added.id, rights=OWNER, actor="lan")
        assert await anext(stream) == Change(ChangeKind.ROOM, added.id)
    with pytest.raises(RoomNotFound):
        await store.rooms.get(added.id)
    assert await recorded(store) == [
        ("room.add", None, {"school": LOI, "name": "5B"}),
        ("room.edit", {"name": "5B"}, {"name": "5C"}),
        ("room.delete", {"school": LOI, "name": "5C"}, None),
    ]


async def test_what_cannot_be_recorded_has_not_happened(store: Store, rooms: Rooms) -> None:
    before = await store.rooms.list()
    with pytest.raises(InvalidValue):
        await rooms.add(LOI, "5B", rights=OWNER, actor=UNRECORDABLE)
    with pytest.raises(InvalidValue):
        await rooms.rename(XUAN_ROOM.id, "5C", expected_version=1, rights=OWNER, actor=UNRECORDABLE)
    with pytest.raises(InvalidValue):
        await rooms.delete(XUAN_ROOM.id, rights=OWNER, actor=UNRECORDABLE)
    assert (await store.rooms.list(), await recorded(store)) == (before, [])


async def test_a_room_that_others_changed_or_use_stays(store: Store, rooms: Rooms) -> None:
    await store.devices.save([projector(XUAN)])
    await store.devices.claim(projector(XUAN).device.id, XUAN_OTHER.id)
    with pytest.raises(VersionConflict):
        await rooms.rename(XUAN_ROOM.id, "5C", expected_version=7, rights=OWNER, actor="lan")
    with pytest.raises(RoomInUse):
        await rooms.delete(XUAN_OTHER.id, rights=OWNER, actor="lan")
    assert await recorded(store) == []
