"""Logins: kept on our side, known by a random secret in the browser's cookie, over after twelve hours."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from controller.audit_lines import AuditLines
from controller.ids import new_id
from controller.network import network_of
from controller.people.accounts import Accounts
from controller.people.browsers import Browsers
from controller.people.guesses import Guesses
from controller.people.secret import csrf_of, hash_of, new_secret
from controller.people.throttle import Throttle
from rooms.audit import AuditEntry
from rooms.people.account import Account, AccountId, Identity, LoginId, LoginView
from rooms.people.errors import LinkNotFound, LoginFailed, LoginNotFound, TooManyAttempts
from rooms.people.login_link import LinkId
from rooms.people.rights import Rights
from store.store import Store

log = logging.getLogger(__name__)

LOGIN_LIFE = timedelta(hours=12)
INVALID = "this link is not valid any more"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewLogin:
    """A login that was just made; `secret` goes into the cookie and nowhere else, `browser` into one that lasts."""

    secret: str
    browser: str
    identity: Identity


class Logins:
    """Who is logged in. `Guesses` says what a wrong password costs; what else opens an account cannot be guessed.

    `changed`: as of `Accounts`.
    """

    def __init__(
        self,
        store: Store,
        accounts: Accounts,
        *,
        clock: Callable[[], datetime],
        changed: Callable[[AccountId], None],
    ) -> None:
        self._store = store
        self._rows = store.people
        self._accounts = accounts
        self._clock = clock
        self._lines = AuditLines("account", clock)
        self._browsers = Browsers(store.people)
        self._guesses = Guesses(clock=clock)
        self._links = Throttle(burst=100, interval=timedelta(seconds=1), clock=clock)
        self._changed = changed

    async def log_in(
        self, name: str, password: str, *, address: str, browser: str | None = None, replacing: str | None = None
    ) -> NewLogin:
        """`browser`: `NewLogin.browser` of one there before. `replacing`: the secret of a login that ends now.

        Raises `LoginFailed`, `TooManyAttempts`, `LoginsBusy`.
        """
        name = name.strip().lower()
        known = await self._browsers.knows(browser, name)
        try:
            with self._guesses.attempt(name, network_of(address), known) as wait:
                await asyncio.sleep(wait.total_seconds())
                account = await self._accounts.checked(name, password, first=known is not None)
        except LoginFailed as error:
            raise LoginFailed(str(error), name, widely=self._guesses.guessed(name)) from error
        except TooManyAttempts as error:
            raise TooManyAttempts(error.retry_after, name) from error
        return await self.begin(account, address=address, browser=browser, replacing=replacing)

    async def begin(
        self,
        account: Account,
        *,
        address: str,
        browser: str | None = None,
        replacing: str | None = None,
        by_link: LinkId | None = None,
    ) -> NewLogin:
        """A new login under a new secret, so that one planted in a browser before is worth nothing.

        With `by_link`, that link is used with it. Raises `LinkNotFound`; `LoginFailed` where the account was suspended,
        or its logins were ended, since it was read.
        """
        now = self._clock()
        secret, login_id = new_secret(), LoginId(new_id("l"))
        noted, network = await self._browsers.noted(browser, account.name), network_of(address)
        expires = now + LOGIN_LIFE
        async with self._store.transaction() as tx:
            # First: it locks the account, as whoever ends its logins and links does.
            await tx.people.add_login(login_id, account, hash_of(secret), now=now, expires=expires, network=network)
            if by_link is not None and not await tx.people.use_link(by_link, now):
                raise LinkNotFound(INVALID)
            ended = None if replacing is None else await self._end_secret(tx, replacing, network)
            await tx.audit.add(self._entry("login.begin", login_id, account, network))
        if ended is not None:
            self._changed(ended)
        log.info("account %s: logged in from %s", account.id, network)
        return NewLogin(secret=secret, browser=noted, identity=_identity(secret, login_id, expires, account))

    async def browser(self, cookie: str | None) -> str | None:
        """What tells the browser from others that has this cookie of a login there; None: no login was there."""
        return await self._browsers.id(cookie)

    async def noted(self, cookie: str | None, name: str) -> str:
        """The cookie that this browser shall have from now on, since `name` is at home there."""
        return await self._browsers.noted(cookie, name)

    async def find(self, secret: str) -> Identity | None:
        """Who has the cookie with that secret; None: nobody, or not any more."""
        found = await self._rows.login(hash_of(secret), self._clock())
        return None if found is None else _identity(secret, *found)

    async def list(self, account_id: AccountId) -> tuple[LoginView, ...]:
        """Those that are good still, the newest first."""
        return await self._rows.logins(account_id, self._clock())

    async def end(self, login_id: LoginId, account_id: AccountId, *, address: str | None = None) -> None:
        """Log out. `address`: from where, if a browser asked for it. Raises `LoginNotFound`."""
        account = await self._accounts.get(account_id)
        network = None if address is None else network_of(address)
        async with self._store.transaction() as tx:
            await tx.people.end_login(login_id, account_id)
            await tx.audit.add(self._entry("login.end", login_id, account, network))
        log.info("account %s: logged out", account_id)
        self._changed(account_id)

    async def end_all(
        self, account_id: AccountId, *, rights: Rights, actor: str, keeping: LoginId | None = None
    ) -> None:
        """End every login of the account but `keeping`, and the links that would make new ones: the actor's own too.

        Raises `AccountNotFound`, `HiddenObject`, `Forbidden`.
        """
        account = await self._accounts.own_or_permitted(account_id, rights, actor)
        entry = self._entry("login.end_all", None, account, None)
        async with self._store.transaction() as tx:
            await tx.people.end_logins(account_id, keeping=keeping)
            await tx.audit.add(replace(entry, actor=actor))
        log.info("account %s: logged out everywhere%s", account_id, " else" if keeping else "")
        self._changed(account_id)

    def count_attempt(self, address: str) -> None:
        """Count an attempt to get in by a link or the like from `address`. Raises `TooManyAttempts`."""
        self._links.attempt(network_of(address))

    def forgive(self, address: str) -> None:
        """The attempt was right; failed ones from there still count, or one good login would cover many guesses."""
        self._links.refund(network_of(address))

    async def _end_secret(self, tx: Store, secret: str, network: str) -> AccountId | None:
        """Whose login it was; None: it had ended."""
        old = await tx.people.login(hash_of(secret), self._clock())
        if old is None:
            return None
        login_id, _, account = old
        try:
            await tx.people.end_login(login_id, account.id)
        except LoginNotFound:  # somebody was quicker
            return None
        await tx.audit.add(self._entry("login.end", login_id, account, network))
        return account.id

    def _entry(self, action: str, login_id: LoginId | None, account: Account, network: str | None) -> AuditEntry:
        said = {"login": login_id, "network": network}
        after = {name: value for name, value in said.items() if value is not None}
        return self._lines.entry(account.id, action, account.id, after=after, organisations=account.organisations)


def _identity(secret: str, login_id: LoginId, expires: datetime, account: Account) -> Identity:
    return Identity(account=account, login_id=login_id, csrf=csrf_of(secret), expires=expires)
