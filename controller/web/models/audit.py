"""JSON of the audit log."""

from datetime import datetime
from typing import Annotated

from pydantic import Field, StringConstraints

from controller.schema import Key, Model, Moment

Action = Annotated[str, StringConstraints(pattern=r"^[a-z_.-]{1,60}$")]
Cursor = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,40}$")]


class AuditQuery(Model):
    cursor: Cursor | None = None  # the `next` of the page before
    actor: Key | None = None  # an account's id
    action: Action | None = None  # how it begins
    start: Moment | None = None
    end: Moment | None = None


class AuditActorJson(Model):
    id: str  # an account's id, or what acted: "time", "operator lan", "network 192.0.2.1"
    name: str | None  # of an account


class AuditAboutJson(Model):
    kind: str
    id: str
    name: str | None  # of an account


class AuditEntryJson(Model):
    at: datetime
    actor: AuditActorJson
    action: str
    about: AuditAboutJson
    before: dict[str, object] | None
    after: dict[str, object] | None


class AuditJson(Model):
    entries: list[AuditEntryJson] = Field(description="the newest first")
    next: str | None = Field(description="`cursor` of the page of older ones; null after the last")
