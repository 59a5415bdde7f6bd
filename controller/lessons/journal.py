"""What happened to lessons: written into the audit log at once, or, while the database takes nothing, once it does."""

import asyncio
import logging
from collections import deque
from contextlib import suppress

from rooms.audit import AuditEntry
from rooms.errors import StoreUnavailable
from store import Store

logger = logging.getLogger(__name__)

AGAIN_S = 2.0
PATIENCE_S = 3.0
"""Who did something does not wait longer for its audit line."""
MOST_UNWRITTEN = 1000
"""Audit entries; beyond it the oldest are lost, and the log has them still."""


class Journal:
    """Its owner runs `run()` in a task; until then nothing is written."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._entries: deque[AuditEntry] = deque(maxlen=MOST_UNWRITTEN)
        self._added = asyncio.Event()
        self._tried = asyncio.Event()

    async def add(self, entry: AuditEntry) -> None:
        """Have it recorded; return once it is, or cannot be now, or after `PATIENCE_S`."""
        self._entries.append(entry)
        self._tried.clear()
        self._added.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_S):
                await self._tried.wait()
        if entry in self._entries:
            logger.warning("%s of %s: not in the audit log yet", entry.action, entry.object_id)

    async def run(self) -> None:
        """Write what there is, and try again what could not be written, until cancelled."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(AGAIN_S):
                    await self._added.wait()
            self._added.clear()
            try:
                await self._store.lessons.catch_up()
                await self._write()
            except StoreUnavailable as error:
                logger.debug("still not written: %s", error)
            self._tried.set()

    async def _write(self) -> None:
        """Oldest first. Raises `StoreUnavailable`."""
        while self._entries:
            entry = self._entries[0]
            await self._store.audit.add(entry)
            if self._entries and self._entries[0] is entry:  # else it was the oldest of too many meanwhile
                self._entries.popleft()
