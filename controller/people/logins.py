"""Logins: kept on our side, known by a random secret in the browser's cookie, over after twelve hours."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from controller.ids import new_id
from controller.network import network_of
from controller.people.accounts import Accounts
from controller.people.browsers import Browsers
from controller.people.guesses import Guesses
from controller.people.secret import csrf_of, hash_of, new_secret
from controller.people.throttle import Throttle
from rooms.audit import AuditEntry
from rooms.people.account import Account, AccountId, Identity, LoginId, LoginView
from rooms.people.errors import LoginFailed, LoginNotFound, TooManyAttempts
from store.people import PeopleStore

log = logging.getLogger(__name__)

LOGIN_LIFE = timedelta(hours=12)


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
        rows: PeopleStore,
        accounts: Accounts,
        *,
        clock: Callable[[], datetime],
        changed: Callable[[AccountId], None],
    ) -> None:
        self._rows = rows
        self._accounts = accounts
        self._clock = clock
        self._browsers = Browsers(rows)
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
        self, account: Account, *, address: str, browser: str | None = None, replacing: str | None = None
    ) -> NewLogin:
        """A new login under a new secret, so that one planted in a browser before is worth nothing.

        Raises `LoginFailed` where the account was suspended, or its logins were ended, since it was read.
        """
        if replacing is not None:
            await self._end_secret(replacing, address)
        now = self._clock()
        secret, login_id = new_secret(), LoginId(new_id("l"))
        noted, network = await self._browsers.noted(browser, account.name), network_of(address)
        expires = now + LOGIN_LIFE
        entry = self._entry("login.begin", login_id, account, network)
        await self._rows.add_login(
            login_id, account, hash_of(secret), now=now, expires=expires, network=network, entry=entry
        )
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
        await self._rows.end_login(login_id, account_id, self._entry("login.end", login_id, account, network))
        log.info("account %s: logged out", account_id)
        self._changed(account_id)

    async def end_all(self, account_id: AccountId, *, actor: str, keeping: LoginId | None = None) -> None:
        """End every login of the account but `keeping`, and the links that would make new ones."""
        entry = self._entry("login.end_all", None, await self._accounts.get(account_id), None)
        await self._rows.end_logins(account_id, replace(entry, actor=actor), keeping=keeping)
        log.info("account %s: logged out everywhere%s", account_id, " else" if keeping else "")
        self._changed(account_id)

    def count_attempt(self, address: str) -> None:
        """Count an attempt to get in by a link or the like from `address`. Raises `TooManyAttempts`."""
        self._links.attempt(network_of(address))

    def forgive(self, address: str) -> None:
        """The attempt was right; failed ones from there still count, or one good login would cover many guesses."""
        self._links.refund(network_of(address))

    async def _end_secret(self, secret: str, address: str) -> None:
        old = await self._rows.login(hash_of(secret), self._clock())
        if old is not None:
            with suppress(LoginNotFound):  # somebody was quicker
                await self.end(old[0], old[2].id, address=address)

    def _entry(self, action: str, login_id: LoginId | None, account: Account, network: str | None) -> AuditEntry:
        said = {"login": login_id, "network": network}
        return AuditEntry(
            at=self._clock(),
            actor=account.id,
            action=action,
            object_kind="account",
            object_id=account.id,
            after={name: value for name, value in said.items() if value is not None},
            organisations=account.organisations,
        )


def _identity(secret: str, login_id: LoginId, expires: datetime, account: Account) -> Identity:
    return Identity(account=account, login_id=login_id, csrf=csrf_of(secret), expires=expires)
