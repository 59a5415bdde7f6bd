"""Organisations, rooms, displays, devices, scenes, lessons, audit.

A migration names its own types and words: what it made must not change when the code does.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ID = sa.String(64)
ORGANISATION_ID = sa.String(40)
WORD = sa.String(20)
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    _organisations()
    _rooms()
    _displays()
    _devices()
    _scenes()
    _lessons()
    _sites()
    _audit()


def _organisations() -> None:
    op.create_table(
        "organisations",
        sa.Column("id", ORGANISATION_ID, nullable=False),
        sa.Column("parent_id", ORGANISATION_ID),
        sa.Column("kind", WORD, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("province", sa.Text, nullable=False),
        sa.Column("timezone", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_organisations"),
        sa.ForeignKeyConstraint(["parent_id"], ["organisations.id"], name="fk_organisations_parent_id"),
    )
    op.create_index("ix_organisations_parent_id", "organisations", ["parent_id"])


def _rooms() -> None:
    op.create_table(
        "rooms",
        sa.Column("id", ID, nullable=False),
        sa.Column("school_id", ORGANISATION_ID, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("deleted_at", MOMENT),
        sa.PrimaryKeyConstraint("id", name="pk_rooms"),
        sa.ForeignKeyConstraint(["school_id"], ["organisations.id"], name="fk_rooms_school_id"),
        sa.UniqueConstraint("id", "school_id", name="uq_rooms_id_school_id"),
    )
    kept = sa.text("deleted_at IS NULL")
    op.create_index(
        "uq_rooms_school_id_name",
        "rooms",
        ["school_id", "name"],
        unique=True,
        sqlite_where=kept,
        postgresql_where=kept,
    )


def _displays() -> None:
    op.create_table(
        "displays",
        sa.Column("id", ID, nullable=False),
        sa.Column("room_id", ID, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("secret_hash", sa.String(128), nullable=False),
        sa.Column("paired_at", MOMENT, nullable=False),
        sa.Column("last_seen", MOMENT),
        sa.PrimaryKeyConstraint("id", name="pk_displays"),
        sa.ForeignKeyConstraint(["room_id"], ["rooms.id"], name="fk_displays_room_id"),
        sa.UniqueConstraint("secret_hash", name="uq_displays_secret_hash"),
    )
    op.create_index("ix_displays_room_id", "displays", ["room_id"])


def _devices() -> None:
    op.create_table(
        "devices",
        sa.Column("id", ID, nullable=False),
        sa.Column("school_id", ORGANISATION_ID, nullable=False),
        sa.Column("room_id", ID),
        sa.Column("device", sa.JSON, nullable=False),
        sa.Column("discovery_topic", sa.Text, nullable=False),
        sa.Column("discovery_payload", sa.LargeBinary, nullable=False),
        sa.Column("reported", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_devices"),
        sa.ForeignKeyConstraint(["school_id"], ["organisations.id"], name="fk_devices_school_id"),
        sa.ForeignKeyConstraint(
            ["room_id", "school_id"], ["rooms.id", "rooms.school_id"], name="fk_devices_room_id_school_id"
        ),
    )
    op.create_index("ix_devices_school_id", "devices", ["school_id"])
    op.create_index("ix_devices_room_id", "devices", ["room_id"])


def _scenes() -> None:
    op.create_table(
        "scenes",
        sa.Column("room_id", ID, nullable=False),
        sa.Column("name", ID, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("steps", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("room_id", "name", name="pk_scenes"),
        sa.ForeignKeyConstraint(["room_id"], ["rooms.id"], name="fk_scenes_room_id"),
    )


def _lessons() -> None:
    op.create_table(
        "lessons",
        sa.Column("id", ID, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("kind", WORD, nullable=False),
        sa.Column("host_school_id", ORGANISATION_ID, nullable=False),
        sa.Column("start_at", MOMENT, nullable=False),
        sa.Column("end_at", MOMENT, nullable=False),
        sa.Column("state", WORD, nullable=False),
        sa.Column("started_at", MOMENT),
        sa.Column("ended_at", MOMENT),
        sa.Column("end_reason", WORD, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_lessons"),
        sa.ForeignKeyConstraint(["host_school_id"], ["organisations.id"], name="fk_lessons_host_school_id"),
    )
    op.create_index("ix_lessons_host_school_id", "lessons", ["host_school_id"])
    op.create_index("ix_lessons_start_at", "lessons", ["start_at"])
    op.create_index("ix_lessons_state_start_at", "lessons", ["state", "start_at"])


def _sites() -> None:
    op.create_table(
        "sites",
        sa.Column("lesson_id", ID, nullable=False),
        sa.Column("room_id", ID, nullable=False),
        sa.Column("school_id", ORGANISATION_ID, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("invitation", WORD, nullable=False),
        sa.Column("overridden", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("lesson_id", "room_id", name="pk_sites"),
        sa.ForeignKeyConstraint(["lesson_id"], ["lessons.id"], name="fk_sites_lesson_id"),
        sa.ForeignKeyConstraint(
            ["room_id", "school_id"], ["rooms.id", "rooms.school_id"], name="fk_sites_room_id_school_id"
        ),
    )
    op.create_index("ix_sites_room_id", "sites", ["room_id"])
    op.create_index("ix_sites_school_id", "sites", ["school_id"])


def _audit() -> None:
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("object_kind", sa.Text, nullable=False),
        sa.Column("object_id", sa.Text, nullable=False),
        sa.Column("before", sa.JSON),
        sa.Column("after", sa.JSON),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
    )
    op.create_index("ix_audit_object_kind_object_id", "audit", ["object_kind", "object_id"])
