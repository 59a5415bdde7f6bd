"""What rooms and people are searched and listed by, and indexes in the order of their pages.

A migration names its own types and words: what it made must not change when the code does.
"""

import unicodedata

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

FOLDED = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
AT_ONCE = 1_000


def folded(text: str) -> str:
    spelled = unicodedata.normalize("NFD", text.casefold().replace("đ", "d"))
    return " ".join("".join(each for each in spelled if not unicodedata.combining(each)).split())


def fill(table: sa.TableClause, said: sa.ColumnElement[str]) -> None:
    connection = op.get_bind()
    rows = [{"of": id, "with": folded(text)} for id, text in connection.execute(sa.select(table.c.id, said))]
    change = table.update().where(table.c.id == sa.bindparam("of")).values(folded=sa.bindparam("with"))
    for start in range(0, len(rows), AT_ONCE):
        connection.execute(change, rows[start : start + AT_ONCE])


def upgrade() -> None:
    rooms = sa.table("rooms", *(sa.column(each, sa.Text) for each in ("id", "name", "folded")))
    people = sa.table("accounts", *(sa.column(each, sa.Text) for each in ("id", "display_name", "name", "folded")))
    lessons = sa.table("lessons", *(sa.column(each, sa.Text) for each in ("id", "title", "subject", "folded")))
    for table, said in (
        (rooms, rooms.c.name),
        (people, people.c.display_name + " " + people.c.name),
        (lessons, lessons.c.title + " " + lessons.c.subject),
    ):
        op.add_column(table.name, sa.Column("folded", FOLDED, nullable=False, server_default=sa.text("''")))
        fill(table, said)
    there = sa.text("deleted_at IS NULL")
    op.create_index(
        "ix_rooms_listed", "rooms", ["school_id", "folded", "id"], sqlite_where=there, postgresql_where=there
    )
    op.create_index("ix_accounts_listed", "accounts", ["folded", "id"])
    op.create_index("ix_lessons_listed", "lessons", ["start_at", "id"])
    op.create_index("ix_lessons_of_host", "lessons", ["host_school_id", "start_at", "id"])
    op.drop_index("ix_lessons_start_at", "lessons")
    op.drop_index("ix_lessons_host_school_id", "lessons")
