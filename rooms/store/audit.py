"""The audit log in the database. Entries are added, never changed."""

from collections.abc import Mapping

from sqlalchemy import select

from rooms.audit import AuditEntry
from rooms.store.database import Database
from rooms.store.tables import AuditRow, JsonObject


class Audit:
    """Who changed what, and when."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, entry: AuditEntry) -> None:
        """Write one entry."""
        async with self._database.writing() as db:
            db.add(
                AuditRow(
                    at=entry.at,
                    actor=entry.actor,
                    action=entry.action,
                    object_kind=entry.object_kind,
                    object_id=entry.object_id,
                    before=_json(entry.before),
                    after=_json(entry.after),
                )
            )

    async def list(
        self, *, object_kind: str | None = None, object_id: str | None = None, limit: int = 100
    ) -> tuple[AuditEntry, ...]:
        """The newest entries first, of one kind or one object where given."""
        query = select(AuditRow).order_by(AuditRow.id.desc()).limit(limit)
        if object_kind is not None:
            query = query.where(AuditRow.object_kind == object_kind)
        if object_id is not None:
            query = query.where(AuditRow.object_id == object_id)
        async with self._database.reading() as db:
            return tuple(_entry(row) for row in await db.scalars(query))


def _json(value: Mapping[str, object] | None) -> JsonObject | None:
    return None if value is None else dict(value)


def _entry(row: AuditRow) -> AuditEntry:
    return AuditEntry(
        at=row.at,
        actor=row.actor,
        action=row.action,
        object_kind=row.object_kind,
        object_id=row.object_id,
        before=row.before,
        after=row.after,
    )
