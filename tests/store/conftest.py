import pytest

from store import Store
from tests.rooms.samples import plant


@pytest.fixture
async def schools(store: Store) -> Store:
    """A store with two schools and their rooms."""
    await plant(store)
    return store
