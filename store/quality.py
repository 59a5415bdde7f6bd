"""The histories of lessons in the database: one row per lesson and room, for some days."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import delete, select

from rooms.lesson import LessonId
from rooms.room import RoomId
from store.database import Database
from store.tables import QualityRow

KEPT = timedelta(days=14)
"""Long enough to be asked about after a weekend; what a school's link is like shows in the next lesson as well."""


class StoredHistory(NamedTuple):
    """A site's figures: `samples` every `interval_s` from `start` on, as `controller/quality/history.py` packs them."""

    start: datetime
    interval_s: int
    samples: bytes


class QualityStore:
    """Each method is one transaction. All raise `StoreUnavailable`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, lesson_id: LessonId, histories: Mapping[RoomId, StoredHistory], now: datetime) -> None:
        """Write these rooms' histories over what was there."""
        async with self._database.writing() as db:
            for room_id, history in histories.items():
                await db.merge(
                    QualityRow(
                        lesson_id=lesson_id,
                        room_id=room_id,
                        start_at=history.start,
                        written_at=now,
                        interval_s=history.interval_s,
                        samples=history.samples,
                    )
                )

    async def get(self, lesson_id: LessonId) -> dict[RoomId, StoredHistory]:
        """Empty where nothing was written, or it is too long ago."""
        async with self._database.reading() as db:
            rows = await db.scalars(select(QualityRow).where(QualityRow.lesson_id == lesson_id))
            return {RoomId(row.room_id): StoredHistory(row.start_at, row.interval_s, row.samples) for row in rows}

    async def forget(self, now: datetime) -> None:
        """Delete what was written before `KEPT`."""
        async with self._database.writing() as db:
            await db.execute(delete(QualityRow).where(QualityRow.written_at < now - KEPT))
