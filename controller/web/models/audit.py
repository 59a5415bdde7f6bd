"""JSON of the audit log."""

from typing import Annotated

from pydantic import Field, StringConstraints

from controller.schema import Key, Model, Moment
from controller.web.models.paging import Limit, PageJson, PageQuery

Action = Annotated[str, StringConstraints(pattern=r"^[a-z_.-]{1,60}$")]


class AuditQuery(PageQuery):
    limit: Limit = 50
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
    at: str
    actor: AuditActorJson
    action: str
    about: AuditAboutJson
    before: dict[str, object] | None
    after: dict[str, object] | None


class AuditJson(PageJson):
    entries: list[AuditEntryJson] = Field(description="the newest first")
