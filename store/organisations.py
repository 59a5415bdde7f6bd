"""Organisations in the database."""

from collections.abc import Collection, Iterable, Mapping

from sqlalchemy import event, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from rooms.errors import AlreadyExists, OrganisationNotFound
from rooms.organisation_tree import OrganisationTree
from rooms.school import Organisation, OrganisationId
from store.database import Database
from store.tables import OrganisationRow


class Organisations:
    """The tree of departments and schools. `tree`: the same in memory, which follows what is written here."""

    def __init__(self, database: Database, tree: OrganisationTree) -> None:
        self._database = database
        self.tree = tree

    async def read(self) -> None:
        """Take into `tree` what is in the database. One process at a time works on it, so this is done once."""
        for each in await self.list():
            self.tree.put(each)

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
            self._follow(db, organisation)

    async def rename(self, organisation: Organisation) -> None:
        """Its name and province are as here. Raises `OrganisationNotFound`."""
        async with self._database.writing() as db:
            row = await db.get(OrganisationRow, organisation.id)
            if row is None:
                raise OrganisationNotFound(f"no organisation {organisation.id}")
            row.name, row.province = organisation.name, organisation.province
            self._follow(db, _organisation(row))

    def _follow(self, db: AsyncSession, organisation: Organisation) -> None:
        """Once the transaction has succeeded, which may have more to do."""
        event.listen(db.sync_session, "after_commit", lambda _: self.tree.put(organisation), once=True)

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
