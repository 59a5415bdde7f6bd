"""The hashes of the schools' passwords at the embedded broker, until now in a file beside it.

A migration names its own types and words: what it made must not change when the code does.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "mqtt_passwords",
        sa.Column("school_id", sa.String(40), nullable=False),
        sa.Column("password_hash", sa.String(200), nullable=False),
        sa.ForeignKeyConstraint(["school_id"], ["organisations.id"], name="fk_mqtt_passwords_school_id_organisations"),
        sa.PrimaryKeyConstraint("school_id", name="pk_mqtt_passwords"),
    )
