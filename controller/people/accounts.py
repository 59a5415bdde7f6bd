"""Accounts: adding them, finding them, checking their passwords, and what they may do."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from controller.ids import new_id
from controller.people.password import Match, Passwords
from controller.people.throttle import Throttle
from rooms.audit import AuditEntry
from rooms.page import Page, Wanted
from rooms.people.account import Account, AccountId, Identity, LoginId, Role, RoleAt
from rooms.people.errors import AccountNotFound, LoginFailed, WrongPassword
from rooms.people.login_link import LinkId
from rooms.people.rights import Rights
from rooms.school import OrganisationId
from store.people import PeopleStore
from store.store import Store


class Accounts:
    """The people of all organisations of this database. `changed` is called when somebody lost or got something."""

    def __init__(
        self,
        store: Store,
        rows: PeopleStore,
        passwords: Passwords,
        *,
        clock: Callable[[], datetime],
        changed: Callable[[AccountId], None],
    ) -> None:
        self._store = store
        self._rows = rows
        self._passwords = passwords
        self._clock = clock
        self._changed = changed
        self._own = Throttle(burst=5, interval=timedelta(seconds=30), clock=clock)

    async def add(
        self,
        *,
        name: str,
        display_name: str,
        roles: Iterable[RoleAt],
        actor: str,
        password: str | None = None,  # None: logs in by link or token only
        given: bool = False,  # somebody else chose the password
        language: str = "vi",
        operator: bool = False,
        by_link: LinkId | None = None,
    ) -> Account:
        """With `by_link`, that link is used up with it. Raises `InvalidAccount`, `AccountExists`, `LinkNotFound`."""
        account = Account(
            id=AccountId(new_id("a")),
            name=name,
            display_name=display_name,
            language=language,
            roles=tuple(sorted(set(roles), key=lambda each: (each.organisation_id, each.role))),
            created=self._clock(),
            operator=operator,
            password_given=given,
        )
        hashed = None if password is None else await self._passwords.hash(password, names=_names(account))
        await self._rows.add_account(account, hashed, by_link=by_link)
        await self._record(actor, "account.add", account, after=_summary(account))
        return account

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

    async def grant(self, account_id: AccountId, role: RoleAt, *, actor: str) -> Account:
        """Raises `AccountNotFound`, `OrganisationNotFound`."""
        self._store.tree.get(role.organisation_id)
        before = await self._rows.account(account_id)
        await self._rows.grant(account_id, role)
        return await self._record_change("account.grant", before, actor)

    async def take(self, account_id: AccountId, role: RoleAt, *, actor: str) -> Account:
        """The role is not held any more. Raises `AccountNotFound`, `OnlyRole`, `LastAdministrator`."""
        before = await self._rows.account(account_id)
        above = self.rights(before).administered_from(role.organisation_id)
        await self._rows.take(account_id, role, administered_from=above)
        return await self._record_change("account.take", before, actor)

    async def edit(
        self, account_id: AccountId, *, display_name: str | None, language: str | None, actor: str
    ) -> Account:
        """None: stays as it is. Raises `AccountNotFound`, `InvalidAccount`."""
        before = await self._rows.account(account_id)
        after = replace(before, display_name=display_name or before.display_name, language=language or before.language)
        await self._rows.edit(after)
        return await self._record_change("account.edit", before, actor)

    async def suspend(self, account_id: AccountId, *, actor: str, forced: bool = False) -> Account:
        """Nobody is let in by it until it is resumed. Raises `AccountNotFound`; `LastAdministrator` unless `forced`."""
        before = await self._rows.account(account_id)
        rights = self.rights(before)
        held = [each.organisation_id for each in before.roles if each.role is Role.ADMINISTRATOR and not forced]
        kept = [rights.administered_from(each) for each in held]
        await self._rows.suspend(account_id, self._clock(), administered_from=kept)
        return await self._record_change("account.suspend", before, actor)

    async def resume(self, account_id: AccountId, *, actor: str) -> Account:
        """Raises `AccountNotFound`."""
        before = await self._rows.account(account_id)
        await self._rows.resume(account_id)
        return await self._record_change("account.resume", before, actor)

    async def set_operator(self, account_id: AccountId, operator: bool, *, actor: str) -> Account:
        """Raises `AccountNotFound`."""
        before = await self._rows.account(account_id)
        await self._rows.set_operator(account_id, operator)
        return await self._record_change("account.operator", before, actor)

    async def set_password(
        self, account_id: AccountId, password: str | None, *, actor: str, given: bool, keeping: LoginId | None = None
    ) -> None:
        """Another password; None: none, a link lets the person in. Ends all logins but `keeping`, and older links.

        `given`: somebody else chose it. Raises `AccountNotFound`, `InvalidAccount`.
        """
        account = await self._rows.account(account_id)
        hashed = None if password is None else await self._passwords.hash(password, names=_names(account))
        await self._rows.set_password(account_id, hashed, given=given, keeping=keeping)
        await self._record(actor, "account.password", account, before={}, after={"given": given})
        self._changed(account_id)

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
        await self.set_password(account.id, password, actor=account.id, given=False, keeping=identity.login_id)

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

    async def _record_change(self, action: str, before: Account, actor: str) -> Account:
        """The account as it is now, recorded and announced."""
        after = await self._rows.account(before.id)
        if after != before:
            await self._record(actor, action, after, before=_summary(before), after=_summary(after))
            self._changed(after.id)
        return after

    async def _record(
        self,
        actor: str,
        action: str,
        account: Account,
        *,
        before: dict[str, object] | None = None,
        after: dict[str, object] | None = None,
    ) -> None:
        await self._store.audit.add(
            AuditEntry(
                at=self._clock(),
                actor=actor,
                action=action,
                object_kind="account",
                object_id=account.id,
                before=before,
                after=after,
                organisations=account.organisations,
            )
        )


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
