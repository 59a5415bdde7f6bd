"""A clock that jumps: the machine's own word on it is given by the test, lessons and database are real."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from controller.clock import machine as machine_clock
from controller.clock.watch import JUMP, ClockWatch, Machine, Moment, jump
from controller.lessons.conductor import Conductor
from controller.views.views import Views
from rooms.lesson import EndReason, LessonId, LessonState
from store import Store, open_store
from tests.controller.conducted import LESSON, House
from tests.rooms.samples import MINUTE

AT = datetime(2026, 11, 30, 0, 0, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
async def store(url: str) -> AsyncIterator[Store]:
    async with open_store(url) as opened:
        yield opened


def moment(at: datetime, uptime_s: float, boot: str = "first") -> Moment:
    return Moment(at=at, boot=boot, uptime_s=uptime_s)


@pytest.mark.parametrize(
    ("now", "by"),
    [
        (moment(AT + MINUTE, 160.0), timedelta(0)),
        (moment(AT + 3 * DAY, 100.0 + 3 * DAY.total_seconds()), timedelta(0)),  # it ran, or slept, so long
        (moment(AT + DAY, 160.0), DAY - MINUTE),
        (moment(AT - DAY, 160.0), -DAY - MINUTE),
        (moment(AT + MINUTE, 5.0, "second"), MINUTE),  # started anew
        (moment(AT + DAY, 5.0, "second"), DAY),
        (moment(AT - DAY, 5.0, "second"), -DAY),
        (moment(AT + DAY, 160.0, ""), DAY),  # a system that does not say which boot it is
    ],
)
def test_a_jump_is_what_the_uptime_does_not_explain(now: Moment, by: timedelta) -> None:
    assert jump(moment(AT, 100.0, now.boot if not now.boot else "first"), now) == by


@dataclass
class Board:
    """A machine whose clock, uptime, boot and synchronisation the test sets."""

    now: datetime = AT
    uptime: float = 100.0
    boot: str = "first"
    kept: bool = False

    def run(self, by: timedelta) -> None:
        self.now += by
        self.uptime += by.total_seconds()

    def start_anew(self, *, off: timedelta) -> None:
        self.now, self.uptime, self.boot = self.now + off, 5.0, self.boot + "+"

    def watch(self, store: Store) -> ClockWatch:
        machine = Machine(uptime_s=lambda: self.uptime, boot=lambda: self.boot, synchronised=lambda: self.kept)
        return ClockWatch(store.clock, clock=lambda: self.now, machine=machine)


async def test_first_start_believes_the_clock(store: Store) -> None:
    watch = Board().watch(store)
    await watch.begin()
    assert watch.believed()


@pytest.mark.parametrize("off", [DAY, -DAY, JUMP + MINUTE])
async def test_clock_that_is_off_at_the_next_start_is_held_over_restarts_until_somebody_accepts_it(
    store: Store, off: timedelta
) -> None:
    board = Board()
    first = board.watch(store)
    await first.begin()
    await first.write()
    board.start_anew(off=off)
    for _ in range(2):  # what is not believed is not written
        watch = board.watch(store)
        await watch.begin()
        assert not watch.believed()
        await watch.write()
        board.run(MINUTE)
    called: list[bool] = []
    watch.on_believed(lambda: called.append(watch.believed()))
    assert watch.accept("operator")
    assert (called, watch.accept("operator")) == ([True], False)
    await watch.write()
    again = board.watch(store)
    await again.begin()
    assert again.believed()


async def test_time_is_kept_by_many_at_once(store: Store) -> None:
    board = Board()
    watch = board.watch(store)
    for _ in range(3):
        board.run(MINUTE)
        await asyncio.gather(*(watch.write() for _ in range(8)))
    kept = await store.clock.get()
    assert kept is not None
    assert (kept.at, kept.boot, kept.uptime_s) == (board.now, board.boot, board.uptime)


async def test_machine_that_was_started_anew_within_minutes_is_believed(store: Store) -> None:
    board = Board()
    await board.watch(store).write()
    board.start_anew(off=2 * MINUTE)
    watch = board.watch(store)
    await watch.begin()
    assert watch.believed()


async def test_clock_that_is_set_within_a_run_is_held_until_it_is_right_again(store: Store) -> None:
    board = Board()
    watch = board.watch(store)
    board.run(3 * DAY)
    assert watch.believed()
    board.now += timedelta(hours=2)
    assert not watch.believed()
    board.run(MINUTE)
    assert not watch.believed()
    board.now -= timedelta(hours=2)
    assert watch.believed()


async def test_clock_that_a_time_server_keeps_is_believed_whatever_it_says(store: Store) -> None:
    board = Board()
    watch = board.watch(store)
    board.now += DAY
    assert not watch.believed()
    board.kept = True
    assert watch.believed()
    board.kept = False
    board.run(MINUTE)
    assert watch.believed()


def test_the_machine_says_its_own_clock() -> None:
    before = machine_clock.uptime_s()
    assert before > 0
    assert machine_clock.uptime_s() >= before
    assert machine_clock.boot_id() == Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    status = machine_clock._kernel_status()
    assert status is None or 0 <= status < 1 << 16
    if status is not None and not status & machine_clock.STA_UNSYNC:
        assert machine_clock.synchronised()


# --- lessons ---


@asynccontextmanager
async def conducted(house: House, watch: ClockWatch) -> AsyncIterator[tuple[Conductor, Views]]:
    async with house.conducted(clock_believed=watch.believed) as (conductor, views):
        watch.on_believed(conductor.retime)
        yield conductor, views


def watch_of(house: House, board: Board) -> ClockWatch:
    machine = Machine(uptime_s=lambda: board.uptime, boot=lambda: board.boot, synchronised=lambda: board.kept)
    return ClockWatch(house.store.clock, clock=house.clock, machine=machine)


async def test_lessons_of_a_day_are_not_cancelled_by_a_clock_that_is_a_day_ahead(house: House) -> None:
    board = Board(uptime=machine_clock.uptime_s())
    watch = watch_of(house, board)
    await watch.write()
    await house.plan(begins=60 * MINUTE)
    house.clock.move(DAY)  # a flat battery
    board.uptime, board.boot = 5.0, "second"
    watch = watch_of(house, board)
    await watch.begin()
    async with conducted(house, watch) as (conductor, views):
        await conductor.look(LESSON)
        await conductor.look(LESSON)
        assert await house.state() is LessonState.SCHEDULED
        house.clock.move(-DAY)  # somebody sets it right
        assert watch.believed()
        assert await house.state() is LessonState.SCHEDULED


async def test_what_was_held_is_done_once_the_clock_is_accepted(house: House) -> None:
    board = Board(uptime=machine_clock.uptime_s())
    watch = watch_of(house, board)
    await house.plan()
    await house.plan(id="never", begins=60 * MINUTE)
    async with conducted(house, watch) as (conductor, views):
        await conductor.start(LESSON, "teacher")
        house.clock.move(timedelta(hours=3))
        await conductor.look(LESSON)
        assert await house.state() is LessonState.LIVE
        watch.accept("operator")
        view = await house.until_view(views, lambda view: view.lesson.state is LessonState.ENDED)
        assert view.lesson.end_reason is EndReason.TIME
        never = LessonId("never")
        view = await house.until_view(views, lambda view: view.lesson.state is LessonState.CANCELLED, never)
        assert view.lesson.end_reason is EndReason.NOT_STARTED


async def test_a_person_ends_a_lesson_whatever_the_clock_says(house: House) -> None:
    watch = watch_of(house, Board(uptime=machine_clock.uptime_s()))
    await house.plan()
    async with conducted(house, watch) as (conductor, _):
        await conductor.start(LESSON, "teacher")
        house.clock.move(timedelta(hours=3))
        await conductor.end(LESSON, "teacher", EndReason.TAP)
        assert await house.state() is LessonState.ENDED
