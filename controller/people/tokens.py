"""API tokens: for programs, with the rights of the account they were made for."""

from collections.abc import Callable
from datetime import datetime, timedelta

from controller.audit_lines import AuditLines
from controller.ids import new_id
from controller.people.accounts import Accounts
from controller.people.secret import hash_of, new_secret
from rooms.people.account import AccountId, Identity, TokenId, TokenView
from rooms.people.errors import InvalidAccount
from rooms.people.rights import Rights
from store.store import Store

DEFAULT_LIFE = timedelta(days=365)
LONGEST_LIFE = timedelta(days=730)
PREFIX = "nc_"  # so that a leaked token is recognised for what it is


class Tokens:
    """Makes, finds and revokes tokens; only their hash is kept. `changed`: as of `Accounts`."""

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
        self._lines = AuditLines("token", clock)
        self._changed = changed

    async def create(
        self, account_id: AccountId, name: str, *, rights: Rights, actor: str, life: timedelta = DEFAULT_LIFE
    ) -> tuple[TokenId, str]:
        """The id, and the token itself, which is not kept.

        Raises `AccountNotFound`, `HiddenObject`, `Forbidden`; `InvalidAccount` where `life` is none, or longer than
        `LONGEST_LIFE`.
        """
        if not timedelta(0) < life <= LONGEST_LIFE:
            raise InvalidAccount(f"a token is good for 1 to {LONGEST_LIFE.days} days")
        account = await self._accounts.own_or_permitted(account_id, rights, actor)
        now = self._clock()
        token_id, secret = TokenId(new_id("t")), PREFIX + new_secret()
        after = {"account": account.id, "name": name}
        async with self._store.transaction() as tx:
            await tx.people.add_token(token_id, account.id, name, hash_of(secret), now=now, expires=now + life)
            await tx.audit.add(
                self._lines.entry(actor, "token.create", token_id, organisations=account.organisations, after=after)
            )
        return token_id, secret

    async def list(self, account_id: AccountId) -> tuple[TokenView, ...]:
        """Those that are good still, the newest first."""
        return await self._rows.tokens(account_id, self._clock())

    async def owner(self, token_id: TokenId) -> AccountId:
        """Raises `TokenNotFound`."""
        return await self._rows.token_owner(token_id)

    async def revoke(self, token_id: TokenId, account_id: AccountId, *, rights: Rights, actor: str) -> None:
        """Raises `AccountNotFound`, `HiddenObject`, `Forbidden`, `TokenNotFound` where the account has none such."""
        account = await self._accounts.own_or_permitted(account_id, rights, actor)
        async with self._store.transaction() as tx:
            await tx.people.delete_token(token_id, account_id)
            await tx.audit.add(
                self._lines.entry(
                    actor, "token.revoke", token_id, organisations=account.organisations, before={"account": account_id}
                )
            )
        self._changed(account_id)

    async def find(self, secret: str) -> Identity | None:
        """Who has that token; None: nobody, or not any more."""
        found = await self._rows.token(hash_of(secret), self._clock())
        if found is None:
            return None
        token_id, expires, account = found
        return Identity(account=account, token_id=token_id, expires=expires)
