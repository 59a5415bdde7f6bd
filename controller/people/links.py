"""One-time links: the first administrator's, and logins without a password."""

from collections.abc import Callable, Collection
from datetime import datetime, timedelta

from controller.ids import new_id
from controller.people.accounts import Accounts
from controller.people.logins import INVALID, Logins, NewLogin
from controller.people.secret import hash_of, new_secret
from rooms.people.account import AccountId
from rooms.people.errors import LinkNotFound
from rooms.people.login_link import RESET_LIFE, SETUP_LIFE, Link, LinkId, LinkKind
from rooms.people.rights import Rights
from store.store import Store

SETS_UP = frozenset({LinkKind.SETUP, LinkKind.RECOVERY})


class Links:
    """Makes links and lets their holders in. Wrong tokens count as attempts to log in from that address."""

    def __init__(
        self,
        store: Store,
        accounts: Accounts,
        logins: Logins,
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._rows = store.people
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

    async def reset(self, account_id: AccountId, *, rights: Rights, actor: str) -> str:
        """As `login_secret`, once, for somebody who forgot the password, which ends, and then chooses another.

        Ends all logins of the account, and older links. Raises `AccountNotFound`, `HiddenObject`, `Forbidden`.
        """
        secret, now = new_secret(), self._clock()
        link = Link(id=LinkId(new_id("k")), kind=LinkKind.LOGIN, account_id=account_id, expires=now + RESET_LIFE)

        async def add_link(tx: Store) -> None:
            await tx.people.add_link(link, hash_of(secret), now=now)

        await self._accounts.remove_password(account_id, rights=rights, actor=actor, then=add_link)
        return secret

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

    async def log_in(
        self, secret: str, *, address: str, browser: str | None = None, replacing: str | None = None
    ) -> NewLogin:
        """Raises `LinkNotFound`, `TooManyAttempts`."""
        link = await self.check({LinkKind.LOGIN}, secret, address=address)
        if link.account_id is None:
            raise LinkNotFound(INVALID)
        account = await self._accounts.get(link.account_id)
        return await self._logins.begin(account, address=address, browser=browser, replacing=replacing, by_link=link.id)

    async def _add(
        self, kind: LinkKind, account_id: AccountId | None, life: timedelta, *, reusable: bool, alone: bool = False
    ) -> str:
        secret, now = new_secret(), self._clock()
        link = Link(id=LinkId(new_id("k")), kind=kind, account_id=account_id, expires=now + life, reusable=reusable)
        await self._rows.add_link(link, hash_of(secret), now=now, alone=alone)
        return secret
