"""The tables, but for those of people (`store/people_tables.py`).

A school's id stands beside a room's id wherever a room is named with something of a school, so that the database itself
refuses a device or a site of one school in a room of another.
"""

from datetime import datetime

from sqlalchemy import (
    JSON,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    MetaData,
    String,
    Text,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from rooms.floor import Mode
from rooms.invitation import InvitationState
from rooms.lesson import EndReason, LessonKind, LessonState
from rooms.school import OrganisationKind
from store.columns import FOLDED, UtcDateTime, words

ID = String(64)
ORGANISATION_ID = String(40)

JsonObject = dict[str, object]


class Base(DeclarativeBase):
    """All tables of the database: `Base.metadata` is what the migrations lead to."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class OrganisationRow(Base):
    __tablename__ = "organisations"

    id: Mapped[str] = mapped_column(ORGANISATION_ID, primary_key=True)
    parent_id: Mapped[str | None] = mapped_column(ForeignKey("organisations.id"), index=True)
    kind: Mapped[OrganisationKind] = mapped_column(words(OrganisationKind))
    name: Mapped[str] = mapped_column(Text)
    province: Mapped[str] = mapped_column(Text)
    timezone: Mapped[str] = mapped_column(Text)


class RoomRow(Base):
    __tablename__ = "rooms"
    __table_args__ = (
        UniqueConstraint("id", "school_id"),  # what the composite foreign keys below refer to
        Index(
            "uq_rooms_school_id_name",
            "school_id",
            "name",
            unique=True,
            sqlite_where=text("deleted_at IS NULL"),
            postgresql_where=text("deleted_at IS NULL"),
        ),
        Index(
            "ix_rooms_listed",
            "school_id",
            "folded",
            "id",
            sqlite_where=text("deleted_at IS NULL"),
            postgresql_where=text("deleted_at IS NULL"),
        ),
    )

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    school_id: Mapped[str] = mapped_column(ForeignKey("organisations.id"))
    name: Mapped[str] = mapped_column(Text)
    folded: Mapped[str] = mapped_column(FOLDED, server_default=text("''"))  # of the name
    version: Mapped[int]
    deleted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class DisplayRow(Base):
    __tablename__ = "displays"

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    room_id: Mapped[str] = mapped_column(ForeignKey("rooms.id"), index=True)
    name: Mapped[str] = mapped_column(Text)
    secret_hash: Mapped[str] = mapped_column(String(128), unique=True)
    paired_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_seen: Mapped[datetime | None] = mapped_column(UtcDateTime)


class DeviceRow(Base):
    __tablename__ = "devices"
    __table_args__ = (ForeignKeyConstraint(["room_id", "school_id"], ["rooms.id", "rooms.school_id"]),)

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    school_id: Mapped[str] = mapped_column(ForeignKey("organisations.id"), index=True)
    room_id: Mapped[str | None] = mapped_column(ID, index=True)
    device: Mapped[JsonObject] = mapped_column(JSON)
    discovery_topic: Mapped[str] = mapped_column(Text)
    discovery_payload: Mapped[bytes] = mapped_column(LargeBinary)
    reported: Mapped[JsonObject] = mapped_column(JSON)


class DeviceAddressRow(Base):
    """Where a device without MQTT is. Its password stands here, where nothing but its gateway's start reads it."""

    __tablename__ = "device_addresses"
    __table_args__ = (UniqueConstraint("host", "port"),)  # two that command one device would never be done

    device_id: Mapped[str] = mapped_column(ForeignKey("devices.id", ondelete="CASCADE"), primary_key=True)
    gateway: Mapped[str] = mapped_column(String(32))
    host: Mapped[str] = mapped_column(String(45))
    port: Mapped[int]
    password: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)


class SceneRow(Base):
    __tablename__ = "scenes"

    room_id: Mapped[str] = mapped_column(ForeignKey("rooms.id"), primary_key=True)
    name: Mapped[str] = mapped_column(ID, primary_key=True)
    version: Mapped[int]
    steps: Mapped[list[JsonObject]] = mapped_column(JSON)


class LessonRow(Base):
    __tablename__ = "lessons"
    __table_args__ = (
        Index(None, "state", "start_at"),
        Index("ix_lessons_listed", "start_at", "id"),
        Index("ix_lessons_of_host", "host_school_id", "start_at", "id"),
    )

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    title: Mapped[str] = mapped_column(Text)
    subject: Mapped[str] = mapped_column(Text)
    folded: Mapped[str] = mapped_column(FOLDED, server_default=text("''"))  # of title and subject
    kind: Mapped[LessonKind] = mapped_column(words(LessonKind))
    host_school_id: Mapped[str] = mapped_column(ForeignKey("organisations.id"))
    start_at: Mapped[datetime] = mapped_column(UtcDateTime)
    end_at: Mapped[datetime] = mapped_column(UtcDateTime)
    state: Mapped[LessonState] = mapped_column(words(LessonState))
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    end_reason: Mapped[EndReason] = mapped_column(words(EndReason))
    mode: Mapped[Mode] = mapped_column(words(Mode), server_default="discussion")
    floor_room_id: Mapped[str | None] = mapped_column(ID)
    floor_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    version: Mapped[int]

    sites: Mapped[list["SiteRow"]] = relationship(
        order_by="SiteRow.position", cascade="all, delete-orphan", lazy="selectin"
    )


class SiteRow(Base):
    __tablename__ = "sites"
    __table_args__ = (
        ForeignKeyConstraint(["room_id", "school_id"], ["rooms.id", "rooms.school_id"]),
        Index(None, "school_id"),
    )

    lesson_id: Mapped[str] = mapped_column(ForeignKey("lessons.id"), primary_key=True)
    room_id: Mapped[str] = mapped_column(ID, primary_key=True, index=True)
    school_id: Mapped[str] = mapped_column(ORGANISATION_ID)
    position: Mapped[int]  # order within the lesson, from 0
    invitation: Mapped[InvitationState] = mapped_column(words(InvitationState))
    overridden: Mapped[list[str]] = mapped_column(JSON)
    muted: Mapped[bool] = mapped_column(server_default=false())
    camera_off: Mapped[bool] = mapped_column(server_default=false())
    stepped_out: Mapped[bool] = mapped_column(server_default=false())
    reminded_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class AuditRow(Base):
    __tablename__ = "audit"
    __table_args__ = (Index(None, "object_kind", "object_id"), Index(None, "at"))

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    actor: Mapped[str] = mapped_column(Text)
    action: Mapped[str] = mapped_column(Text)
    object_kind: Mapped[str] = mapped_column(Text)
    object_id: Mapped[str] = mapped_column(Text)
    before: Mapped[JsonObject | None] = mapped_column(JSON(none_as_null=True))
    after: Mapped[JsonObject | None] = mapped_column(JSON(none_as_null=True))


class AuditReaderRow(Base):
    """An organisation whose administrators may read the entry. Kept beside it: its object may be gone by then."""

    __tablename__ = "audit_readers"

    organisation_id: Mapped[str] = mapped_column(ORGANISATION_ID, primary_key=True)
    audit_id: Mapped[int] = mapped_column(ForeignKey("audit.id", ondelete="CASCADE"), primary_key=True, index=True)


class ClockRow(Base):
    __tablename__ = "clock"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    boot: Mapped[str] = mapped_column(String(64))
    uptime_s: Mapped[float]


class MqttPasswordRow(Base):
    __tablename__ = "mqtt_passwords"

    school_id: Mapped[str] = mapped_column(ForeignKey("organisations.id"), primary_key=True)
    password_hash: Mapped[str] = mapped_column(String(200))  # `controller.broker.access.hash_password`


class QualityRow(Base):
    __tablename__ = "lesson_quality"

    lesson_id: Mapped[str] = mapped_column(ForeignKey("lessons.id"), primary_key=True)
    room_id: Mapped[str] = mapped_column(ID, primary_key=True)
    start_at: Mapped[datetime] = mapped_column(UtcDateTime)
    written_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    interval_s: Mapped[int]
    samples: Mapped[bytes] = mapped_column(LargeBinary)  # `History.to_bytes`
