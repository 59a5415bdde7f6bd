"""What a site's own school keeps from the others (sound, picture, its part), and when the host reminded it.

A migration names its own types and words: what it made must not change when the code does.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("muted", "camera_off", "stepped_out"):
        op.add_column("sites", sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("sites", sa.Column("reminded_at", sa.DateTime(timezone=True)))
