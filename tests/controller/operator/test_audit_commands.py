"""The audit log at a shell."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from controller.operator.audit_commands import audit_lines, read_moment
from controller.people.password import Passwords
from controller.people.people import People
from rooms.audit import AuditEntry
from rooms.people.rights import OWNER
from store import open_store
from testing.clock import Clock

NOW = datetime(2026, 3, 2, 7, tzinfo=UTC)


@pytest.fixture
def url(tmp_path: object) -> str:
    return f"sqlite:///{tmp_path}/audit.db"


async def test_lines_name_people_and_say_what_changed(url: str) -> None:
    async with open_store(url) as store:
        people = People.over(store, clock=Clock(NOW), passwords=Passwords())
        lan = await people.accounts.add(
            name="lan", display_name="Cô Lan", roles=[], rights=OWNER, actor="operator root"
        )
        ended = AuditEntry(
            at=NOW, actor=lan.id, action="lesson.end", object_kind="lesson", object_id="l1", before={"a": "đ"}
        )
        await store.audit.add(ended)
        await store.audit.add(replace(ended, action="refused.login-failed", actor="network 192.0.2.1", before=None))

        async def lines(**wanted: str) -> list[str]:
            given: dict[str, str | None] = {"actor": None, "action": None, **wanted}
            return await audit_lines(
                store, people, actor=given["actor"], action=given["action"], start=None, end=None, limit=100
            )

        at = NOW.astimezone().isoformat(timespec="seconds")
        added, done, refused = await lines()
        assert added.startswith(f"{at}  operator root  account.add  account lan ({lan.id})  after ")
        assert done == f'{at}  lan ({lan.id})  lesson.end  lesson l1  before {{"a": "đ"}}'
        assert refused == f"{at}  network 192.0.2.1  refused.login-failed  lesson l1"
        assert await lines(actor="lan") == [done] == await lines(actor=lan.id)
        assert await lines(action="refused.") == [refused]


def test_a_day_is_that_of_this_machine() -> None:
    assert read_moment("2026-11-29T07:00+07:00") == datetime(2026, 11, 29, tzinfo=UTC)
    assert read_moment("2026-11-29") == datetime(2026, 11, 29).astimezone(UTC)  # noqa: DTZ001 - this machine's time
    with pytest.raises(ValueError, match="yesterday"):
        read_moment("yesterday")
