"""Timers fire by the real clock, so lessons are put a moment away from it."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from controller.lessons.timers import Timers
from rooms.lesson import EARLIEST_START, Lesson, LessonId, LessonState
from tests.rooms.samples import MINUTE, lesson

SOON = timedelta(seconds=0.2)


def now() -> datetime:
    return datetime.now(UTC)


def ending(in_: timedelta, name: str = "lesson-1") -> Lesson:
    """A scheduled lesson that has begun and ends in a while."""
    return lesson(name, start=now() + in_ - 35 * MINUTE)


def live(lesson: Lesson) -> Lesson:
    return replace(lesson, state=LessonState.LIVE, started_at=lesson.start)


class Due:
    """Timers that are running, and the lessons whose time came."""

    def __init__(self) -> None:
        self.lessons: asyncio.Queue[LessonId] = asyncio.Queue()
        self.timers = Timers(self.lessons.put_nowait, now)

    async def next(self) -> LessonId:
        async with asyncio.timeout(20):
            return await self.lessons.get()


@pytest.fixture
async def due() -> AsyncIterator[Due]:
    due = Due()
    async with due.timers:
        yield due


async def test_lesson_is_due_at_its_end(due: Due) -> None:
    planned = ending(SOON)
    due.timers.set(planned, MINUTE)
    assert await due.next() == planned.id
    assert now() >= planned.end


async def test_live_lesson_is_due_after_its_grace(due: Due) -> None:
    running = live(ending(SOON))
    due.timers.set(running, SOON)
    assert await due.next() == running.id
    assert now() >= running.end + SOON


async def test_what_is_long_past_is_due_at_once(due: Due) -> None:
    due.timers.set(live(ending(-timedelta(days=2))), MINUTE)
    assert await due.next() == "lesson-1"


async def test_lesson_that_can_be_started_soon_says_so(due: Due) -> None:
    due.timers.set(lesson(start=now() + EARLIEST_START + SOON), MINUTE)
    assert await due.next() == "lesson-1"
    assert due.lessons.empty()


async def test_timer_set_anew_replaces_the_old_one(due: Due) -> None:
    planned = ending(SOON)
    due.timers.set(planned, MINUTE)
    due.timers.set(replace(planned, end=planned.end + SOON), MINUTE)
    due.timers.set(ending(2 * SOON, "lesson-2"), MINUTE)
    assert [await due.next(), await due.next()] == ["lesson-1", "lesson-2"]
    assert due.lessons.empty()


async def test_lesson_that_is_over_has_no_timer(due: Due) -> None:
    planned = ending(SOON)
    due.timers.set(planned, MINUTE)
    due.timers.set(replace(planned, state=LessonState.CANCELLED), MINUTE)
    due.timers.set(ending(2 * SOON, "lesson-2"), MINUTE)
    assert await due.next() == "lesson-2"
    assert due.lessons.empty()
