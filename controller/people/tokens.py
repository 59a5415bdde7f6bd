"""API tokens: for programs, with the rights of the account they were made for."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from controller.ids import new_id
from controller.people.accounts import Accounts
from controller.people.secret import hash_of, new_secret
from rooms.audit import AuditEntry
from rooms.people.account import AccountId, Identity, TokenId, TokenView
from rooms.people.errors import InvalidAccount
from rooms.school import OrganisationId
from store.people import PeopleStore
from store.store import Store

DEFAULT_LIFE = timedelta(days=365)
LONGEST_LIFE = timedelta(days=730)
PREFIX = "nc_"  # so that a leaked token is recognised for what it is


class Tokens:
    """Makes, finds and revokes tokens; only their hash is kept. `changed`: as of `Accounts`."""

    def __init__(
        self,
        store: Store,
        rows: PeopleStore,
        accounts: Accounts,
        *,
        clock: Callable[[], datetime],
        changed: Callable[[AccountId], None],
    ) -> None:
        self._store = store
        self._rows = rows
        self._accounts = accounts
        self._clock = clock
        self._changed = changed

    async def create(
        self, account_id: AccountId, name: str, *, actor: str, life: timedelta = DEFAULT_LIFE
    ) -> tuple[TokenId, str]:
        """The id, and the token itself, which is not kept.

        Raises `AccountNotFound`; `InvalidAccount` where `life` is none, or longer than `LONGEST_LIFE`.
        """
        if not timedelta(0) < life <= LONGEST_LIFE:
            raise InvalidAccount(f"a token is good for 1 to {LONGEST_LIFE.days} days")
        account = await self._accounts.get(account_id)
        now = self._clock()
        token_id, secret = TokenId(new_id("t")), PREFIX + new_secret()
        await self._rows.add_token(token_id, account.id, name, hash_of(secret), now=now, expires=now + life)
        after = {"account": account.id, "name": name}
        await self._record("token.create", token_id, actor, after=after, organisations=account.organisations)
        return token_id, secret

    async def list(self, account_id: AccountId) -> tuple[TokenView, ...]:
        """Those that are good still, the newest first."""
        return await self._rows.tokens(account_id, self._clock())

    async def owner(self, token_id: TokenId) -> AccountId:
        """Raises `TokenNotFound`."""
        return await self._rows.token_owner(token_id)

    async def revoke(self, token_id: TokenId, account_id: AccountId, *, actor: str) -> None:
        """Raises `TokenNotFound` where the account has no such token."""
        await self._rows.delete_token(token_id, account_id)
        await self._record("token.revoke", token_id, actor, before={"account": account_id})
        self._changed(account_id)

    async def find(self, secret: str) -> Identity | None:
        """Who has that token; None: nobody, or not any more."""
        found = await self._rows.token(hash_of(secret), self._clock())
        if found is None:
            return None
        token_id, expires, account = found
        return Identity(account=account, token_id=token_id, expires=expires)

    async def _record(
        self,
        action: str,
        token_id: TokenId,
        actor: str,
        *,
        before: dict[str, object] | None = None,
        after: Mapping[str, object] | None = None,
        organisations: frozenset[OrganisationId] = frozenset(),
    ) -> None:
        await self._store.audit.add(
            AuditEntry(
                at=self._clock(),
                actor=actor,
                action=action,
                object_kind="token",
                object_id=token_id,
                before=before,
                after=after,
                organisations=organisations,
            )
        )
