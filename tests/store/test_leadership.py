"""Two programs on one PostgreSQL: one works, the other stands by."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import psycopg
import pytest

from rooms.errors import LeadershipLost, StoreUnavailable
from store.leadership import Leadership, leadership
from testing.postgres import PostgresServer
from tests.eventually import eventually


@pytest.fixture
def database(postgres: PostgresServer) -> Iterator[str]:
    with postgres.database() as url:
        yield url


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("store.leadership.CHECK_EVERY_S", 0.1)
    monkeypatch.setattr("store.leadership.FREE_FOR_S", 1.5)


async def never() -> None:
    raise AssertionError("it stands by")


@asynccontextmanager
async def standing_by(url: str) -> AsyncIterator[asyncio.Task[None]]:
    """Another one that wants to lead; it stands by when this returns."""
    waits = asyncio.Event()

    async def wait() -> None:
        waits.set()

    async with leadership(url) as other:
        acquiring = asyncio.create_task(other.acquire(wait))
        try:
            async with asyncio.timeout(20):
                await waits.wait()
            yield acquiring
        finally:
            acquiring.cancel()
            await asyncio.wait([acquiring])


def cut(url: str, of: Leadership) -> None:
    """End its connection, as PostgreSQL's administrator or a firewall does."""
    assert of._we is not None
    with psycopg.connect(url, autocommit=True) as administrator:
        administrator.execute("SELECT pg_terminate_backend(%s)", [of._we[0]])


async def test_the_second_takes_over_when_the_first_is_gone(database: str) -> None:
    async with leadership(database) as first:
        await first.acquire(never)
        async with standing_by(database) as acquiring:
            await first.release()
            async with asyncio.timeout(20):
                await acquiring


async def test_the_first_that_was_cut_off_goes_on_before_the_second_comes(database: str) -> None:
    async with leadership(database) as first:
        await first.acquire(never)
        keeping = asyncio.create_task(first.keep())
        async with standing_by(database) as acquiring:
            was = first._we
            cut(database, first)
            await eventually(lambda: first._we != was)
            done, _ = await asyncio.wait([acquiring, keeping], timeout=3.0)  # twice as long as the lock must be free
            assert done == set()
        keeping.cancel()
        await asyncio.wait([keeping])


async def test_the_first_that_was_away_too_long_ends(database: str) -> None:
    async with leadership(database) as first:
        await first.acquire(never)
        async with standing_by(database) as acquiring:
            cut(database, first)  # and it does not look
            async with asyncio.timeout(20):
                await acquiring
            async with asyncio.timeout(20):
                with pytest.raises(LeadershipLost, match="another controller has taken over"):
                    await first.keep()


async def test_our_own_lock_of_before_is_no_other_controller(database: str) -> None:
    async with leadership(database) as first:
        await first.acquire(never)
        half_dead, first._connection = first._connection, None  # the server has not noticed that it is gone
        keeping = asyncio.create_task(first.keep())
        await eventually(lambda: first._connection is not None)
        assert not keeping.done()
        keeping.cancel()
        await asyncio.wait([keeping])
        assert half_dead is not None
        await half_dead.invalidate()
        await half_dead.close()


async def test_with_sqlite_everybody_leads(tmp_path: object) -> None:
    async with leadership(f"sqlite:///{tmp_path}/store.db") as first, leadership(f"sqlite:///{tmp_path}/store.db") as b:
        await first.acquire(never)
        await b.acquire(never)


async def test_database_that_is_not_there_is_named_without_its_password() -> None:
    async with leadership("postgresql://nobody:hidden-word@127.0.0.1:1/nowhere") as first:
        with pytest.raises(StoreUnavailable, match="nowhere") as caught:
            await first.acquire(never)
    assert "hidden-word" not in str(caught.value)
