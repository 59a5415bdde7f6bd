"""The store on both databases, real."""

from collections.abc import AsyncIterator

import pytest

from store import Store, open_store


@pytest.fixture
async def store(url: str) -> AsyncIterator[Store]:
    async with open_store(url) as opened:
        yield opened
