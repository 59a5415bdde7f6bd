from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

from rooms.audit import AuditEntry, AuditFilter
from rooms.page import Wanted
from rooms.school import OrganisationId
from store import Store
from tests.rooms.samples import LOI, MINUTE, NINE, XUAN

STARTED = AuditEntry(
    at=NINE,
    actor="a1",
    action="lesson.start",
    object_kind="lesson",
    object_id="lesson-1",
    before={"state": "scheduled", "sites": [1, None, {"deep": "đúng"}]},
    after={"state": "live"},
)
CLAIMED = AuditEntry(
    at=NINE + MINUTE, actor="a1", action="device.claim", object_kind="device", object_id="d1", after={}
)
ENDED = replace(STARTED, at=NINE + 2 * MINUTE, action="lesson.end", before={"state": "live"}, after=None)


async def test_entries_come_back_newest_first(store: Store) -> None:
    for entry in (STARTED, CLAIMED, ENDED):
        await store.audit.add(entry)
    assert await store.audit.list() == (ENDED, CLAIMED, STARTED)
    assert await store.audit.list(limit=2) == (ENDED, CLAIMED)
    assert await store.audit.list(object_kind="lesson") == (ENDED, STARTED)
    assert await store.audit.list(object_kind="lesson", object_id="lesson-2") == ()


async def test_pages_follow_one_another_whatever_is_added_meanwhile(store: Store) -> None:
    entries = [replace(STARTED, at=NINE + number * MINUTE) for number in range(7)]
    for entry in entries:
        await store.audit.add(entry)
    first = await store.audit.page(AuditFilter(), Wanted(limit=3))
    await store.audit.add(ENDED)
    second = await store.audit.page(AuditFilter(), Wanted(limit=3, after=first.next))
    last = await store.audit.page(AuditFilter(), Wanted(limit=3, after=second.next))
    assert [*first.items, *second.items, *last.items] == entries[::-1]
    assert last.next is None


async def test_entries_are_found_by_time_actor_and_action(store: Store) -> None:
    other = replace(CLAIMED, actor="a_")
    for entry in (STARTED, other, ENDED):
        await store.audit.add(entry)

    async def found(**wanted: Any) -> tuple[AuditEntry, ...]:
        return (await store.audit.page(AuditFilter(**wanted), Wanted(limit=9))).items

    assert await found(actor="a1") == (ENDED, STARTED)
    assert await found(action="lesson.") == (ENDED, STARTED)
    assert await found(action="lesson%") == ()
    assert await found(start=NINE + MINUTE, end=NINE + 2 * MINUTE) == (other,)


async def test_administrators_read_what_concerns_their_organisation(schools: Store) -> None:
    """Also of what is gone since: who may read it is kept with the entry."""
    room = (await schools.rooms.list([XUAN]))[0]
    edited = replace(STARTED, object_kind="room", object_id=room.id)
    unpaired = replace(STARTED, object_kind="display", object_id="gone", before={"room": room.id}, after=None)
    deleted = replace(STARTED, object_kind="device", object_id="gone", before={"school": XUAN}, after=None)
    account = replace(STARTED, object_kind="account", object_id="a2", organisations=frozenset({LOI}))
    drained = replace(STARTED, object_kind="node", object_id="bridge-0")
    for entry in (edited, unpaired, deleted, account, drained):
        await schools.audit.add(entry)

    async def read_by(*organisations: OrganisationId) -> tuple[AuditEntry, ...]:
        wanted = AuditFilter(organisations=frozenset(organisations))
        return (await schools.audit.page(wanted, Wanted(limit=9))).items

    assert await read_by(XUAN) == (deleted, unpaired, edited)
    assert await read_by(LOI) == (replace(account, organisations=frozenset()),)
    assert len(await read_by(XUAN, LOI)) == 4
    assert await read_by() == ()


async def test_what_is_old_is_forgotten(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("store.audit.REMOVED_AT_ONCE", 2)
    for number in range(6):
        await store.audit.add(replace(STARTED, at=NINE + number * MINUTE, organisations=frozenset({XUAN})))
    assert await store.audit.forget(NINE + 5 * MINUTE) == 5
    assert [entry.at for entry in await store.audit.list()] == [NINE + 5 * MINUTE]
    async with store.reading() as db:
        assert await db.scalar(text("SELECT count(*) FROM audit_readers")) == 1
