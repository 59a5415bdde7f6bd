"""Whether a database takes writes, found out with real ones."""

import asyncio
import sqlite3
from pathlib import Path

import pytest

from controller.clock.watch import ClockWatch
from controller.config.model import sqlite_url
from controller.processes.write_test import WriteTest
from rooms.errors import RoomsError
from store import open_store
from testing.clock import AheadClock
from tests.controller.stage import running


async def test_write_is_tried_seldom_and_by_one_for_all() -> None:
    writes = 0

    async def write() -> None:
        nonlocal writes
        writes += 1
        await asyncio.sleep(0)

    test = WriteTest("it", write, failures=(OSError,))
    async with running(test.run()):
        assert await asyncio.gather(*(test.works() for _ in range(50))) == [True] * 50
        assert await test.works()
    assert writes == 1


async def test_database_that_somebody_locks_is_said_to_take_no_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("store.engine.SQLITE_BUSY_TIMEOUT_S", 1.5)
    monkeypatch.setattr("controller.processes.write_test.EVERY_S", 0.0)
    monkeypatch.setattr("controller.processes.write_test.PATIENCE_S", 0.5)
    async with open_store(sqlite_url(tmp_path / "store.sqlite")) as store:
        watch = ClockWatch(store.clock, clock=AheadClock())
        test = WriteTest("the database", watch.write, failures=(RoomsError,))
        async with running(test.run()):
            assert await test.works()
            other = sqlite3.connect(tmp_path / "store.sqlite", isolation_level=None)
            other.execute("BEGIN IMMEDIATE")
            assert not await test.works()  # it still waits
            async with asyncio.timeout(20):
                while "the database: cannot be written" not in caplog.text:  # noqa: ASYNC110  # it tells the log
                    await asyncio.sleep(0.02)
            other.execute("ROLLBACK")
            other.close()
            async with asyncio.timeout(20):
                while not await test.works():  # noqa: ASYNC110  # each look is a try
                    await asyncio.sleep(0.02)
