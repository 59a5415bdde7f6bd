"""People over both databases, real."""

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from controller.people.password import Passwords
from controller.people.people import People
from rooms.school import Organisation, OrganisationId, OrganisationKind
from rooms.store import Store, open_store
from tests.controller.clock import Clock
from tests.postgres import PostgresServer, postgres_server

SCHOOL = OrganisationId("le-loi")


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    with postgres_server() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database of each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'people.db'}"
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    with server.database() as database:
        yield database


@pytest.fixture
async def store(url: str) -> AsyncIterator[Store]:
    async with open_store(url) as opened:
        await opened.organisations.add(Organisation(id=SCHOOL, kind=OrganisationKind.SCHOOL, name="Lê Lợi"))
        yield opened


@pytest.fixture
def clock() -> Clock:
    return Clock(datetime(2026, 3, 2, tzinfo=UTC))


@pytest.fixture
def people(store: Store, clock: Clock) -> People:
    quick = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    return People.over(store, clock=clock, passwords=quick)
