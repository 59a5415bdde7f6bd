"""People over both databases, real."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from argon2 import PasswordHasher

from controller.people.password import Passwords
from controller.people.people import People
from rooms.school import Organisation, OrganisationId, OrganisationKind
from store import Store, open_store
from testing.clock import Clock

SCHOOL = OrganisationId("le-loi")


@pytest.fixture
async def store(migrated: str) -> AsyncIterator[Store]:
    async with open_store(migrated) as opened:
        await opened.organisations.add(Organisation(id=SCHOOL, kind=OrganisationKind.SCHOOL, name="Lê Lợi"))
        yield opened


@pytest.fixture
def clock() -> Clock:
    return Clock(datetime(2026, 3, 2, tzinfo=UTC))


@pytest.fixture
def people(store: Store, clock: Clock) -> People:
    quick = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    return People.over(store, clock=clock, passwords=quick)
