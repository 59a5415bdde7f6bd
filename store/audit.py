"""The audit log in the database. Entries are added, never changed, and removed only when they are old."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import ColumnElement, delete, exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from rooms.audit import AuditEntry, AuditFilter
from rooms.page import Page, Wanted
from rooms.school import OrganisationId
from store.database import Database
from store.paging import Order, read_page
from store.tables import (
    AuditReaderRow,
    AuditRow,
    DeviceRow,
    DisplayRow,
    JsonObject,
    LessonRow,
    OrganisationRow,
    RoomRow,
    SiteRow,
)

REMOVED_AT_ONCE = 1000  # rows; others write in between
_LISTED: Order[AuditRow] = Order((AuditRow.id,), lambda row: (row.id,), falling=True)
_LISTED_OF_READER: Order[AuditRow] = Order((AuditReaderRow.audit_id,), lambda row: (row.id,), falling=True)


class Audit:
    """Who changed what, and when."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, entry: AuditEntry) -> None:
        """Write one entry, and whose administrators may read it."""
        row = AuditRow(
            at=entry.at,
            actor=entry.actor,
            action=entry.action,
            object_kind=entry.object_kind,
            object_id=entry.object_id,
            before=_json(entry.before),
            after=_json(entry.after),
        )
        async with self._database.writing() as db:
            db.add(row)
            await db.flush()
            readers = entry.organisations | await _schools_of(db, entry)
            db.add_all(AuditReaderRow(organisation_id=each, audit_id=row.id) for each in sorted(readers))

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

    async def page(self, meant: AuditFilter, wanted: Wanted) -> Page[AuditEntry]:
        """The newest of `meant` first. They are not counted: there are very many."""
        query, order = select(AuditRow).where(*_conditions(meant)), _LISTED
        theirs = meant.organisations
        if theirs is not None and len(theirs) == 1:
            # One organisation's entries are few among all: they are gone through. Those of many are most of all.
            query = query.join(AuditReaderRow, AuditReaderRow.audit_id == AuditRow.id)
            query = query.where(AuditReaderRow.organisation_id == next(iter(theirs)))
            order = _LISTED_OF_READER
        elif theirs is not None:
            of_them = AuditReaderRow.organisation_id.in_(theirs)
            query = query.where(exists().where(AuditReaderRow.audit_id == AuditRow.id, of_them))
        async with self._database.reading() as db:
            return await read_page(db, query, order, wanted, _entry, counted=False)

    async def forget(self, until: datetime) -> int:
        """Remove what is older, a part at a time; how many entries that were."""
        old = select(AuditRow.id).where(AuditRow.at < until).order_by(AuditRow.at).limit(REMOVED_AT_ONCE)
        removed = 0
        while True:
            async with self._database.writing() as db:
                ids = list(await db.scalars(old))
                await db.execute(delete(AuditReaderRow).where(AuditReaderRow.audit_id.in_(ids)))
                await db.execute(delete(AuditRow).where(AuditRow.id.in_(ids)))
            removed += len(ids)
            if len(ids) < REMOVED_AT_ONCE:
                return removed


def _conditions(wanted: AuditFilter) -> list[ColumnElement[bool]]:
    found = []
    if wanted.actor is not None:
        found.append(AuditRow.actor == wanted.actor)
    if wanted.action is not None:
        found.append(AuditRow.action.startswith(wanted.action, autoescape=True))
    if wanted.start is not None:
        found.append(AuditRow.at >= wanted.start)
    if wanted.end is not None:
        found.append(AuditRow.at < wanted.end)
    return found


async def _schools_of(db: AsyncSession, entry: AuditEntry) -> frozenset[OrganisationId]:
    """Whose the entry's object is, or was; of a lesson, also the schools that take part."""
    id, said = entry.object_id, {**(entry.before or {}), **(entry.after or {})}
    match entry.object_kind:
        case "organisation":
            queries = [select(OrganisationRow.id).where(OrganisationRow.id == id)]
        case "room":
            queries = [select(RoomRow.school_id).where(RoomRow.id == id)]
        case "device":
            queries = [select(DeviceRow.school_id).where(DeviceRow.id == id)]
        case "display":
            room = (RoomRow.id == said.get("room")) | RoomRow.id.in_(
                select(DisplayRow.room_id).where(DisplayRow.id == id)
            )
            queries = [select(RoomRow.school_id).where(room)]
        case "lesson" if not entry.organisations:  # whoever changes a lesson knows who takes part
            queries = [
                select(LessonRow.host_school_id).where(LessonRow.id == id),
                select(SiteRow.school_id).where(SiteRow.lesson_id == id),
            ]
        case _:
            queries = []
    named = said.get("school")
    found = {named} if isinstance(named, str) else set()
    for query in queries:
        found |= set(await db.scalars(query))
    return frozenset(OrganisationId(each) for each in found)


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
