"""What pages read of a thing that changed: read once for all of them, however many are open."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from aiohttp import web

from controller.changes import ChangeKind
from controller.schema import json_text
from controller.views.lesson_view import LessonView
from controller.web.messages import DeviceChanged, LessonChanged, RoomChanged, RoomRemoved
from controller.web.reading import device_json, lesson_view_json, room_json
from controller.web.services import Services
from devices.changes import Change, Changes
from devices.device import Device
from rooms.errors import RoomNotFound
from rooms.lesson import LessonId
from rooms.people.rights import Rights, Standing
from rooms.room import Room, RoomId

CAPACITY = 1024
SHARED = (ChangeKind.LESSON, ChangeKind.ROOM, ChangeKind.DEVICE)

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
        changes.on_publish(lambda change: self._entries.pop(change, None), *SHARED)

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


Standings = tuple[Standing, ...]


@dataclass(frozen=True, slots=True)
class SharedLesson:
    """A lesson as it is until its next change, with the messages of it: one for all who have the same rights in it."""

    view: LessonView
    messages: dict[Standings, bytes] = field(default_factory=dict)

    def standings(self, rights: Rights) -> Standings:
        """All that a message depends on."""
        lesson, busy = self.view.lesson, self.view.busy
        others = () if busy is None else (busy.lesson.host_school_id, *(each.school_id for each in busy.lesson.sites))
        schools = (lesson.host_school_id, *(each.school_id for each in lesson.sites), *others)
        return tuple(rights.standing(each) for each in schools)


class PageReads:
    """What all pages read of the same change."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._lessons: SharedReads[SharedLesson] = SharedReads(services.changes)
        self._rooms: SharedReads[Room] = SharedReads(services.changes)
        self._messages: SharedReads[bytes] = SharedReads(services.changes)

    async def room(self, change: Change) -> Room:
        """Also one that has been deleted. Raises `RoomNotFound`."""
        return await self._rooms.get(change, lambda: self._read_room(RoomId(change.id)))

    async def room_message(self, change: Change) -> bytes:
        """Of a room or its end; the same for all who may see it."""
        room = await self.room(change)
        return await self._messages.get(change, lambda: self._room_message(room))

    async def device_message(self, change: Change, device: Device) -> bytes:
        """The same for all who may see it."""
        return await self._messages.get(change, lambda: self._device_message(device))

    async def lesson(self, change: Change) -> SharedLesson:
        """Raises `LessonNotFound`."""
        return await self._lessons.get(change, lambda: self._read_lesson(LessonId(change.id)))

    async def lesson_message(self, change: Change, rights: Rights) -> bytes:
        """As whoever has these rights may know it. Raises `LessonNotFound`, `HiddenObject`."""
        shared = await self.lesson(change)
        rights.require_lesson(None, shared.view.lesson)
        standings = shared.standings(rights)
        message = shared.messages.get(standings)
        if message is None:
            lesson = await lesson_view_json(self._services, rights, shared.view)
            message = shared.messages[standings] = text_of(LessonChanged(lesson=lesson))
        return message

    async def _read_lesson(self, id: LessonId) -> SharedLesson:
        return SharedLesson(await self._services.views.lessons.get(id))

    async def _read_room(self, id: RoomId) -> Room:
        found = (await self._services.store.rooms.named([id])).get(id)
        if found is None:
            raise RoomNotFound(f"no room {id}")
        return found

    async def _room_message(self, room: Room) -> bytes:
        try:
            there = await self._services.store.rooms.get(room.id)
        except RoomNotFound:
            return text_of(RoomRemoved(id=room.id))
        return text_of(RoomChanged(room=await room_json(self._services, there)))

    async def _device_message(self, device: Device) -> bytes:
        return text_of(DeviceChanged(device=device_json(self._services, device)))


def text_of(message: object) -> bytes:
    """One of `controller/web/messages.py`, as many pages may be sent it."""
    return json_text(message).encode()


PAGE_READS = web.AppKey("page_reads", PageReads)
