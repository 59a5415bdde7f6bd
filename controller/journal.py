"""What happened to lessons while the database took no writes: kept in memory, and written once it does."""

import asyncio
import logging
from collections import deque

from rooms.audit import AuditEntry
from rooms.errors import StoreUnavailable
from rooms.store import Store

logger = logging.getLogger(__name__)

AGAIN_S = 2.0
MOST_UNWRITTEN = 1000
"""Audit entries; beyond it the oldest are lost, and the log has them still."""


class Journal:
    """Its owner runs `run()` in a task."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._entries: deque[AuditEntry] = deque(maxlen=MOST_UNWRITTEN)
        self._writing = asyncio.Lock()

    async def add(self, entry: AuditEntry) -> None:
        """Record what was done, now or later."""
        self._entries.append(entry)
        try:
            await self._write()
        except StoreUnavailable as error:
            logger.warning("%s of %s: not in the audit log yet: %s", entry.action, entry.object_id, error)

    async def run(self) -> None:
        """Try again until cancelled."""
        while True:
            await asyncio.sleep(AGAIN_S)
            try:
                await self._store.lessons.catch_up()
                await self._write()
            except StoreUnavailable as error:
                logger.debug("still not written: %s", error)

    async def _write(self) -> None:
        """Oldest first. Raises `StoreUnavailable`."""
        async with self._writing:
            while self._entries:
                entry = self._entries[0]
                await self._store.audit.add(entry)
                if self._entries and self._entries[0] is entry:  # else it was the oldest of too many meanwhile
                    self._entries.popleft()
