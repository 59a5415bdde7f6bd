"""A lesson on a disk that is full: it goes on, it can be ended, and what was not written follows."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from rooms.errors import StoreUnavailable
from rooms.floor import Floor, Mode
from rooms.lesson import EndReason, LessonId, LessonState
from testing.mosquitto import Broker
from tests.controller.conducted import LESSON, House, open_house
from tests.controller.stage import open_stage
from tests.filesystem import Disk, small_disk
from tests.rooms.samples import MINUTE, XUAN_ROOM


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    with small_disk(tmp_path) as disk:
        yield disk


@pytest.fixture
async def house(disk: Disk, broker: Broker) -> AsyncIterator[House]:
    async with open_stage(disk.path, broker.settings) as stage, open_house(stage) as house:
        yield house


async def until(holds: Callable[[], Coroutine[None, None, bool]]) -> None:
    async with asyncio.timeout(20):
        while not await holds():  # noqa: ASYNC110  # the database tells nobody
            await asyncio.sleep(0.02)


def written(house: House) -> Callable[[], Coroutine[None, None, bool]]:
    """Whether a program that starts now would find the lesson ended, and who ended it."""

    async def holds() -> bool:
        async with house.store.reading() as db:
            state = await db.scalar(text("SELECT state FROM lessons"))
        return state == "ended" and "lesson.end" in [action for _, action in await house.audited()]

    return holds


async def test_lesson_is_ended_on_a_full_disk_and_its_row_follows(house: House, disk: Disk) -> None:
    async with house.conducted() as (conductor, _):
        await house.plan()
        await conductor.start(LESSON, "teacher")
        await house.until_bridges({LESSON})
        with disk.full():
            with pytest.raises(StoreUnavailable):
                await house.store.lessons.set_mode(LESSON, Mode.TEACHER)
            await conductor.end(LESSON, "teacher", EndReason.TAP)
            await conductor.end(LESSON, "teacher", EndReason.TAP)  # a second tap
            lesson = await house.store.lessons.get(LESSON)
            assert (lesson.state, lesson.end_reason) == (LessonState.ENDED, EndReason.TAP)
            assert await house.store.lessons.live() == ()
            await house.until_bridges(set())
            assert not await written(house)()
        await until(written(house))
    assert await house.audited() == [("teacher", "lesson.start"), ("teacher", "lesson.end")]


async def test_time_ends_a_lesson_on_a_full_disk(house: House, disk: Disk) -> None:
    async with house.conducted() as (conductor, _):
        await house.plan(begins=-34 * MINUTE - timedelta(seconds=57), minutes=35)
        await conductor.start(LESSON, "teacher")
        await house.until_bridges({LESSON})
        with disk.full():
            await house.until_bridges(set())
            assert not await written(house)()
        await until(written(house))
    assert (await house.store.lessons.get(LESSON)).end_reason is EndReason.TIME


async def test_lesson_is_ended_while_somebody_holds_the_database(
    house: House, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("controller.lessons.moves.WRITE_PATIENCE_S", 0.2)
    async with house.conducted() as (conductor, _):
        await house.plan()
        await conductor.start(LESSON, "teacher")
        other = sqlite3.connect(disk.path / "store.sqlite", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        await conductor.end(LESSON, "teacher", EndReason.TAP)  # though it lets go only after this
        assert await house.state() is LessonState.ENDED
        other.execute("ROLLBACK")
        other.close()
        await until(written(house))


async def test_rooms_of_an_end_that_is_not_written_yet_are_free(house: House, disk: Disk) -> None:
    async with house.conducted() as (conductor, _):
        await house.plan()
        await house.plan(id="next", begins=35 * MINUTE)
        await conductor.start(LESSON, "teacher")
        with disk.full():
            await conductor.end(LESSON, "teacher", EndReason.TAP)
        await conductor.start(LessonId("next"), "teacher")
        assert await house.state() is LessonState.ENDED


async def test_next_controller_takes_up_a_lesson_on_a_full_disk(house: House, disk: Disk) -> None:
    await house.plan()
    async with house.conducted() as (conductor, _):
        await conductor.start(LESSON, "teacher")
        await house.store.lessons.set_floor(LESSON, Floor(room_id=XUAN_ROOM.id, until=house.clock() + MINUTE))
    with disk.full():
        house.clock.move(5 * MINUTE)
        async with house.conducted() as (conductor, views):
            await house.until(lambda: conductor.held(LESSON) is not None)
            assert (await views.lessons.get(LESSON)).lesson.state is LessonState.LIVE
