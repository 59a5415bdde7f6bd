"""The audit line of what happens to a lesson."""

from collections.abc import Mapping
from datetime import datetime

from rooms.audit import AuditEntry
from rooms.lesson import Lesson, LessonState
from rooms.school import OrganisationId


def lesson_entry(
    lesson: Lesson,
    action: str,
    *,
    at: datetime,
    actor: str,
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
) -> AuditEntry:
    """`lesson`: after what was done, so that all who take part in it now may read the line."""
    schools = {OrganisationId(site.school_id) for site in lesson.sites}
    return AuditEntry(
        at=at,
        actor=actor,
        action=f"lesson.{action}",
        object_kind="lesson",
        object_id=lesson.id,
        before=before,
        after=after,
        organisations=frozenset({OrganisationId(lesson.host_school_id), *schools}),
    )


def state_of(state: LessonState) -> dict[str, object]:
    """A lesson's state as the audit log has it."""
    return {"state": state.value}
