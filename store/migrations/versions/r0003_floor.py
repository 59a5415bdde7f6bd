"""Mode and floor of a lesson.

A migration names its own types and words: what it made must not change when the code does.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("lessons", sa.Column("mode", sa.String(20), nullable=False, server_default="discussion"))
    op.add_column("lessons", sa.Column("floor_room_id", sa.String(64)))
    op.add_column("lessons", sa.Column("floor_until", sa.DateTime(timezone=True)))
