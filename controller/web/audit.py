"""The audit log, for administrators: what concerns their organisations and their people."""

from collections.abc import Mapping

from controller.web.call import Call
from controller.web.models.audit import AuditAboutJson, AuditActorJson, AuditEntryJson, AuditJson, AuditQuery
from controller.web.paging import rest, wanted
from controller.web.route import Routes
from rooms.audit import AuditEntry, AuditFilter
from rooms.people.account import Account, AccountId
from rooms.people.errors import Forbidden
from rooms.people.rights import Right

routes = Routes("audit")


@routes("GET", "/audit", problems=(403,))
async def list_audit(call: Call, query: AuditQuery) -> AuditJson:
    """Who did what in the organisations that I administer, and what was refused to whom; the newest first."""
    mine = call.rights.organisations(Right.ADMINISTER)
    if not mine:
        raise Forbidden(f"needs the right to {Right.ADMINISTER.value}")
    meant = AuditFilter(
        actor=query.actor, action=query.action, start=query.start, end=query.end, organisations=frozenset(mine)
    )
    page = await call.services.store.audit.page(meant, wanted(query, (int,)))
    accounts = await call.services.people.accounts.with_ids({AccountId(id) for each in page.items for id in _ids(each)})
    return AuditJson(entries=[_entry(each, accounts) for each in page.items], **rest(page))


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
