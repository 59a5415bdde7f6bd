"""Fixtures of the end-to-end tests: a browser with fake cameras, and a house."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser

from testing.chromium import chromium
from testing.installation import House, two_classrooms


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as browser:
        yield browser


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """Two schools with a room each; its logs stay in the test's temporary directory."""
    async with two_classrooms(tmp_path / "house") as house:
        yield house
