"""Accounts: adding them, finding them, checking their passwords, and what they may do."""

from collections.abc import Callable, Collection, Iterable
from datetime import datetime

from controller.ids import new_id
from controller.people.account import Account, AccountId, Role, RoleAt
from controller.people.errors import AccountNotFound, LoginFailed
from controller.people.link import LinkId
from controller.people.password import Passwords
from controller.people.rights import Rights
from controller.people.store import PeopleStore
from rooms.audit import AuditEntry
from rooms.school import OrganisationId
from rooms.store.store import Store


class Accounts:
    """The people of all organisations of this database."""

    def __init__(self, store: Store, rows: PeopleStore, passwords: Passwords, *, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._rows = rows
        self._passwords = passwords
        self._clock = clock

    async def add(
        self,
        *,
        name: str,
        display_name: str,
        roles: Iterable[RoleAt],
        actor: str,
        password: str | None = None,  # None: logs in by link or token only
        language: str = "vi",
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
        )
        hashed = None if password is None else await self._passwords.hash(password)
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

    async def list(self, organisation_ids: Collection[OrganisationId]) -> tuple[Account, ...]:
        """Accounts with a role at one of these, by name."""
        return await self._rows.accounts(organisation_ids)

    async def holding(self, roles: Collection[Role], organisation_id: OrganisationId) -> tuple[Account, ...]:
        """Accounts with one of these roles at just this organisation, by name."""
        return await self._rows.accounts_holding(roles, organisation_id)

    async def grant(self, account_id: AccountId, role: RoleAt, *, actor: str) -> Account:
        """Raises `AccountNotFound`."""
        before = await self._rows.account(account_id)
        await self._rows.grant(account_id, role)
        after = await self._rows.account(account_id)
        await self._record(actor, "account.grant", after, before=_summary(before), after=_summary(after))
        return after

    async def set_password(self, account_id: AccountId, password: str, *, actor: str) -> None:
        """Ends all logins of the account. Raises `AccountNotFound`, `InvalidAccount`."""
        account = await self._rows.account(account_id)
        await self._rows.set_password(account_id, await self._passwords.hash(password), end_logins=True)
        await self._record(actor, "account.password", account, before={}, after={})

    async def checked(self, name: str, password: str) -> Account:
        """The account of that name and password. Raises `LoginFailed`, after the same time for any reason."""
        found = await self._rows.account_named(name)
        account, stored = found or (None, None)
        if not await self._passwords.verify(stored, password) or account is None or stored is None:
            raise LoginFailed("the name or the password is wrong")
        if self._passwords.outdated(stored):
            await self._rows.set_password(account.id, await self._passwords.hash(password), end_logins=False)
        return account

    async def any_administrator(self) -> bool:
        return await self._rows.any_administrator()

    async def rights(self, account: Account) -> Rights:
        """What the account may do, in the tree of organisations as it is now."""
        return Rights.of(account, await self._store.organisations.list())

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
            )
        )


def _summary(account: Account) -> dict[str, object]:
    return {
        "name": account.name,
        "roles": [{"role": each.role.value, "organisation": each.organisation_id} for each in account.roles],
    }
