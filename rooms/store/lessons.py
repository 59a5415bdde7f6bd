"""Lessons in the database. Each move is one conditional update, so that of many who try, one succeeds."""

from collections.abc import Collection
from datetime import datetime

from rooms.invitation import InvitationState
from rooms.lesson import EndReason, Lesson, LessonId
from rooms.room import RoomId
from rooms.scene import StepId
from rooms.school import SchoolId


class Lessons:
    """Lessons with their sites."""

    async def add(self, lesson: Lesson) -> None:
        """Add a lesson made by `Lesson.planned`.

        Raises `InvalidLesson` (not as planned), `OrganisationNotFound`, `RoomNotFound`, `RoomBusy`, `AlreadyExists`.
        """
        raise NotImplementedError

    async def get(self, lesson_id: LessonId) -> Lesson:
        """Raises `LessonNotFound`."""
        raise NotImplementedError

    async def list(
        self, *, start: datetime, end: datetime, school_ids: Collection[SchoolId] | None = None
    ) -> tuple[Lesson, ...]:
        """Lessons that touch `start` to `end` with one of these schools as host or guest (None: any); by start."""
        raise NotImplementedError

    async def live(self) -> tuple[Lesson, ...]:
        """All live lessons, by start."""
        raise NotImplementedError

    async def upcoming(self) -> tuple[Lesson, ...]:
        """All scheduled lessons, by start; also those whose end has passed and that nobody has cancelled yet."""
        raise NotImplementedError

    async def start(self, lesson_id: LessonId, now: datetime) -> Lesson | None:
        """scheduled -> live; None where it was not scheduled.

        Raises `LessonNotFound`, `RoomBusy` where an accepted room is in another live lesson.
        """
        raise NotImplementedError

    async def end(self, lesson_id: LessonId, now: datetime, reason: EndReason) -> Lesson | None:
        """live -> ended; None where it was not live. Unanswered invitations expire. Raises `LessonNotFound`."""
        raise NotImplementedError

    async def cancel(self, lesson_id: LessonId, now: datetime, reason: EndReason = EndReason.NONE) -> Lesson | None:
        """scheduled -> cancelled; None where it was not scheduled. Unanswered invitations expire.

        Raises `LessonNotFound`.
        """
        raise NotImplementedError

    async def update(self, lesson: Lesson, expected_version: int) -> Lesson:
        """Change title, subject, kind, times and rooms of a scheduled lesson, by the rules of `replanned`.

        Raises `LessonNotFound`, `VersionConflict`, `InvalidState`, `RoomNotFound`, `RoomBusy`.
        """
        raise NotImplementedError

    async def set_invitation(self, lesson_id: LessonId, room_id: RoomId, invitation: InvitationState) -> Lesson:
        """Answer, revoke or renew an invitation; nothing changes where it is so already.

        Raises `LessonNotFound`, `SiteNotFound`, `InvalidState` (no such move, or the lesson is over), `RoomBusy`.
        """
        raise NotImplementedError

    async def set_overridden(self, lesson_id: LessonId, room_id: RoomId, steps: frozenset[StepId]) -> Lesson:
        """Set which steps a person in the room decided otherwise. Raises `LessonNotFound`, `SiteNotFound`."""
        raise NotImplementedError
