"""People over both databases, real."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from controller.broker.address import Entrance
from controller.broker.school_logins import MqttLogins
from controller.config.model import Address
from controller.people.organisations import Organisations
from controller.people.password import Passwords
from controller.people.people import People
from devices.changes import Changes
from devices.dialects.native import NativeDialect
from devices.hub import DeviceHub
from devices.mqtt.connection import MqttSettings
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


@pytest.fixture
def hub(clock: Clock) -> DeviceHub:
    """It is not connected."""
    return DeviceHub(connection=MqttSettings(host="127.0.0.1", port=1), dialects=[NativeDialect()], clock=clock)


@pytest.fixture
def changes() -> Changes:
    return Changes()


@pytest.fixture
def organisations(
    store: Store, people: People, hub: DeviceHub, changes: Changes, clock: Clock, tmp_path: Path
) -> Organisations:
    """Beside a broker that is not ours."""
    entrance = Entrance(listen=Address("127.0.0.1", 1883))
    logins = MqttLogins(store, hub, None, directory=tmp_path, entrance=entrance, clock=clock)
    return Organisations(store, people.accounts, logins, changes, clock=clock)
