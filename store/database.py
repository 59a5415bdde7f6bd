"""Transactions on the store's database."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from rooms.errors import StoreUnavailable
from store.engine import for_reading

# Of PostgreSQL, by the beginning of its code (its manual, appendix A): no connection, no resources, being shut down or
# started, cancelled, taking no writes or no connections now, and what it gave up in favour of another transaction.
UNAVAILABLE = ("08", "53", "57P", "57014", "25006", "55000", "40001", "40P01")


class Database:
    """Hands out transactions. Raises `StoreUnavailable` where the database does not answer, or takes nothing now."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine
        self._reading = for_reading(engine)
        # SQLite has one writer. Ours queue here, in order, rather than poll its lock in a thread each.
        one_writer: AbstractAsyncContextManager[None] = nullcontext()
        self._turn = asyncio.Lock() if engine.dialect.name == "sqlite" else one_writer

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        """One consistent view of the database; nothing may be written."""
        async with _transaction(self._reading) as db:
            yield db

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncSession]:
        """One transaction: committed at the end, rolled back if the block raises. Not to be nested."""
        async with self._turn, _transaction(self.engine) as db:
            yield db


class Joined(Database):
    """What takes part in a transaction that somebody else began, and ends with it."""

    def __init__(self, database: Database, db: AsyncSession) -> None:
        self.engine = database.engine
        self._db = db

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        yield self._db

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncSession]:
        yield self._db
        await self._db.flush()  # what contradicts the tables is said here, as at the end of a transaction


@asynccontextmanager
async def _transaction(engine: AsyncEngine) -> AsyncIterator[AsyncSession]:
    try:
        async with AsyncSession(engine, expire_on_commit=False) as db, db.begin():
            await _connect(db)
            yield db
    except (OperationalError, InterfaceError) as error:
        raise StoreUnavailable(f"the database does not answer: {_reason(error)}") from error
    except DBAPIError as error:
        if _code(error).startswith(UNAVAILABLE):
            raise StoreUnavailable(f"the database does not take it now: {_reason(error)}") from error
        if error.connection_invalidated:
            raise StoreUnavailable(f"the connection to the database ended: {_reason(error)}") from error
        raise


async def _connect(db: AsyncSession) -> None:
    try:
        await db.connection()
    except (OSError, PoolTimeout) as error:  # what asyncpg lets through before there is a connection
        raise StoreUnavailable(f"no connection to the database: {error}") from error


def _code(error: DBAPIError) -> str:
    return getattr(error.orig, "sqlstate", None) or ""


def _reason(error: DBAPIError) -> str:
    """The database's own words: SQLAlchemy's would add the statement and its values."""
    return str(error.orig)
