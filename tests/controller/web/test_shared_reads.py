"""What many pages are told of is read once."""

import asyncio

import pytest

from controller.changes import ChangeKind
from controller.web.shared_reads import CAPACITY, SharedReads
from devices.changes import Change, Changes

LESSON = Change(ChangeKind.LESSON, "l1")


class Source:
    """Gives how often it was read, when it is let."""

    def __init__(self) -> None:
        self.reads = 0
        self.go_on = asyncio.Event()

    async def read(self) -> int:
        self.reads += 1
        mine = self.reads
        await self.go_on.wait()
        return mine


async def test_all_who_ask_after_one_change_share_a_read_and_the_next_change_is_read_again() -> None:
    changes, source = Changes(), Source()
    shared: SharedReads[int] = SharedReads(changes)
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        first = [tasks.create_task(shared.get(LESSON, source.read)) for _ in range(500)]
        await asyncio.sleep(0)
        changes.publish(LESSON.kind, LESSON.id)
        second = [tasks.create_task(shared.get(LESSON, source.read)) for _ in range(500)]
        await asyncio.sleep(0)
        source.go_on.set()
    assert [{each.result() for each in asked} for asked in (first, second)] == [{1}, {2}]
    changes.publish(ChangeKind.LESSON, "another")
    assert await shared.get(LESSON, source.read) == 2


async def test_a_page_that_goes_while_it_reads_leaves_the_reading_to_the_next() -> None:
    source = Source()
    shared: SharedReads[int] = SharedReads(Changes())
    going = asyncio.create_task(shared.get(LESSON, source.read))
    staying = asyncio.create_task(shared.get(LESSON, source.read))
    await asyncio.sleep(0)
    going.cancel()
    source.go_on.set()
    assert await staying == 2


async def test_what_fails_is_not_kept() -> None:
    shared: SharedReads[int] = SharedReads(Changes())

    async def fail() -> int:
        raise LookupError("gone")

    source = Source()
    source.go_on.set()
    with pytest.raises(LookupError):
        await shared.get(LESSON, fail)
    assert await shared.get(LESSON, source.read) == 1


async def test_the_oldest_makes_room() -> None:
    source = Source()
    source.go_on.set()
    shared: SharedReads[int] = SharedReads(Changes())
    for number in range(CAPACITY + 1):
        await shared.get(Change(ChangeKind.LESSON, f"l{number}"), source.read)
    assert await shared.get(Change(ChangeKind.LESSON, f"l{CAPACITY}"), source.read) == CAPACITY + 1
    assert await shared.get(Change(ChangeKind.LESSON, "l0"), source.read) == CAPACITY + 2
