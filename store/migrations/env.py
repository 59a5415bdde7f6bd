"""Alembic's entry: runs the migrations on the connection it is given, in that connection's transaction."""

from alembic import context

from store import people_tables  # noqa: F401  # its tables are of the same metadata
from store.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,  # SQLite changes a table by copying it
)
with context.begin_transaction():
    context.run_migrations()
