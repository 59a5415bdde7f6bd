"""Organisations in the database."""

from collections.abc import Collection, Iterable, Mapping

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from rooms.errors import AlreadyExists, OrganisationNotFound
from rooms.school import Organisation, OrganisationId
from store.database import Database
from store.tables import OrganisationRow


class Organisations:
    """The tree of departments and schools."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, organisation: Organisation) -> None:
        """Raises `AlreadyExists`, and `OrganisationNotFound` for an unknown parent."""
        async with self._database.writing() as db:
            parent_id = organisation.parent_id
            if parent_id is not None and await db.get(OrganisationRow, parent_id) is None:
                raise OrganisationNotFound(f"no organisation {parent_id}")
            db.add(
                OrganisationRow(
                    id=organisation.id,
                    parent_id=parent_id,
                    kind=organisation.kind,
                    name=organisation.name,
                    province=organisation.province,
                    timezone=organisation.timezone,
                )
            )
            try:
                await db.flush()
            except IntegrityError as error:
                raise AlreadyExists(f"there is an organisation {organisation.id}") from error

    async def rename(self, organisation: Organisation) -> None:
        """Its name and province are as here. Raises `OrganisationNotFound`."""
        async with self._database.writing() as db:
            row = await db.get(OrganisationRow, organisation.id)
            if row is None:
                raise OrganisationNotFound(f"no organisation {organisation.id}")
            row.name, row.province = organisation.name, organisation.province

    async def get(self, organisation_id: OrganisationId) -> Organisation:
        """Raises `OrganisationNotFound`."""
        async with self._database.reading() as db:
            row = await db.get(OrganisationRow, organisation_id)
            if row is None:
                raise OrganisationNotFound(f"no organisation {organisation_id}")
            return _organisation(row)

    async def named(self, organisation_ids: Collection[OrganisationId]) -> Mapping[OrganisationId, Organisation]:
        """These, by id. Unknown ids are left out."""
        async with self._database.reading() as db:
            rows = await db.scalars(select(OrganisationRow).where(OrganisationRow.id.in_(organisation_ids)))
            return {OrganisationId(row.id): _organisation(row) for row in rows}

    async def list(self) -> tuple[Organisation, ...]:
        """All, by name."""
        async with self._database.reading() as db:
            return _by_name(await db.scalars(select(OrganisationRow)))

    async def children(self, organisation_id: OrganisationId) -> tuple[Organisation, ...]:
        """Those directly below, by name."""
        async with self._database.reading() as db:
            rows = await db.scalars(select(OrganisationRow).where(OrganisationRow.parent_id == organisation_id))
            return _by_name(rows)

    async def below(self, organisation_id: OrganisationId) -> tuple[Organisation, ...]:
        """The organisation itself and all below it, at any depth, by name; none where it is unknown."""
        ids = select(OrganisationRow.id).where(OrganisationRow.id == organisation_id).cte(recursive=True)
        ids = ids.union(select(OrganisationRow.id).where(OrganisationRow.parent_id == ids.c.id))
        async with self._database.reading() as db:
            rows = await db.scalars(select(OrganisationRow).where(OrganisationRow.id.in_(select(ids.c.id))))
            return _by_name(rows)


def _by_name(rows: Iterable[OrganisationRow]) -> tuple[Organisation, ...]:
    # Sorted here, not there: the two databases have different ideas of order.
    return tuple(sorted((_organisation(row) for row in rows), key=lambda each: (each.name, each.id)))


def _organisation(row: OrganisationRow) -> Organisation:
    return Organisation(
        id=OrganisationId(row.id),
        parent_id=None if row.parent_id is None else OrganisationId(row.parent_id),
        kind=row.kind,
        name=row.name,
        province=row.province,
        timezone=row.timezone,
    )
