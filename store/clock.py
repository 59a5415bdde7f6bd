"""The last moment at which the clock was believed, in the database: one row."""

import asyncio
from datetime import datetime

from sqlalchemy import String, update
from sqlalchemy.orm import Mapped, mapped_column

from store import Store
from store.columns import UtcDateTime
from store.tables import Base

_ONLY = 1


class ClockRow(Base):
    __tablename__ = "clock"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    boot: Mapped[str] = mapped_column(String(64))
    uptime_s: Mapped[float]


class ClockStore:
    """Each method is one transaction. All raise `StoreUnavailable`."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._turn = asyncio.Lock()

    async def get(self) -> ClockRow | None:
        """None before the first `put`."""
        async with self._store.reading() as db:
            return await db.get(ClockRow, _ONLY)

    async def put(self, *, at: datetime, boot: str, uptime_s: float) -> None:
        """Written also where it says the same as before: it is how we see whether anything can be written."""
        values = {"at": at, "boot": boot, "uptime_s": uptime_s}
        async with self._turn, self._store.writing() as db:  # two that find no row would both add it
            written = update(ClockRow).where(ClockRow.id == _ONLY).values(values).returning(ClockRow.id)
            if await db.scalar(written) is None:
                db.add(ClockRow(id=_ONLY, **values))
