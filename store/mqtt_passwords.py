"""The hashes of the schools' passwords at the embedded broker, in the database."""

from collections.abc import Mapping

from sqlalchemy import select

from rooms.school import OrganisationId, SchoolId
from store.database import Database
from store.tables import MqttPasswordRow


class MqttPasswords:
    """Each method is one transaction. All raise `StoreUnavailable`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self) -> dict[SchoolId, str]:
        async with self._database.reading() as db:
            rows = await db.scalars(select(MqttPasswordRow))
            return {SchoolId(OrganisationId(row.school_id)): row.password_hash for row in rows}

    async def has(self, school_id: SchoolId) -> bool:
        async with self._database.reading() as db:
            return await db.get(MqttPasswordRow, school_id) is not None

    async def put(self, hashes: Mapping[SchoolId, str]) -> None:
        """Set these schools' hashes."""
        async with self._database.writing() as db:
            for school_id, password_hash in hashes.items():
                await db.merge(MqttPasswordRow(school_id=school_id, password_hash=password_hash))
