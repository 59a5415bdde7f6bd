"""Which of several programs on one PostgreSQL works: the one that holds an advisory lock, on a connection of its own.

PostgreSQL lets go of the lock when its connection ends, however the program ends. A connection that is only cut must
not hand the work over: another program waits for some seconds more than the first needs to come back.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from datetime import datetime

import asyncpg
from sqlalchemy import Row, TextClause, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from rooms.errors import LeadershipLost, StoreUnavailable
from store.engine import make_leadership_engine, parse_url

logger = logging.getLogger(__name__)

LOCK = 0x6E686970  # any number of our own, other than that of migrations
CHECK_EVERY_S = 2.0
ANSWER_S = 5.0
RETRY_S = 0.2
FREE_FOR_S = 6.0
"""How long nobody must hold the lock before a stand-by takes it."""

_HOLDER = text(
    "SELECT pid, backend_start FROM pg_locks JOIN pg_stat_activity USING (pid)"
    " WHERE locktype = 'advisory' AND granted AND objsubid = 1"
    " AND pg_locks.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    " AND ((classid::bigint << 32) | objid::bigint) = :lock"
)
_TAKE = text("SELECT pg_try_advisory_lock(:lock)")
_SELF = text("SELECT pid, backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()")
_END = text("SELECT pg_terminate_backend(:pid)")
_FAILURES = (DBAPIError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError)  # TimeoutError is an OSError

Holder = tuple[int, datetime]
"""A connection of PostgreSQL: its process, and since when."""


class Leadership:
    """`url`: of the database. With SQLite there is nothing to wait for: its directory is locked by the children."""

    def __init__(self, url: str) -> None:
        self._url = parse_url(url)
        needed = self._url.get_backend_name() == "postgresql"
        self._engine = make_leadership_engine(self._url) if needed else None
        self._connection: AsyncConnection | None = None
        self._we: Holder | None = None

    async def acquire(self, standing_by: Callable[[], Awaitable[None]]) -> None:
        """Return once we lead; `standing_by` is awaited where another one does. Raises `StoreUnavailable` at first."""
        if self._engine is None or await self._take():
            return
        logger.warning("another controller works on this database: standing by")
        await standing_by()
        while not await self._take_over():
            pass
        logger.warning("the other controller is gone: taking over")

    async def keep(self) -> None:
        """Hold the lock until cancelled. Raises `LeadershipLost` once another one has it."""
        while True:
            await asyncio.sleep(CHECK_EVERY_S)
            if self._engine is not None and not await self._answers():
                logger.warning("the lock on the database may be lost: taking it again")
                await self._take_again()

    async def release(self) -> None:
        await self._drop()
        if self._engine is not None:
            await self._engine.dispose()

    async def _take_over(self) -> bool:
        """Wait until nobody has held the lock for a while. Whether it is ours then."""
        loop = asyncio.get_running_loop()
        free_since = loop.time()
        while loop.time() - free_since < FREE_FOR_S:
            await asyncio.sleep(min(CHECK_EVERY_S, FREE_FOR_S / 4))
            try:
                held = await self._holder() is not None
            except StoreUnavailable as error:
                logger.debug("standing by: %s", error)
                held = True  # whoever led comes back first
            free_since = loop.time() if held else free_since
        try:
            return await self._take()
        except StoreUnavailable:
            return False

    async def _take_again(self) -> None:
        while True:
            try:
                if await self._take():
                    return
                holder = await self._holder()
                if holder is not None and holder == self._we:
                    await self._ask(_END, {"pid": holder[0]})  # our own of before, which was cut off
                elif holder is not None:
                    raise LeadershipLost("another controller has taken over this database; this one ends")
            except StoreUnavailable as error:
                logger.debug("the lock cannot be taken now: %s", error)
            await asyncio.sleep(RETRY_S)

    async def _take(self) -> bool:
        """Whether we hold the lock now. Raises `StoreUnavailable`."""
        await self._drop()
        assert self._engine is not None
        with self._stated():
            async with asyncio.timeout(ANSWER_S), AsyncExitStack() as stack:
                connection = await self._engine.connect()
                stack.push_async_callback(connection.close)
                if not await connection.scalar(_TAKE, {"lock": LOCK}):
                    return False
                self._we = _as_holder((await connection.execute(_SELF)).first())
                stack.pop_all()
                self._connection = connection
        return True

    async def _holder(self) -> Holder | None:
        """Who holds the lock. Raises `StoreUnavailable`."""
        return _as_holder(await self._ask(_HOLDER, {"lock": LOCK}))

    async def _ask(self, question: TextClause, values: Mapping[str, object]) -> Row[tuple[int, datetime]] | None:
        assert self._engine is not None
        with self._stated():
            async with asyncio.timeout(ANSWER_S), self._engine.connect() as connection:
                return (await connection.execute(question, values)).first()

    async def _answers(self) -> bool:
        if self._connection is None:
            return False
        try:
            async with asyncio.timeout(ANSWER_S):
                await self._connection.execute(text("SELECT 1"))
            return True
        except _FAILURES:
            return False

    async def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(*_FAILURES):
                async with asyncio.timeout(ANSWER_S):
                    await connection.invalidate()
            with suppress(*_FAILURES):
                await connection.close()

    @contextmanager
    def _stated(self) -> Iterator[None]:
        try:
            yield
        except _FAILURES as error:
            reason = error.orig if isinstance(error, DBAPIError) else error
            name = self._url.render_as_string(hide_password=True)
            raise StoreUnavailable(f"{name} cannot be opened: {reason}") from error


def _as_holder(row: Row[tuple[int, datetime]] | None) -> Holder | None:
    return None if row is None else (row.pid, row.backend_start)


@asynccontextmanager
async def leadership(url: str) -> AsyncIterator[Leadership]:
    """To be acquired and kept; released when the block ends."""
    found = Leadership(url)
    try:
        yield found
    finally:
        await found.release()
