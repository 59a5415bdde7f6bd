"""The histories of lessons in the database: one row per lesson and room, for some days."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import ForeignKey, LargeBinary, delete, select
from sqlalchemy.orm import Mapped, mapped_column

from controller.quality.history import History
from rooms.lesson import LessonId
from rooms.room import RoomId
from store import Store
from store.columns import UtcDateTime
from store.tables import ID, Base

KEPT = timedelta(days=14)
"""Long enough to be asked about after a weekend; what a school's link is like shows in the next lesson as well."""


class QualityRow(Base):
    __tablename__ = "lesson_quality"

    lesson_id: Mapped[str] = mapped_column(ForeignKey("lessons.id"), primary_key=True)
    room_id: Mapped[str] = mapped_column(ID, primary_key=True)
    start_at: Mapped[datetime] = mapped_column(UtcDateTime)
    written_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    interval_s: Mapped[int]
    samples: Mapped[bytes] = mapped_column(LargeBinary)  # `History.to_bytes`


class QualityStore:
    """Each method is one transaction. All raise `StoreUnavailable`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def put(self, lesson_id: LessonId, histories: Mapping[RoomId, History], now: datetime) -> None:
        """Write these rooms' histories over what was there."""
        async with self._store.writing() as db:
            for room_id, history in histories.items():
                await db.merge(
                    QualityRow(
                        lesson_id=lesson_id,
                        room_id=room_id,
                        start_at=history.start,
                        written_at=now,
                        interval_s=history.interval_s,
                        samples=history.to_bytes(),
                    )
                )

    async def get(self, lesson_id: LessonId) -> dict[RoomId, History]:
        """Empty where nothing was written, or it is too long ago."""
        async with self._store.reading() as db:
            rows = await db.scalars(select(QualityRow).where(QualityRow.lesson_id == lesson_id))
            return {RoomId(row.room_id): History.from_bytes(row.start_at, row.interval_s, row.samples) for row in rows}

    async def forget(self, now: datetime) -> None:
        """Delete what was written before `KEPT`."""
        async with self._store.writing() as db:
            await db.execute(delete(QualityRow).where(QualityRow.written_at < now - KEPT))
