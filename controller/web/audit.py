"""The audit log, for administrators: what concerns their organisations and their people."""

import base64
import binascii
from collections.abc import Mapping

from rooms.people.account import Account, AccountId
from rooms.people.errors import Forbidden
from rooms.people.rights import Right
from controller.web.call import Call
from controller.web.errors import InvalidRequest
from controller.web.models.audit import AuditActorJson, AuditEntryJson, AuditJson, AuditAboutJson, AuditQuery
from controller.web.route import Routes
from rooms.audit import AuditEntry, AuditFilter

routes = Routes("audit")

PAGE = 50


@routes("GET", "/audit", problems=(403,))
async def list_audit(call: Call, query: AuditQuery) -> AuditJson:
    """Who did what in the organisations that I administer, and what was refused to whom; the newest first."""
    mine = call.rights.organisations(Right.ADMINISTER)
    if not mine:
        raise Forbidden(f"needs the right to {Right.ADMINISTER.value}")
    wanted = AuditFilter(
        actor=query.actor, action=query.action, start=query.start, end=query.end, organisations=frozenset(mine)
    )
    before = None if query.cursor is None else _read(query.cursor)
    page = await call.services.store.audit.page(wanted, before=before, limit=PAGE)
    accounts = await call.services.people.accounts.with_ids({AccountId(id) for each in page.entries for id in _ids(each)})
    return AuditJson(
        entries=[_entry(each, accounts) for each in page.entries],
        next=None if page.next is None else _cursor(page.next),
    )


def _ids(entry: AuditEntry) -> tuple[str, ...]:
    return (entry.actor, entry.object_id) if entry.object_kind == "account" else (entry.actor,)


def _entry(entry: AuditEntry, accounts: Mapping[AccountId, Account]) -> AuditEntryJson:
    def name(id: str) -> str | None:
        account = accounts.get(AccountId(id))
        return None if account is None else account.display_name

    object_name = name(entry.object_id) if entry.object_kind == "account" else None
    return AuditEntryJson(
        at=entry.at,
        actor=AuditActorJson(id=entry.actor, name=name(entry.actor)),
        action=entry.action,
        about=AuditAboutJson(kind=entry.object_kind, id=entry.object_id, name=object_name),
        before=None if entry.before is None else dict(entry.before),
        after=None if entry.after is None else dict(entry.after),
    )


def _cursor(place: int) -> str:
    return base64.urlsafe_b64encode(str(place).encode()).decode().rstrip("=")


def _read(cursor: str) -> int:
    """Raises `InvalidRequest`."""
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
    except (binascii.Error, UnicodeDecodeError):
        text = ""
    if not text.isdecimal() or len(text) > 18:
        raise InvalidRequest((("/query/cursor", "is not the `next` of a page"),))
    return int(text)
