"""Connections to SQLite and PostgreSQL, set up so that a transaction means the same on both.

SQLite: WAL, foreign keys, a busy timeout, and a `BEGIN` of our own: Python's driver would begin only at the first
write, and a transaction that reads before it writes could then fail however long it waits. PostgreSQL: read committed
for writing (rows are locked where it matters), one snapshot for reading.
"""

import asyncio
import json
import sqlite3

import aiosqlite
from sqlalchemy import Connection, NullPool, event, make_url
from sqlalchemy.dialects.sqlite.aiosqlite import AsyncAdapt_aiosqlite_connection
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from rooms.errors import InvalidValue

SQLITE_BUSY_TIMEOUT_S = 30
BUSY_AGAIN_S = 0.02
POSTGRESQL_CONNECT_TIMEOUT_S = 10

_READING = "nhipcau_reading"


def parse_url(url: str) -> URL:
    """The URL with the driver we use. Raises `InvalidValue`; the message has no password."""
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise InvalidValue("the database is not given as a URL") from error
    match parsed.get_backend_name():
        case "sqlite":
            if parsed.database in (None, "", ":memory:"):
                raise InvalidValue("SQLite needs a file: sqlite:///path")
            return parsed.set(drivername="sqlite+aiosqlite")
        case "postgresql" | "postgres":
            query = {"ssl" if name == "sslmode" else name: value for name, value in parsed.query.items()}
            return parsed.set(drivername="postgresql+asyncpg", query=query)  # asyncpg's word for libpq's `sslmode`
        case other:
            raise InvalidValue(f"the database is SQLite or PostgreSQL, not {other!r}")


def make_engine(url: URL) -> AsyncEngine:
    """The engine of a running store; its transactions are for writing."""
    if url.get_backend_name() == "sqlite":
        engine = create_async_engine(
            url, json_serializer=_to_json, connect_args={"timeout": SQLITE_BUSY_TIMEOUT_S}, pool_timeout=60
        )
        _listen_sqlite(engine, foreign_keys=True)
        return engine
    return create_async_engine(
        url,
        json_serializer=_to_json,
        connect_args={"timeout": POSTGRESQL_CONNECT_TIMEOUT_S},
        pool_pre_ping=True,
        isolation_level="READ COMMITTED",
    )


def for_reading(engine: AsyncEngine) -> AsyncEngine:
    """The same connections; a transaction sees one state of the database."""
    if engine.dialect.name == "sqlite":
        return engine.execution_options(**{_READING: True})
    return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


def make_migration_engine(url: URL) -> AsyncEngine:
    """One connection, for changing the schema.

    On SQLite it has foreign keys off: a table is changed by copying it and dropping the old one, which with them on
    would delete what refers to it.
    """
    if url.get_backend_name() == "sqlite":
        engine = create_async_engine(url, poolclass=NullPool, connect_args={"timeout": SQLITE_BUSY_TIMEOUT_S})
        _listen_sqlite(engine, foreign_keys=False)
        return engine
    return create_async_engine(url, poolclass=NullPool, connect_args={"timeout": POSTGRESQL_CONNECT_TIMEOUT_S})


def make_leadership_engine(url: URL) -> AsyncEngine:
    """Connections of PostgreSQL that are kept for a lock; the server gives them up 15 s after we are gone."""
    settings = {"tcp_keepalives_idle": "5", "tcp_keepalives_interval": "5", "tcp_keepalives_count": "2"}
    return create_async_engine(
        url,
        poolclass=NullPool,
        isolation_level="AUTOCOMMIT",
        connect_args={"timeout": POSTGRESQL_CONNECT_TIMEOUT_S, "server_settings": settings},
    )


def _listen_sqlite(engine: AsyncEngine, *, foreign_keys: bool) -> None:
    @event.listens_for(engine.sync_engine, "connect")
    def set_up(connection: AsyncAdapt_aiosqlite_connection, _: ConnectionPoolEntry) -> None:
        connection.isolation_level = None  # the driver begins nothing; `begin` below does
        connection.run_async(_write_ahead)
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA foreign_keys={'ON' if foreign_keys else 'OFF'}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Connection) -> None:
        reading = connection.get_execution_options().get(_READING, False)
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


async def _write_ahead(driver: aiosqlite.Connection) -> None:
    """Have the file use WAL. SQLite's busy timeout does not hold for this: two that open a new file meet here."""
    clock = asyncio.get_running_loop().time
    deadline = clock() + SQLITE_BUSY_TIMEOUT_S
    while True:
        try:
            await driver.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or clock() > deadline:
                raise
            await asyncio.sleep(BUSY_AGAIN_S)


def _to_json(value: object) -> str:
    return json.dumps(value, allow_nan=False)  # PostgreSQL takes no NaN, and neither do browsers
