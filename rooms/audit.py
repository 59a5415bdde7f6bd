"""The record of who changed what."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from rooms import checks
from rooms.school import OrganisationId


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One change: who did what to which object, when, and what it was before and is now (JSON objects)."""

    at: datetime  # aware, UTC
    actor: str  # an account's id, "lesson <id>", "time"
    action: str  # "lesson.start", "device.claim"
    object_kind: str  # "lesson", "room"
    object_id: str
    before: Mapping[str, object] | None = None  # None: it did not exist
    after: Mapping[str, object] | None = None  # None: it does not exist any more
    # Whose administrators may read it, beside those of the object's school; an account's, say, where it holds roles.
    organisations: frozenset[OrganisationId] = frozenset()

    def __post_init__(self) -> None:
        checks.utc(self.at, "at")
        checks.text(self.actor, "actor", at_most=100)
        checks.text(self.action, "action", at_most=100)
        checks.text(self.object_kind, "object_kind", at_most=40)
        checks.text(self.object_id, "object_id", at_most=100)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFilter:
    """Which entries are asked for; None: any. `start` <= at < `end`."""

    actor: str | None = None
    action: str | None = None  # how it begins: "lesson." is all that was done to lessons
    start: datetime | None = None
    end: datetime | None = None
    organisations: frozenset[OrganisationId] | None = None  # what administrators of these may read
