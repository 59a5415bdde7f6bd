"""`nhipcau audit`: what was done and refused, for whoever operates the installation; reads the database itself."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime

from controller.people.people import People
from rooms.audit import AuditEntry, AuditFilter
from rooms.page import Wanted
from rooms.people.account import AccountId
from store.store import Store


async def audit_lines(
    store: Store,
    people: People,
    *,
    actor: str | None,
    action: str | None,
    start: datetime | None,
    end: datetime | None,
    limit: int,
) -> list[str]:
    """The newest entries, the last of them last. `actor`: an account's name or id, or how the log names it."""
    named = await people.accounts.with_names([actor]) if actor else {}
    id = named[actor].id if actor in named else actor
    meant = AuditFilter(actor=id, action=action, start=start, end=end)
    page = await store.audit.page(meant, Wanted(limit=limit))
    ids = {AccountId(each) for entry in page.items for each in (entry.actor, entry.object_id)}
    names = {id: account.name for id, account in (await people.accounts.with_ids(ids)).items()}
    return [_line(entry, names) for entry in reversed(page.items)]


def read_moment(text: str) -> datetime:
    """A day or a moment as ISO 8601 writes it; this machine's time where it says no other. Raises `ValueError`."""
    return datetime.fromisoformat(text).astimezone(UTC)


def _line(entry: AuditEntry, names: Mapping[AccountId, str]) -> str:
    changes = [f"{word} {json.dumps(value, ensure_ascii=False)}" for word, value in _said(entry).items()]
    actor, object = (_named(id, names) for id in (entry.actor, entry.object_id))
    at = entry.at.astimezone().isoformat(timespec="seconds")
    return "  ".join([at, actor, entry.action, f"{entry.object_kind} {object}", *changes])


def _said(entry: AuditEntry) -> dict[str, object]:
    return {word: dict(value) for word, value in (("before", entry.before), ("after", entry.after)) if value}


def _named(id: str, names: Mapping[AccountId, str]) -> str:
    name = names.get(AccountId(id))
    return id if name is None else f"{name} ({id})"
