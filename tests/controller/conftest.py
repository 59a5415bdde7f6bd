"""The controller's own services on a real broker, a real database and, where media matter, a real bridge node."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest

from controller.config import Address, BridgeConfig, LocalNodesConfig
from controller.nodes import Nodes
from tests.controller.conducted import House
from tests.controller.stage import Stage, open_stage, running
from tests.devices.conftest import Broker, broker

__all__ = ["broker"]


@pytest.fixture
async def stage(tmp_path: Path, broker: Broker, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:  # noqa: F811  # the fixture above
    monkeypatch.setattr(
        "devices.availability.OFFLINE_AFTER", timedelta(seconds=0.2)
    )  # a test has no 3 s for each death
    async with open_stage(tmp_path, broker.settings) as opened:
        yield opened


@pytest.fixture
async def house(stage: Stage) -> AsyncIterator[House]:
    config = BridgeConfig(nodes=LocalNodesConfig(udp_listen=Address("127.0.0.1", 0)))
    async with aiohttp.ClientSession() as http:
        nodes = Nodes(config, data_dir=stage.directory, http=http)
        house = House(stage, nodes)
        async with running(nodes.run()):
            yield house
