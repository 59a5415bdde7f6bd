"""Accounts: adding them, finding them, checking their passwords, and what they may do."""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from controller.audit_lines import AuditLines
from controller.ids import new_id
from controller.people.password import Match, Passwords
from controller.people.throttle import Throttle
from rooms.audit import AuditEntry
from rooms.page import Page, Wanted
from rooms.people.account import Account, AccountId, Identity, Language, LoginId, Role, RoleAt
from rooms.people.errors import AccountNotFound, LoginFailed, WrongPassword
from rooms.people.rights import Right, Rights
from rooms.school import OrganisationId
from store.people import PeopleStore
from store.store import Store


@dataclass(frozen=True, slots=True)
class NewAccount:
    """One that is not written yet."""

    account: Account
    password_hash: str | None = field(repr=False)


class _Change:
    """An account in a transaction that changes it."""

    def __init__(self, rows: PeopleStore, before: Account) -> None:
        self.rows = rows
        self.before = before
        self.after = before


class Accounts:
    """The people of all organisations of this database. `changed` is called when somebody lost or got something."""

    def __init__(
        self,
        store: Store,
        passwords: Passwords,
        *,
        clock: Callable[[], datetime],
        changed: Callable[[AccountId], None],
    ) -> None:
        self._store = store
        self._rows = store.people
        self._passwords = passwords
        self._clock = clock
        self._lines = AuditLines("account", clock)
        self._changed = changed
        self._own = Throttle(burst=5, interval=timedelta(seconds=30), clock=clock)

    async def add(
        self,
        *,
        name: str,
        display_name: str,
        roles: Iterable[RoleAt],
        rights: Rights,
        actor: str,
        password: str | None = None,  # None: logs in by link or token only
        given: bool = False,  # somebody else chose the password
        language: Language = Language.VI,
    ) -> Account:
        """Raises `HiddenObject`, `Forbidden`, `InvalidAccount`, `AccountExists`."""
        held = tuple(sorted(set(roles), key=lambda each: (each.organisation_id, each.role)))
        for each in held:
            rights.require(Right.ADMINISTER, each.organisation_id, "organisation", each.organisation_id)
        new = await self.new(name=name, display_name=display_name, password=password, given=given, language=language)
        account = replace(new.account, roles=held)
        async with self._store.transaction() as tx:
            await self.write(tx, replace(new, account=account), actor=actor)
        return account

    async def new(
        self,
        *,
        name: str,
        display_name: str,
        password: str | None,
        given: bool = False,
        language: Language = Language.VI,
    ) -> NewAccount:
        """An account without roles to be written. Raises `InvalidAccount`."""
        account = Account(
            id=AccountId(new_id("a")),
            name=name,
            display_name=display_name,
            language=language,
            created=self._clock(),
            password_given=given,
        )
        hashed = None if password is None else await self._passwords.hash(password, names=_names(account))
        return NewAccount(account, hashed)

    async def write(self, tx: Store, new: NewAccount, *, actor: str) -> None:
        """As part of what `tx` does. Raises `AccountExists`."""
        await tx.people.add_account(new.account, new.password_hash)
        await tx.audit.add(self._entry(actor, "account.add", new.account, after=_summary(new.account)))

    async def get(self, account_id: AccountId) -> Account:
        """Raises `AccountNotFound`."""
        return await self._rows.account(account_id)

    async def named(self, name: str) -> Account:
        """Raises `AccountNotFound`."""
        found = await self._rows.account_named(name)
        if found is None:
            raise AccountNotFound(f"no account is named {name!r}")
        return found[0]

    async def with_names(self, names: Collection[str]) -> dict[str, Account]:
        """Those of these names that there are, by name."""
        return {each.name: each for each in await self._rows.accounts_where(names=names)}

    async def with_ids(self, ids: Collection[AccountId]) -> dict[AccountId, Account]:
        """Those of these that there are, by id."""
        return {each.id: each for each in await self._rows.accounts_where(ids=ids)}

    async def page(self, wanted: Wanted, organisation_ids: Collection[OrganisationId] | None = None) -> Page[Account]:
        """Accounts with a role at one of these, at any where None; by their displayed names."""
        return await self._rows.page(wanted, organisation_ids)

    async def holding(
        self, roles: Collection[Role], organisation_ids: Collection[OrganisationId]
    ) -> dict[OrganisationId, list[Account]]:
        """By organisation, accounts with one of these roles at just that one that are let in, by displayed name."""
        return await self._rows.accounts_holding(roles, organisation_ids)

    async def all(self) -> tuple[Account, ...]:
        """Of the whole database, by name."""
        return await self._rows.all_accounts()

    async def grant(self, account_id: AccountId, role: RoleAt, *, rights: Rights, actor: str) -> Account:
        """Raises `AccountNotFound`, `HiddenObject`, `Forbidden`, `OrganisationNotFound`."""
        await self._permit_role(account_id, role, rights)
        self._store.tree.get(role.organisation_id)
        async with self._changing("account.grant", account_id, actor) as change:
            await change.rows.grant(account_id, role)
        return change.after

    async def write_grant(self, tx: Store, account_id: AccountId, role: RoleAt, *, actor: str) -> None:
        """As part of what `tx` does. Raises `AccountNotFound`."""
        async with self._changing_in(tx, "account.grant", account_id, actor) as change:
            await change.rows.grant(account_id, role)

    async def take(self, account_id: AccountId, role: RoleAt, *, rights: Rights, actor: str) -> Account:
        """The role is not held any more.

        Raises `AccountNotFound`, `HiddenObject`, `Forbidden`, `OnlyRole`, `LastAdministrator`.
        """
        account = await self._permit_role(account_id, role, rights)
        above = self.rights(account).administered_from(role.organisation_id)
        async with self._changing("account.take", account_id, actor) as change:
            await change.rows.take(account_id, role, administered_from=above)
        return change.after

    async def edit(
        self, account_id: AccountId, *, display_name: str | None, language: Language | None, rights: Rights, actor: str
    ) -> Account:
        """None: stays as it is. Raises `AccountNotFound`, `HiddenObject`, `Forbidden`, `InvalidAccount`."""
        await self._permit(account_id, rights)
        async with self._changing("account.edit", account_id, actor) as change:
            before = change.before
            await change.rows.edit(
                replace(
                    before,
                    display_name=display_name or before.display_name,
                    language=language or before.language,
                )
            )
        return change.after

    async def suspend(self, account_id: AccountId, *, rights: Rights, actor: str, forced: bool = False) -> Account:
        """Nobody is let in by it until it is resumed.

        Raises `AccountNotFound`, `HiddenObject`, `Forbidden`; `LastAdministrator` unless `forced`.
        """
        account = await self._permit(account_id, rights)
        own = self.rights(account)
        held = [each.organisation_id for each in account.roles if each.role is Role.ADMINISTRATOR and not forced]
        kept = [own.administered_from(each) for each in held]
        async with self._changing("account.suspend", account_id, actor) as change:
            await change.rows.suspend(account_id, self._clock(), administered_from=kept)
        return change.after

    async def resume(self, account_id: AccountId, *, rights: Rights, actor: str) -> Account:
        """Raises `AccountNotFound`, `HiddenObject`, `Forbidden`."""
        await self._permit(account_id, rights)
        async with self._changing("account.resume", account_id, actor) as change:
            await change.rows.resume(account_id)
        return change.after

    async def set_operator(self, account_id: AccountId, operator: bool, *, actor: str) -> Account:
        """At the shell of this machine only. Raises `AccountNotFound`."""
        async with self._changing("account.operator", account_id, actor) as change:
            await change.rows.set_operator(account_id, operator)
        return change.after

    async def set_password(self, account_id: AccountId, password: str, *, rights: Rights, actor: str) -> None:
        """One that somebody else chose, and the person then replaces. Ends all logins, and older links.

        Raises `AccountNotFound`, `HiddenObject`, `Forbidden`, `InvalidAccount`.
        """
        account = await self._permit(account_id, rights)
        hashed = await self._passwords.hash(password, names=_names(account))
        async with self._store.transaction() as tx:
            await self.write_password(tx, account, hashed, given=True, actor=actor)
        self._changed(account_id)

    async def remove_password(
        self, account_id: AccountId, *, rights: Rights, actor: str, then: Callable[[Store], Awaitable[None]]
    ) -> None:
        """As `set_password`: none, so that what `then` writes in the same transaction lets the person in."""
        account = await self._permit(account_id, rights)
        async with self._store.transaction() as tx:
            await self.write_password(tx, account, None, given=True, actor=actor)
            await then(tx)
        self._changed(account_id)

    async def write_password(
        self,
        tx: Store,
        account: Account,
        password_hash: str | None,
        *,
        given: bool,
        actor: str,
        keeping: LoginId | None = None,
    ) -> None:
        """As part of what `tx` does; ends all logins but `keeping`."""
        await tx.people.set_password(account.id, password_hash, given=given, keeping=keeping)
        await tx.audit.add(self._entry(actor, "account.password", account, before={}, after={"given": given}))

    async def change_own_password(self, identity: Identity, current: str | None, password: str) -> None:
        """The person's own choice; this login goes on, the others end.

        `current` may be left out by whoever was just let in by a password or link that was given to them.
        Raises `WrongPassword`, `TooManyAttempts`, `LoginsBusy`, `InvalidAccount`.
        """
        account = identity.account
        if not identity.unsettled:
            self._own.attempt(account.id)
            found = await self._rows.account_named(account.name)
            if found is None or await self._passwords.verify(found[1], current or "") is Match.NO:
                raise WrongPassword("this is not the password until now")
            self._own.forgive(account.id)
        hashed = await self._passwords.hash(password, names=_names(account))
        async with self._store.transaction() as tx:
            await self.write_password(tx, account, hashed, given=False, actor=account.id, keeping=identity.login_id)
        self._changed(account.id)

    async def checked(self, name: str, password: str, *, first: bool = False) -> Account:
        """The account of that name and password. Raises `LoginFailed`, after the same time for any reason.

        `first`: of all whose passwords wait to be checked. Raises `LoginsBusy`.
        """
        found = await self._rows.account_named(name)
        account, stored = found or (None, None)
        match = await self._passwords.verify(stored, password, first=first)
        if match is Match.NO or account is None or account.suspended is not None:
            raise LoginFailed("the name or the password is wrong", name)
        if match is Match.OUTDATED and self._passwords.idle:  # else at another login, when nobody waits
            await self._rows.renew_hash(account.id, await self._passwords.renewed(password))
        return account

    async def any_administrator(self) -> bool:
        return await self._rows.any_administrator()

    def rights(self, account: Account) -> Rights:
        """What the account may do, in the tree of organisations as it is whenever that is asked."""
        return Rights.of(account, self._store.tree)

    async def holder(self, client: str) -> Account | None:
        """Whose login or token `Identity.client` names; None: it has ended, or lets nobody in now."""
        return await self._rows.holder(client, self._clock())

    async def own_or_permitted(self, account_id: AccountId, rights: Rights, actor: str) -> Account:
        """The actor's own account, or one of a person they look after.

        Raises `AccountNotFound`, `HiddenObject`, `Forbidden`.
        """
        return await (self.get(account_id) if actor == account_id else self._permit(account_id, rights))

    async def _permit(self, account_id: AccountId, rights: Rights) -> Account:
        account = await self._rows.account(account_id)
        rights.require_person(account)
        return account

    async def _permit_role(self, account_id: AccountId, role: RoleAt, rights: Rights) -> Account:
        account = await self._rows.account(account_id)
        rights.require_account(account)
        rights.require_role(account, role)
        return account

    @asynccontextmanager
    async def _changing(self, action: str, account_id: AccountId, actor: str) -> AsyncIterator[_Change]:
        """What the block writes to `rows` is recorded with it, and announced after it, where it changed something."""
        async with self._store.transaction() as tx, self._changing_in(tx, action, account_id, actor) as change:
            yield change
        if change.after != change.before:
            self._changed(account_id)

    @asynccontextmanager
    async def _changing_in(self, tx: Store, action: str, account_id: AccountId, actor: str) -> AsyncIterator[_Change]:
        change = _Change(tx.people, await tx.people.account(account_id))
        yield change
        before, after = change.before, await tx.people.account(account_id)
        change.after = after
        if after != before:
            entry = self._entry(actor, action, after, before=_summary(before), after=_summary(after))
            await tx.audit.add(entry)

    def _entry(
        self,
        actor: str,
        action: str,
        account: Account,
        *,
        before: dict[str, object] | None = None,
        after: dict[str, object],
    ) -> AuditEntry:
        """Administrators of all organisations where the account has a role may read it."""
        organisations = account.organisations
        return self._lines.entry(actor, action, account.id, before=before, after=after, organisations=organisations)


def _names(account: Account) -> tuple[str, str]:
    """What a password must not be made of."""
    return account.name, account.display_name


def _summary(account: Account) -> dict[str, object]:
    return {
        "name": account.name,
        "display_name": account.display_name,
        "operator": account.operator,
        "suspended": account.suspended is not None,
        "roles": [{"role": each.role.value, "organisation": each.organisation_id} for each in account.roles],
    }
