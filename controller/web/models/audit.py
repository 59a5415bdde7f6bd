"""JSON of the audit log."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from pydantic import StringConstraints

from controller.schema import Key, Moment, PageJson
from controller.web.models.paging import Limit, PageQuery

Action = Annotated[str, StringConstraints(pattern=r"^[a-z_.-]{1,60}$")]


class AuditQuery(PageQuery):
    limit: Limit = 50
    actor: Key | None = None  # an account's id
    action: Action | None = None  # how it begins
    start: Moment | None = None
    end: Moment | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditActorJson:
    """`id`: an account's id, or what acted: "time", "operator lan", "network 192.0.2.1". `name`: of an account."""

    id: str
    name: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditAboutJson:
    """`name`: of an account."""

    kind: str
    id: str
    name: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntryJson:
    at: datetime
    actor: AuditActorJson
    action: str
    about: AuditAboutJson
    before: dict[str, object] | None
    after: dict[str, object] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditJson(PageJson):
    """The newest first."""

    entries: list[AuditEntryJson]
