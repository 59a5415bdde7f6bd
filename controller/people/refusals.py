"""What was refused, and to whom: attacks leave a trace, and cannot fill it.

Refusals are counted for a minute. Then each kind, network and account gets one line of the log and one entry of the
audit log with its count, the most frequent ones first; what is beyond `MOST_ENTRIES` shares one entry per kind. Names
as they were typed are not written: somebody may have typed a password there. Those of accounts become the account's id.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from controller.people.accounts import Accounts
from rooms.audit import AuditEntry
from rooms.errors import StoreUnavailable
from rooms.people.account import Account, AccountId
from rooms.people.errors import AccountNotFound
from store.store import Store

log = logging.getLogger(__name__)

PERIOD_S = 60.0
MOST_KEPT = 2000  # kinds, networks and names of one period
MOST_ENTRIES = 50
MANY = "many"
RETENTION = timedelta(days=400)
FORGET_EVERY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """`account`: who was logged in, `name`: which account a stranger named; at most one of them."""

    kind: str  # "login-failed": the last part of the problem's type
    network: str
    account: AccountId | None = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class _Row:
    kind: str
    network: str
    account: Account | None
    by_account: bool  # it was refused something, or somebody guessed at it


class Refusals:
    """Counts, and writes each minute; also keeps the audit log from growing for ever."""

    def __init__(self, store: Store, accounts: Accounts, *, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._accounts = accounts
        self._clock = clock
        self._counts: Counter[Refusal] = Counter()
        self._forgotten_at: datetime | None = None

    def count(self, refusal: Refusal) -> None:
        """Never raises, writes nothing yet."""
        if refusal not in self._counts and len(self._counts) >= MOST_KEPT:
            refusal = Refusal(kind=refusal.kind, network=MANY)
        self._counts[refusal] += 1

    async def run(self) -> None:
        """Write what was counted, each minute and at the end."""
        try:
            while True:
                await asyncio.sleep(PERIOD_S)
                await self.write()
                await self._forget()
        finally:
            await self.write()

    async def write(self) -> None:
        """Write and forget what was counted."""
        counts, self._counts = self._counts, Counter()
        if not counts:
            return
        try:
            rows = _most_frequent(await self._resolved(counts))
            for row, count in rows.items():
                who = "" if row.account is None else f", account {row.account.id}"
                log.warning("refused: %s, from %s%s: %d times", row.kind, row.network, who, count)
            for row, count in rows.items():
                await self._store.audit.add(self._entry(row, count))
        except StoreUnavailable as error:
            log.warning("refusals: %d are not in the audit log: %s", counts.total(), error)

    async def _resolved(self, counts: Counter[Refusal]) -> Counter[_Row]:
        names = Counter[str]()
        for refusal, count in counts.items():
            if refusal.name:
                names[refusal.name] += count
        named = await self._accounts.with_names([name for name, _ in names.most_common(MOST_ENTRIES)])
        rows = Counter[_Row]()
        for refusal, count in counts.items():
            account = named.get(refusal.name) if refusal.account is None else await self._account(refusal.account)
            rows[_Row(refusal.kind, refusal.network, account, refusal.account is not None)] += count
        return rows

    async def _account(self, id: AccountId) -> Account | None:
        try:
            return await self._accounts.get(id)
        except AccountNotFound:
            return None

    def _entry(self, row: _Row, count: int) -> AuditEntry:
        account = row.account
        return AuditEntry(
            at=self._clock(),
            actor=account.id if account is not None and row.by_account else f"network {row.network}"[:100],
            action=f"refused.{row.kind}",
            object_kind="network" if account is None else "account",
            object_id=(row.network if account is None else account.id)[:100],
            after={"count": count, "network": row.network},
            organisations=frozenset() if account is None else account.organisations,
        )

    async def _forget(self) -> None:
        now = self._clock()
        if self._forgotten_at is None or now - self._forgotten_at >= FORGET_EVERY:
            try:
                removed = await self._store.audit.forget(now - RETENTION)
            except StoreUnavailable as error:
                log.warning("audit log: what is old stays for now: %s", error)
                return
            self._forgotten_at = now
            if removed:
                log.info("audit log: %d entries of more than %d days ago removed", removed, RETENTION.days)


def _most_frequent(rows: Mapping[_Row, int]) -> Counter[_Row]:
    """At most `MOST_ENTRIES` as they are; what is left by kind."""
    ordered: Iterable[tuple[_Row, int]] = Counter(rows).most_common()
    kept = Counter[_Row]()
    for place, (row, count) in enumerate(ordered):
        kept[row if place < MOST_ENTRIES else _Row(row.kind, MANY, None, False)] += count
    return kept
