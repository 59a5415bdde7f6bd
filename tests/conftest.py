"""What tests of several packages share: marks by what a test starts, a broker, and databases of each kind, real."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from store import Store, open_store
from testing.mosquitto import Broker
from testing.postgres import PostgresServer, postgres_server
from tests import tiers
from webrtc.forwarding import engines

started = tiers.Watch()


def pytest_configure(config: pytest.Config) -> None:
    for kind, meaning in tiers.KINDS.items():
        config.addinivalue_line("markers", f"{kind}: {meaning}")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        tiers.mark(item)


def pytest_runtest_setup() -> None:
    started.begin()


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item) -> None:
    unmarked = started.unmarked(item)
    if unmarked:
        pytest.fail(f"starts a {', '.join(sorted(unmarked))} by a way that `tests/tiers.py` does not know")


def pytest_report_header() -> str:
    missing = f"; NOT the fast one: {engines.missing}" if engines.missing else ""
    return f"forwarding engines tested: {', '.join(engines.installed)}{missing}"


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    with postgres_server() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database of each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'store.db'}"
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    with server.database() as database:
        yield database


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite database with the tables of today and no rows, to be copied."""
    file = tmp_path_factory.mktemp("migrated") / "store.db"
    asyncio.run(_migrate(f"sqlite:///{file}"))
    return file


@pytest.fixture(scope="session")
def migrated_postgres(postgres: PostgresServer) -> Iterator[str]:
    """The URL of a PostgreSQL database with the tables of today, for one test after the other."""
    with postgres.database() as url:
        asyncio.run(_migrate(url))
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def migrated(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database of each kind with the tables of today and no rows: to migrate one is slower than a test."""
    if request.param == "sqlite":
        return f"sqlite:///{shutil.copy(request.getfixturevalue('migrated_file'), tmp_path)}"
    url: str = request.getfixturevalue("migrated_postgres")
    PostgresServer.clear(url)
    return url


async def _migrate(url: str) -> None:
    async with open_store(url):
        pass


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[Broker]:
    broker = Broker(tmp_path)
    await broker.start()
    yield broker
    await broker.stop()


@pytest.fixture
async def store(migrated: str) -> AsyncIterator[Store]:
    """An empty store on each kind of database."""
    async with open_store(migrated) as opened:
        yield opened
