import asyncio
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DBAPIError

from rooms.errors import InvalidValue, StoreTooNew, StoreUnavailable
from store import Store, open_store
from tests.rooms.samples import XUAN_SCHOOL, plant


def _differences(connection: Connection) -> list[object]:
    options = {"compare_type": True, "compare_server_default": True, "include_object": _but_alembics_own}
    return list(compare_metadata(MigrationContext.configure(connection, opts=options), Store.metadata))


def _but_alembics_own(_: object, name: str | None, kind: str, reflected: bool, compared_to: object) -> bool:
    return (kind, name) != ("table", "alembic_version")


async def test_a_migration_generated_from_the_tables_of_the_code_would_be_empty(store: Store) -> None:
    async with store.engine.connect() as connection:
        tables = await connection.run_sync(lambda sync: set(inspect(sync).get_table_names()))
        assert tables - {"alembic_version"} == set(Store.metadata.tables)
        assert await connection.run_sync(_differences) == []


async def test_two_that_open_an_empty_database_at_once_both_succeed(url: str) -> None:
    async def open_and_read() -> int:
        async with open_store(url) as store:
            return len(await store.organisations.list())

    async with asyncio.timeout(30), asyncio.TaskGroup() as tasks:
        opened = [tasks.create_task(open_and_read()) for _ in range(4)]
    assert [each.result() for each in opened] == [0, 0, 0, 0]


async def test_what_was_stored_is_there_when_opened_again(url: str) -> None:
    async with open_store(url) as store:
        await plant(store)
    async with open_store(url) as store:
        assert await store.organisations.get(XUAN_SCHOOL.id) == XUAN_SCHOOL


async def test_a_database_of_a_newer_version_is_refused(url: str) -> None:
    async with open_store(url) as store, store.writing() as db:
        await db.execute(text("UPDATE alembic_version SET version_num = 'from-the-future'"))
    with pytest.raises(StoreTooNew, match="from-the-future"):
        async with open_store(url):
            pass


async def test_a_block_that_raises_changes_nothing(store: Store) -> None:
    async def insert_twice() -> None:
        async with store.writing() as db:
            for _ in range(2):
                await db.execute(text("INSERT INTO organisations VALUES ('one', NULL, 'school', 'One', '', 'UTC')"))

    with pytest.raises(DBAPIError, match="(?i)unique"):
        await insert_twice()
    assert await store.organisations.list() == ()


async def test_foreign_keys_hold(store: Store) -> None:
    with pytest.raises(DBAPIError, match="(?i)foreign key"):
        async with store.writing() as db:
            await db.execute(text("INSERT INTO rooms (id, school_id, name, version) VALUES ('r', 'nowhere', 'R', 1)"))


async def test_readers_go_on_while_somebody_writes(store: Store) -> None:
    async with asyncio.timeout(10), store.writing() as db:
        await db.execute(text("INSERT INTO organisations VALUES ('one', NULL, 'school', 'One', '', 'UTC')"))
        assert await store.organisations.list() == ()
    assert [each.name for each in await store.organisations.list()] == ["One"]


async def test_sqlite_is_opened_with_wal(tmp_path: Path) -> None:
    async with open_store(f"sqlite:///{tmp_path / 'store.db'}") as store, store.reading() as db:
        modes = [await db.scalar(text(f"PRAGMA {name}")) for name in ("journal_mode", "foreign_keys", "busy_timeout")]
    assert modes == ["wal", 1, 30_000]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ("", "not given as a URL"),
        ("sqlite://", "needs a file"),
        ("sqlite:///:memory:", "needs a file"),
        ("mysql://root@127.0.0.1/x", "not 'mysql'"),
    ],
)
async def test_another_kind_of_url_is_refused(wrong: str, says: str) -> None:
    with pytest.raises(InvalidValue, match=says):
        async with open_store(wrong):
            pass


@pytest.mark.parametrize(
    "absent", ["sqlite:////proc/nowhere/store.db", "postgresql://nobody:hidden-word@127.0.0.1:1/nowhere"]
)
async def test_a_database_that_cannot_be_opened_is_named_without_its_password(absent: str) -> None:
    with pytest.raises(StoreUnavailable, match="nowhere") as caught:
        async with open_store(absent):
            pass
    assert "hidden-word" not in str(caught.value)
