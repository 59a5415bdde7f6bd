"""Whose administrators may read an entry of the audit log; of those that are there, as far as their objects still say.

A migration names its own types and words: what it made must not change when the code does.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

KNOWN = (
    "SELECT rooms.school_id, audit.id FROM audit JOIN rooms ON rooms.id = audit.object_id WHERE object_kind = 'room'",
    "SELECT devices.school_id, audit.id FROM audit JOIN devices ON devices.id = audit.object_id"
    " WHERE object_kind = 'device'",
    "SELECT lessons.host_school_id, audit.id FROM audit JOIN lessons ON lessons.id = audit.object_id"
    " WHERE object_kind = 'lesson'",
    "SELECT sites.school_id, audit.id FROM audit JOIN sites ON sites.lesson_id = audit.object_id"
    " WHERE object_kind = 'lesson'",
    "SELECT organisations.id, audit.id FROM audit JOIN organisations ON organisations.id = audit.object_id"
    " WHERE object_kind = 'organisation'",
    "SELECT roles.organisation_id, audit.id FROM audit JOIN roles ON roles.account_id = audit.object_id"
    " WHERE object_kind = 'account'",
)


def upgrade() -> None:
    op.create_table(
        "audit_readers",
        sa.Column("organisation_id", sa.String(40), nullable=False),
        sa.Column("audit_id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("organisation_id", "audit_id", name="pk_audit_readers"),
        sa.ForeignKeyConstraint(["audit_id"], ["audit.id"], name="fk_audit_readers_audit_id_audit", ondelete="CASCADE"),
    )
    op.create_index("ix_audit_readers_audit_id", "audit_readers", ["audit_id"])
    op.create_index("ix_audit_at", "audit", ["at"])
    op.execute(f"INSERT INTO audit_readers (organisation_id, audit_id) {' UNION '.join(KNOWN)}")
