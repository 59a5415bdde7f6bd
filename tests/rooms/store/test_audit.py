from dataclasses import replace

from rooms.audit import AuditEntry
from rooms.store import Store
from tests.rooms.samples import MINUTE, NINE

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
