"""API tokens: for programs, with the rights of the account they were made for."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from controller.ids import new_id
from controller.people.account import AccountId, Identity, TokenId
from controller.people.accounts import Accounts
from controller.people.secret import hash_of, new_secret
from controller.people.store import PeopleStore
from rooms.audit import AuditEntry
from rooms.school import OrganisationId
from rooms.store.store import Store

PREFIX = "nc_"  # so that a leaked token is recognised for what it is


class Tokens:
    """Makes and finds tokens; only their hash is kept."""

    def __init__(self, store: Store, rows: PeopleStore, accounts: Accounts, *, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._rows = rows
        self._accounts = accounts
        self._clock = clock

    async def create(
        self, account_id: AccountId, name: str, *, actor: str, life: timedelta | None = None
    ) -> tuple[TokenId, str]:
        """The id, and the token itself, which is not kept. `life` None: until revoked. Raises `AccountNotFound`."""
        account = await self._accounts.get(account_id)
        now = self._clock()
        token_id, secret = TokenId(new_id("t")), PREFIX + new_secret()
        expires = None if life is None else now + life
        await self._rows.add_token(token_id, account.id, name, hash_of(secret), now=now, expires=expires)
        after = {"account": account.id, "name": name}
        await self._record("token.create", token_id, actor, after=after, organisations=account.organisations)
        return token_id, secret

    async def revoke(self, token_id: TokenId, *, actor: str) -> bool:
        """False where there is none."""
        gone = await self._rows.delete_token(token_id)
        if gone:
            await self._record("token.revoke", token_id, actor, before={})
        return gone

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
