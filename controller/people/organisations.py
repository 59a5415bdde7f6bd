"""Schools and departments: added, renamed."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from controller.audit_lines import AuditLines
from controller.broker.school_logins import MqttLogins
from controller.changes import ChangeKind
from controller.people.accounts import Accounts
from devices.changes import Changes
from rooms.organisation_tree import OrganisationTree
from rooms.people.account import AccountId, Role, RoleAt
from rooms.people.rights import Right, Rights
from rooms.school import Organisation, OrganisationId, OrganisationKind, check_parent, ids_from
from store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOrganisation:
    """`id` None: one is made of the name; `parent` None: at the top of the tree."""

    kind: OrganisationKind
    name: str
    province: str
    id: OrganisationId | None = None
    parent: OrganisationId | None = None

    def named(self, tree: OrganisationTree) -> Organisation:
        """With an id that none has, or the one that was given."""
        return Organisation(
            id=self.id or _free_id(tree, self.name),
            parent_id=self.parent,
            kind=self.kind,
            name=self.name,
            province=self.province,
        )


class Organisations:
    """What people and programs do with organisations."""

    def __init__(
        self, store: Store, accounts: Accounts, logins: MqttLogins, changes: Changes, *, clock: Callable[[], datetime]
    ) -> None:
        self._store = store
        self._accounts = accounts
        self._logins = logins
        self._changes = changes
        self._lines = AuditLines("organisation", clock)

    async def add(
        self, new: NewOrganisation, *, rights: Rights, actor: str, administrator: AccountId | None = None
    ) -> Organisation:
        """Add a school or a department below a department. At the top: operators; `administrator` becomes its own.

        Raises `HiddenObject`, `Forbidden`, `OrganisationNotFound`, `AlreadyExists`; `InvalidValue` below a school.
        """
        rights.require_addition(new.parent)
        async with self._store.transaction() as tx:
            if new.parent is not None:
                check_parent(tx.tree.get(new.parent))
            added = new.named(tx.tree)
            await self.write(tx, added, actor=actor)
            if administrator is not None:
                role = RoleAt(Role.ADMINISTRATOR, added.id)
                await self._accounts.write_grant(tx, administrator, role, actor=actor)
        await self.follow(added, actor=actor)
        return added

    async def rename(
        self,
        id: OrganisationId,
        *,
        name: str | None,
        province: str | None,
        rights: Rights,
        actor: str,
    ) -> Organisation:
        """None: stays as it is. Its id stays: devices and links have it. Raises `HiddenObject`, `Forbidden`."""
        rights.require(Right.ADMINISTER, id, "organisation", id)
        async with self._store.transaction() as tx:
            before = await tx.organisations.get(id)
            after = replace(
                before,
                name=before.name if name is None else name,
                province=before.province if province is None else province,
            )
            if after != before:
                await tx.organisations.rename(after)
                said = (_summary(before), _summary(after))
                await tx.audit.add(self._lines.entry(actor, "organisation.edit", id, before=said[0], after=said[1]))
        return after

    async def write(self, tx: Store, added: Organisation, *, actor: str) -> None:
        """As part of what `tx` does; `follow` once it is done. Raises `AlreadyExists`, `OrganisationNotFound`."""
        await tx.organisations.add(added)
        await tx.audit.add(self._lines.entry(actor, "organisation.add", added.id, after=_summary(added)))

    async def follow(self, added: Organisation, *, actor: str) -> None:
        """A new school has a corner of the broker; and the actor's rights reach there, too."""
        if added.kind is OrganisationKind.SCHOOL:
            await self._logins.school_added()
        self._changes.publish(ChangeKind.ACCOUNT, actor)


def _free_id(tree: OrganisationTree, name: str) -> OrganisationId:
    """An id for a new organisation, made of its name, that none has."""
    return next(each for each in ids_from(name) if each not in tree)


def _summary(each: Organisation) -> dict[str, object]:
    return {"kind": each.kind.value, "name": each.name, "province": each.province, "parent": each.parent_id}
