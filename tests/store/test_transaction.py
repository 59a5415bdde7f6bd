"""What several repositories write is one transaction."""

from datetime import UTC, datetime

import pytest

from rooms.audit import AuditEntry
from rooms.errors import AlreadyExists
from rooms.room import Room
from store import Store
from tests.rooms.samples import XUAN, XUAN_ROOM, plant

ENTRY = AuditEntry(
    at=datetime(2026, 11, 29, tzinfo=UTC), actor="test", action="room.add", object_kind="room", object_id="r"
)


async def test_all_of_it_is_written_or_nothing(store: Store) -> None:
    await plant(store)
    rooms = await store.rooms.list({XUAN})

    async def record_and_fail() -> None:
        async with store.transaction() as tx:
            await tx.audit.add(ENTRY)
            await tx.rooms.add(XUAN_ROOM)

    with pytest.raises(AlreadyExists):
        await record_and_fail()
    assert await store.audit.list() == ()
    assert await store.rooms.list({XUAN}) == rooms


async def test_what_a_transaction_has_written_it_reads_and_others_do_once_it_ends(store: Store) -> None:
    await plant(store)
    new = Room(id=type(XUAN_ROOM.id)("new"), school_id=XUAN, name="New")
    async with store.transaction() as tx:
        await tx.rooms.add(new)
        await tx.audit.add(ENTRY)
        assert await tx.rooms.get(new.id) == new
        assert new not in await store.rooms.list({XUAN})
    assert await store.rooms.get(new.id) == new
    assert [each.action for each in await store.audit.list()] == ["room.add"]
