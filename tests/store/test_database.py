"""What happens to the store when its PostgreSQL does not answer."""

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from rooms.errors import StoreUnavailable
from store import open_store
from testing.postgres import PostgresServer, postgres_server
from tests.rooms.samples import LOI_SCHOOL, XUAN_SCHOOL

END_OTHERS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> "


async def test_connections_that_the_server_ended_are_replaced(postgres: PostgresServer) -> None:
    with postgres.database() as url:
        async with open_store(url) as store, open_store(url) as other:
            await store.organisations.add(XUAN_SCHOOL)
            async with other.writing() as db:
                await db.execute(text(END_OTHERS + "pg_backend_pid()"))
            assert await store.organisations.list() == (XUAN_SCHOOL,)


async def test_a_connection_lost_in_a_transaction_is_said_to_be_so(postgres: PostgresServer) -> None:
    with postgres.database() as url:
        async with open_store(url) as store, open_store(url) as other:

            async def lose_it() -> None:
                async with store.writing() as db:
                    await db.execute(text("SELECT 1"))
                    async with other.writing() as killer:
                        await killer.execute(text(END_OTHERS + "pg_backend_pid()"))
                    await db.execute(text("SELECT 1"))

            with pytest.raises(StoreUnavailable, match="connection"):
                await lose_it()
            await store.organisations.add(LOI_SCHOOL)


async def test_a_server_that_is_gone_is_unavailable_and_nothing_else() -> None:
    with postgres_server() as server:
        async with open_store(f"postgresql://postgres@127.0.0.1:{server.port}/postgres") as store:
            await store.organisations.add(XUAN_SCHOOL)
            server.stop()
            for _ in range(2):
                with pytest.raises(StoreUnavailable) as caught:
                    await store.organisations.add(LOI_SCHOOL)
                assert not isinstance(caught.value, SQLAlchemyError)


async def test_a_server_that_takes_no_writes_is_unavailable(postgres: PostgresServer) -> None:
    with postgres.database() as url:
        async with open_store(url) as store, open_store(url) as other:
            await store.organisations.add(XUAN_SCHOOL)
            async with other.writing() as db:
                await db.execute(text(f"ALTER DATABASE {url.rsplit('/', 1)[1]} SET default_transaction_read_only = on"))
                await db.execute(text(END_OTHERS + "pg_backend_pid()"))
            with pytest.raises(StoreUnavailable, match="read-only"):
                await store.organisations.add(LOI_SCHOOL)
            assert await store.organisations.list() == (XUAN_SCHOOL,)


async def test_a_server_that_takes_no_connections_is_unavailable(postgres: PostgresServer) -> None:
    with postgres.database() as url:
        server, _, name = url.rpartition("/")
        async with open_store(url) as store:
            await store.organisations.add(XUAN_SCHOOL)
            with psycopg.connect(f"{server}/postgres", autocommit=True) as other:
                other.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false".encode())
                other.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
            with pytest.raises(StoreUnavailable, match="accepting connections"):
                await store.organisations.list()
