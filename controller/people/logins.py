"""Logins: kept on our side, known by a random secret in the browser's cookie, over after twelve hours."""

import ipaddress
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from controller.ids import new_id
from controller.people.account import Account, AccountId, Identity, LoginId, LoginView
from controller.people.accounts import Accounts
from controller.people.errors import LoginNotFound
from controller.people.secret import csrf_of, hash_of, new_secret
from controller.people.store import PeopleStore
from controller.people.throttle import Throttle

log = logging.getLogger(__name__)

LOGIN_LIFE = timedelta(hours=12)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewLogin:
    """A login that was just made; `secret` goes into the cookie and nowhere else."""

    secret: str
    identity: Identity


class Logins:
    """Who is logged in. Failed attempts are limited by account and by address. `changed`: as of `Accounts`."""

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
        self._by_name = Throttle(burst=5, interval=timedelta(seconds=30), clock=clock)
        self._by_address = Throttle(burst=20, interval=timedelta(seconds=5), clock=clock)
        self._changed = changed

    async def log_in(self, name: str, password: str, *, address: str, replacing: str | None = None) -> NewLogin:
        """`replacing`: secret of the browser's login until now, which ends. Raises `LoginFailed`, `TooManyAttempts`."""
        name = name.strip().lower()
        self.count_attempt(address)
        self._by_name.attempt(name)
        account = await self._accounts.checked(name, password)
        self._by_name.forgive(name)
        self.forgive(address)
        return await self.begin(account, address=address, replacing=replacing)

    async def begin(self, account: Account, *, address: str, replacing: str | None = None) -> NewLogin:
        """A new login under a new secret, so that one planted in a browser before is worth nothing.

        Raises `LoginFailed` where the account was suspended, or its logins were ended, since it was read.
        """
        if replacing is not None:
            await self._end_secret(replacing)
        now = self._clock()
        secret, login_id = new_secret(), LoginId(new_id("l"))
        expires, network = now + LOGIN_LIFE, _network(address)
        await self._rows.add_login(login_id, account, hash_of(secret), now=now, expires=expires, network=network)
        log.info("account %s: logged in", account.id)
        return NewLogin(secret=secret, identity=_identity(secret, login_id, expires, account))

    async def find(self, secret: str) -> Identity | None:
        """Who has the cookie with that secret; None: nobody, or not any more."""
        found = await self._rows.login(hash_of(secret), self._clock())
        return None if found is None else _identity(secret, *found)

    async def list(self, account_id: AccountId) -> tuple[LoginView, ...]:
        """Those that are good still, the newest first."""
        return await self._rows.logins(account_id, self._clock())

    async def end(self, login_id: LoginId, account_id: AccountId) -> None:
        """Log out. Raises `LoginNotFound` where the account has no such login."""
        await self._rows.end_login(login_id, account_id)
        log.info("account %s: logged out", account_id)
        self._changed(account_id)

    async def end_all(self, account_id: AccountId, *, keeping: LoginId | None = None) -> None:
        """End every login of the account but `keeping`, and the links that would make new ones."""
        await self._rows.end_logins(account_id, keeping=keeping)
        log.info("account %s: logged out everywhere%s", account_id, " else" if keeping else "")
        self._changed(account_id)

    def count_attempt(self, address: str) -> None:
        """Count an attempt to get in from `address`. Raises `TooManyAttempts`."""
        self._by_address.attempt(_network(address))

    def forgive(self, address: str) -> None:
        """The attempt was right; failed ones from there still count, or one good login would cover many guesses."""
        self._by_address.refund(_network(address))

    async def _end_secret(self, secret: str) -> None:
        old = await self._rows.login(hash_of(secret), self._clock())
        if old is not None:
            with suppress(LoginNotFound):  # somebody was quicker
                await self.end(old[0], old[2].id)


def _identity(secret: str, login_id: LoginId, expires: datetime, account: Account) -> Identity:
    return Identity(account=account, login_id=login_id, csrf=csrf_of(secret), expires=expires)


def _network(address: str) -> str:
    """What one customer of a provider has: one IPv4 address, or a /64 of IPv6."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        return str(parsed.ipv4_mapped or ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)
