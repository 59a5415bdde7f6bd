"""One browser and one installation for all end-to-end tests that break nothing. They share an event loop, too."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from testing.chromium import chromium
from testing.installation import Classroom, House

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as browser:
        yield browser


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def installation(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    async with House(tmp_path_factory.mktemp("installation")) as house:
        yield house


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def equipped(installation: House) -> tuple[Classroom, ...]:
    """A room with devices at each of two schools."""
    return tuple([await installation.add_classroom(school) for school in ("truong-a", "truong-b")])


@pytest_asyncio.fixture(loop_scope="session")
async def shared(installation: House) -> AsyncIterator[House]:
    """The installation of all tests that end no process and cut no line. It has no rooms: each test adds its own."""
    installation.classrooms = []
    yield installation
    await installation.clear()


@pytest_asyncio.fixture(loop_scope="session")
async def house(shared: House, equipped: tuple[Classroom, ...]) -> House:
    """The same, with the two rooms that have devices."""
    shared.classrooms = list(equipped)
    return shared
