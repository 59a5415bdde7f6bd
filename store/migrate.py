"""Bringing a database's schema up to date, by whichever process comes first."""

import asyncio
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.engine import URL

from rooms.errors import StoreTooNew
from store.engine import make_migration_engine

_MIGRATIONS = Path(__file__).with_name("migrations")
_LOCK = 0x6E686970636175  # any number of our own: "nhipcau"


async def migrate(url: URL) -> None:
    """Apply the migrations that are missing, in one transaction; a second process waits and finds nothing to do.

    Raises `StoreTooNew` where the database is at a revision this program does not know, `OSError` for a path that
    cannot be.
    """
    if url.get_backend_name() == "sqlite" and url.database is not None:
        await asyncio.to_thread(Path(url.database).touch)  # says better than SQLite what is wrong with the path
    engine = make_migration_engine(url)
    try:
        async with engine.begin() as connection:  # SQLite: exclusive against other writers from here on
            if engine.dialect.name == "postgresql":
                await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            await connection.run_sync(_upgrade)
    finally:
        await engine.dispose()


def _upgrade(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    known = {revision.revision for revision in ScriptDirectory.from_config(config).walk_revisions()}
    current = MigrationContext.configure(connection).get_current_revision()
    if current is not None and current not in known:
        raise StoreTooNew(f"the database is at revision {current}, which this version does not know; upgrade it")
    command.upgrade(config, "head")
