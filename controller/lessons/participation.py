"""What a room's own school decides about its part in a lesson, and how the host asks for it.

Called with rights checked: by handlers for people, by a display's WebSocket for its own room.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from controller.changes import ChangeKind
from devices.changes import Changes
from rooms.audit import AuditEntry
from rooms.errors import InvalidState
from rooms.invitation import InvitationState
from rooms.lesson import Lesson, LessonId, Site
from rooms.room import RoomId
from store import Store


class Follower(Protocol):
    """Who makes what runs agree with the database."""

    async def planned(self, lesson_id: LessonId) -> None: ...


class Participation:
    """Each method is written, recorded, followed and announced when it returns. All raise `LessonNotFound`."""

    def __init__(self, store: Store, follower: Follower, *, changes: Changes, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._follower = follower
        self._changes = changes
        self._clock = clock

    async def answer(self, lesson_id: LessonId, room_id: RoomId, answer: InvitationState, *, actor: str) -> None:
        """Take part, or not (any longer). Raises `SiteNotFound`, `InvalidState`, `RoomBusy`."""
        await self._answer(lesson_id, room_id, answer, actor=actor, stepped_out=False)

    async def step_out(self, lesson_id: LessonId, room_id: RoomId, *, actor: str) -> None:
        """The room leaves by its own display, which may come back. Raises as `answer`."""
        lesson = await self._store.lessons.get(lesson_id)
        if not may_step_out(lesson, lesson.site(room_id)):
            raise InvalidState(f"room {room_id} does not leave lesson {lesson_id} by its display")
        await self._answer(lesson_id, room_id, InvitationState.DECLINED, actor=actor, stepped_out=True)

    async def step_in(self, lesson_id: LessonId, room_id: RoomId, *, actor: str) -> None:
        """The room comes back by the display by which it left. Raises as `answer`."""
        site = (await self._store.lessons.get(lesson_id)).site(room_id)
        if not site.stepped_out:
            raise InvalidState(f"room {room_id} did not leave lesson {lesson_id} by its display")
        await self._answer(lesson_id, room_id, InvitationState.ACCEPTED, actor=actor, stepped_out=False)

    async def set_sending(
        self,
        lesson_id: LessonId,
        room_id: RoomId,
        *,
        actor: str,
        muted: bool | None = None,
        camera_off: bool | None = None,
    ) -> None:
        """Whether the others hear and see the room; None: as it is. Raises `SiteNotFound`, `InvalidState`."""
        before = (await self._store.lessons.get(lesson_id)).site(room_id)
        changed = await self._store.lessons.set_sending(lesson_id, room_id, muted=muted, camera_off=camera_off)
        after = changed.site(room_id)
        if (after.muted, after.camera_off) != (before.muted, before.camera_off):
            await self._record(lesson_id, actor, "sending", _sending(before), _sending(after))
        await self._follow(lesson_id)

    async def remind(self, lesson_id: LessonId, room_id: RoomId, *, actor: str) -> None:
        """Show an open invitation again. Raises `SiteNotFound`, `InvalidState`, `RemindedLately`."""
        await self._store.lessons.remind(lesson_id, room_id, self._clock())
        await self._record(lesson_id, actor, "remind", None, {"room": room_id})
        await self._follow(lesson_id)

    async def _answer(
        self, lesson_id: LessonId, room_id: RoomId, answer: InvitationState, *, actor: str, stepped_out: bool
    ) -> None:
        before = (await self._store.lessons.get(lesson_id)).site(room_id)
        await self._store.lessons.set_invitation(lesson_id, room_id, answer, stepped_out=stepped_out)
        await self._record(
            lesson_id,
            actor,
            "invitation",
            {"room": room_id, "invitation": before.invitation.value},
            {"room": room_id, "invitation": answer.value},
        )
        await self._follow(lesson_id)

    async def _follow(self, lesson_id: LessonId) -> None:
        await self._follower.planned(lesson_id)
        self._changes.publish(ChangeKind.LESSON, lesson_id)

    async def _record(
        self,
        lesson_id: LessonId,
        actor: str,
        action: str,
        before: dict[str, object] | None,
        after: dict[str, object],
    ) -> None:
        entry = AuditEntry(
            at=self._clock(),
            actor=actor,
            action=f"lesson.{action}",
            object_kind="lesson",
            object_id=lesson_id,
            before=before,
            after=after,
        )
        await self._store.audit.add(entry)


def may_step_out(lesson: Lesson, site: Site) -> bool:
    """Whether the room may leave by its display: any that takes part, but for the one from which the lesson is held."""
    return site in lesson.accepted[1:] or (site in lesson.accepted and site.school_id != lesson.host_school_id)


def _sending(site: Site) -> dict[str, object]:
    return {"room": site.room_id, "muted": site.muted, "camera_off": site.camera_off}
