"""The controller's own services on a real broker, a real database and, where media matter, a real bridge node."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from testing.mosquitto import Broker
from tests.controller.conducted import House, open_house
from tests.controller.stage import Stage, open_stage


@pytest.fixture
async def stage(tmp_path: Path, broker: Broker, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:
    monkeypatch.setattr(
        "devices.availability.OFFLINE_AFTER", timedelta(seconds=0.2)
    )  # a test has no 3 s for each death
    async with open_stage(tmp_path, broker.settings) as opened:
        yield opened


@pytest.fixture
async def house(stage: Stage) -> AsyncIterator[House]:
    async with open_house(stage) as opened:
        yield opened
