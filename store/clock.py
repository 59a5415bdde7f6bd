"""The last moment at which the clock was believed, in the database: one row."""

import asyncio
from datetime import datetime

from sqlalchemy import update

from store.database import Database
from store.tables import ClockRow

_ONLY = 1


class ClockStore:
    """Each method is one transaction. All raise `StoreUnavailable`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._turn = asyncio.Lock()

    async def get(self) -> ClockRow | None:
        """None before the first `put`."""
        async with self._database.reading() as db:
            return await db.get(ClockRow, _ONLY)

    async def put(self, *, at: datetime, boot: str, uptime_s: float) -> None:
        """Written also where it says the same as before: it is how we see whether anything can be written."""
        values = {"at": at, "boot": boot, "uptime_s": uptime_s}
        async with self._turn, self._database.writing() as db:  # two that find no row would both add it
            written = update(ClockRow).where(ClockRow.id == _ONLY).values(values).returning(ClockRow.id)
            if await db.scalar(written) is None:
                db.add(ClockRow(id=_ONLY, **values))
