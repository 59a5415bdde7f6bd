"""Who waits for a core, how long, and in which order."""

import asyncio
import os
import threading

import pytest

from controller.people.hashing import MOST_OTHERS, NICENESS, HashingQueue
from rooms.people.errors import LoginsBusy


class Held:
    """Work that takes until it is let go."""

    def __init__(self) -> None:
        self.go_on = threading.Event()
        self.order: list[str] = []

    async def held(self, queue: HashingQueue) -> "asyncio.Task[bool]":
        started = asyncio.Event()
        loop = asyncio.get_running_loop()

        def wait() -> bool:
            loop.call_soon_threadsafe(started.set)
            return self.go_on.wait(10)

        task = asyncio.create_task(queue.run(wait, first=False))
        await started.wait()
        return task

    def ask(self, queue: HashingQueue, name: str, *, first: bool = False) -> "asyncio.Task[None]":
        return asyncio.create_task(queue.run(lambda: self.order.append(name), first=first))


async def test_known_ones_go_before_others_and_each_in_turn() -> None:
    queue, work = HashingQueue(1), Held()
    running = await work.held(queue)
    asked = [work.ask(queue, name, first=name.startswith("known")) for name in ("a", "known 1", "b", "known 2")]
    await asyncio.sleep(0)
    work.go_on.set()
    await asyncio.gather(running, *asked)
    assert work.order == ["known 1", "known 2", "a", "b"]
    assert queue.idle


async def test_the_row_is_short_and_known_ones_have_their_own() -> None:
    queue, work = HashingQueue(1), Held()
    running = await work.held(queue)
    asked = [work.ask(queue, "other") for _ in range(MOST_OTHERS)]
    await asyncio.sleep(0)
    with pytest.raises(LoginsBusy):
        await queue.run(lambda: None, first=False)
    asked.append(work.ask(queue, "known", first=True))
    await asyncio.sleep(0)
    work.go_on.set()
    await asyncio.gather(running, *asked)
    assert (work.order[0], len(work.order)) == ("known", MOST_OTHERS + 1)


async def test_who_leaves_holds_up_nobody() -> None:
    """Whether it waits or is being worked for; work that has begun keeps its thread until it is done."""
    queue, work = HashingQueue(1), Held()
    running = await work.held(queue)
    asked = [work.ask(queue, name) for name in "abc"]
    await asyncio.sleep(0)
    running.cancel()
    asked[0].cancel()
    await asyncio.wait([running, asked[0]])
    assert work.order == []
    work.go_on.set()
    await asyncio.gather(*asked[1:])
    assert work.order == ["b", "c"]
    assert queue.idle


async def test_work_steps_back_for_the_loop_and_the_media() -> None:
    def niceness() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    here = niceness()
    assert await HashingQueue(1).run(niceness, first=True) == max(here, NICENESS)
    assert niceness() == here
