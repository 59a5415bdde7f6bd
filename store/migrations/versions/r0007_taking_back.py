"""Accounts can be suspended, made operators, given a password that must be changed; logins say where they were made.

Nobody becomes an operator by this: `nhipcau account operator NAME` names them.
A migration names its own types and words: what it made must not change when the code does.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("accounts", sa.Column("operator", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("accounts", sa.Column("password_given", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("accounts", sa.Column("suspended_at", sa.DateTime(timezone=True)))
    op.add_column("accounts", sa.Column("generation", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("logins", sa.Column("network", sa.Text(), nullable=False, server_default=sa.text("''")))
