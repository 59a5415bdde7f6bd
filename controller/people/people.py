"""All of people in one place, for those who are handed it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from controller.people.accounts import Accounts
from controller.people.links import Links
from controller.people.logins import Logins
from controller.people.password import Passwords
from controller.people.tokens import Tokens
from rooms.people.account import AccountId
from store.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """Accounts, their logins, links and API tokens, over one store."""

    accounts: Accounts
    logins: Logins
    links: Links
    tokens: Tokens

    @classmethod
    def over(
        cls,
        store: Store,
        *,
        clock: Callable[[], datetime],
        passwords: Passwords | None = None,
        changed: Callable[[AccountId], None] = lambda _: None,
    ) -> Self:
        """`changed` is called when an account lost or got something: a role, a login, a token, its way in."""
        accounts = Accounts(store, passwords or Passwords(), clock=clock, changed=changed)
        logins = Logins(store, accounts, clock=clock, changed=changed)
        return cls(
            accounts=accounts,
            logins=logins,
            links=Links(store, accounts, logins, clock=clock),
            tokens=Tokens(store, accounts, clock=clock, changed=changed),
        )
