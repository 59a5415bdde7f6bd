"""The database of what a school plans, opened with its schema brought up to date."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import MetaData
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from rooms.store.audit import Audit
from rooms.store.devices import Devices
from rooms.store.displays import Displays
from rooms.store.lessons import Lessons
from rooms.store.organisations import Organisations
from rooms.store.rooms import Rooms
from rooms.store.scenes import Scenes


class Store:
    """All that is kept, by noun. Tables of other packages live in the same database and use `reading` and `writing`."""

    engine: AsyncEngine
    metadata: MetaData
    organisations: Organisations
    rooms: Rooms
    displays: Displays
    devices: Devices
    scenes: Scenes
    lessons: Lessons
    audit: Audit

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        """One consistent view of the database; nothing may be written."""
        raise NotImplementedError
        yield

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncSession]:
        """One transaction: committed at the end, rolled back if the block raises."""
        raise NotImplementedError
        yield


@asynccontextmanager
async def open_store(url: str) -> AsyncIterator[Store]:
    """The store at `url`, e.g. `sqlite:///nhipcau.db` or `postgresql://user:password@host/name`, migrations applied.

    Raises `StoreUnavailable`, `StoreTooNew`, `InvalidValue` for another kind of URL.
    """
    raise NotImplementedError
    yield
