"""What pages read of a thing that changed: read once for all of them, however many are open."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from aiohttp import web

from controller.changes import Change, Changes
from controller.views.lesson_view import LessonView
from rooms.room import Room

CAPACITY = 1024

T = TypeVar("T")


class _Entry(Generic[T]):
    """One thing as it is until its next change."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.values: list[T] = []  # none yet, or the one


class SharedReads(Generic[T]):
    """Values by change, each forgotten at the next change of its thing; the oldest makes room.

    The first page that asks reads, in its own task, and the others wait for it. Whoever read before a change is told of
    it, and asks again.
    """

    def __init__(self, changes: Changes) -> None:
        self._entries: OrderedDict[Change, _Entry[T]] = OrderedDict()
        changes.on_publish(lambda change: self._entries.pop(change, None))

    async def get(self, change: Change, read: Callable[[], Awaitable[T]]) -> T:
        """Raises what `read` does; that is not kept."""
        entry = self._entries.get(change)
        if entry is None:
            entry = self._entries[change] = _Entry()
            if len(self._entries) > CAPACITY:
                self._entries.popitem(last=False)
        async with entry.lock:
            if not entry.values:
                entry.values.append(await read())
            return entry.values[0]


class PageReads:
    """What all pages read of the same change. `bodies`: of devices and rooms, the same for all who may see them."""

    def __init__(self, changes: Changes) -> None:
        self.lessons: SharedReads[LessonView] = SharedReads(changes)
        self.rooms: SharedReads[Room] = SharedReads(changes)
        self.bodies: SharedReads[str] = SharedReads(changes)


PAGE_READS = web.AppKey("page_reads", PageReads)
