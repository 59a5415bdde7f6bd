"""The store on both databases, real."""

from collections.abc import AsyncIterator

import pytest

from store import Store, open_store
from tests.rooms.samples import plant


@pytest.fixture
async def store(migrated: str) -> AsyncIterator[Store]:
    async with open_store(migrated) as opened:
        yield opened


@pytest.fixture
async def schools(store: Store) -> Store:
    """A store with two schools and their rooms."""
    await plant(store)
    return store
