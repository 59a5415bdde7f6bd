"""One-time links: the first administrator's, and logins without a password."""

from collections.abc import Callable, Collection
from datetime import datetime, timedelta

from controller.ids import new_id
from controller.people.accounts import Accounts
from controller.people.logins import Logins, NewLogin
from controller.people.secret import hash_of, new_secret
from rooms.audit import AuditEntry
from rooms.errors import AlreadyExists
from rooms.people.account import Account, AccountId, Role, RoleAt
from rooms.people.errors import LinkNotFound, SetupDone
from rooms.people.login_link import RESET_LIFE, SETUP_LIFE, Link, LinkId, LinkKind
from rooms.school import Organisation
from store.people import PeopleStore
from store.store import Store

SETS_UP = frozenset({LinkKind.SETUP, LinkKind.RECOVERY})
INVALID = "this link is not valid any more"


class Links:
    """Makes links and lets their holders in. Wrong tokens count as attempts to log in from that address."""

    def __init__(
        self,
        store: Store,
        rows: PeopleStore,
        accounts: Accounts,
        logins: Logins,
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._rows = rows
        self._accounts = accounts
        self._logins = logins
        self._clock = clock

    async def setup_secret(self, *, forced: bool = False) -> str | None:
        """A new secret for `/setup#token=`, the older ones end; None where somebody can log in as administrator.

        `forced`: even then, for whoever owns the machine and not that account.
        """
        if not forced and await self._accounts.any_administrator():
            return None
        kind = LinkKind.RECOVERY if forced else LinkKind.SETUP
        return await self._add(kind, None, SETUP_LIFE, reusable=False, alone=True)

    async def reset_secret(self, account_id: AccountId) -> str:
        """As `login_secret`, once, for somebody who then chooses a password."""
        return await self.login_secret(account_id, life=RESET_LIFE)

    async def login_secret(self, account_id: AccountId, *, life: timedelta, reusable: bool = False) -> str:
        """A new secret for `/login#link=`: logs this account in, once, or until it expires where `reusable`."""
        return await self._add(LinkKind.LOGIN, account_id, life, reusable=reusable)

    async def check(self, kinds: Collection[LinkKind], secret: str, *, address: str) -> Link:
        """The link with that secret, if it is still good. Raises `LinkNotFound`, `TooManyAttempts`."""
        self._logins.count_attempt(address)
        link = await self._rows.link(kinds, hash_of(secret))
        if link is None or not link.usable(self._clock()):
            raise LinkNotFound(INVALID)
        self._logins.forgive(address)
        return link

    async def set_up(
        self, secret: str, first: Organisation, *, name: str, display_name: str, password: str, address: str
    ) -> Account:
        """Make the first organisation, if it is not there, and its administrator, who also operates all of it.

        Raises `LinkNotFound`, `InvalidAccount`, `AccountExists`.
        """
        link = await self.check(SETS_UP, secret, address=address)
        if link.kind is LinkKind.SETUP and await self._accounts.any_administrator():
            raise SetupDone("there is an administrator already")
        try:
            await self._store.organisations.add(first)
        except AlreadyExists:
            first = await self._store.organisations.get(first.id)  # from an attempt that failed half way, or of old
        else:
            await self._record_organisation(first)
        return await self._accounts.add(
            name=name,
            display_name=display_name,
            password=password,
            roles=[RoleAt(Role.ADMINISTRATOR, first.id)],
            operator=True,
            actor="setup",
            by_link=link.id,
        )

    async def log_in(
        self, secret: str, *, address: str, browser: str | None = None, replacing: str | None = None
    ) -> NewLogin:
        """Raises `LinkNotFound`, `TooManyAttempts`."""
        link = await self.check({LinkKind.LOGIN}, secret, address=address)
        if link.account_id is None or not await self._rows.use_link(link.id, self._clock()):
            raise LinkNotFound(INVALID)
        account = await self._accounts.get(link.account_id)
        return await self._logins.begin(account, address=address, browser=browser, replacing=replacing)

    async def _add(
        self, kind: LinkKind, account_id: AccountId | None, life: timedelta, *, reusable: bool, alone: bool = False
    ) -> str:
        secret, now = new_secret(), self._clock()
        link = Link(id=LinkId(new_id("k")), kind=kind, account_id=account_id, expires=now + life, reusable=reusable)
        await self._rows.add_link(link, hash_of(secret), now=now, alone=alone)
        return secret

    async def _record_organisation(self, each: Organisation) -> None:
        await self._store.audit.add(
            AuditEntry(
                at=self._clock(),
                actor="setup",
                action="organisation.add",
                object_kind="organisation",
                object_id=each.id,
                after={"kind": each.kind.value, "name": each.name, "province": each.province},
            )
        )
