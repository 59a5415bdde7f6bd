"""What tests of several packages share: an empty database of each kind and a broker, real."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from store import Store, open_store
from testing.mosquitto import Broker
from testing.postgres import PostgresServer, postgres_server
from webrtc.forwarding import engines


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


@pytest.fixture
async def store(url: str) -> AsyncIterator[Store]:
    """An empty store on each kind of database."""
    async with open_store(url) as opened:
        yield opened


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[Broker]:
    broker = Broker(tmp_path)
    await broker.start()
    yield broker
    await broker.stop()
