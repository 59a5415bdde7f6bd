"""People over both databases, real."""

from datetime import UTC, datetime

import pytest
from argon2 import PasswordHasher

from controller.people.password import Passwords
from controller.people.people import People
from rooms.school import Organisation, OrganisationId, OrganisationKind
from store import Store
from testing.clock import Clock

SCHOOL = OrganisationId("le-loi")


@pytest.fixture
async def store(store: Store) -> Store:
    """With a school."""
    await store.organisations.add(Organisation(id=SCHOOL, kind=OrganisationKind.SCHOOL, name="Lê Lợi"))
    return store


@pytest.fixture
def clock() -> Clock:
    return Clock(datetime(2026, 3, 2, tzinfo=UTC))


@pytest.fixture
def people(store: Store, clock: Clock) -> People:
    quick = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    return People.over(store, clock=clock, passwords=quick)
