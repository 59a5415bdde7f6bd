"""What a room's own school decides about its part in a lesson, and how the host asks for it."""

from functools import partial
from typing import Protocol

from controller.lessons.actions import LessonActions
from controller.lessons.record import lesson_entry
from rooms.errors import InvalidState
from rooms.invitation import InvitationState
from rooms.lesson import Lesson, LessonId, Site, may_step_out
from rooms.people.rights import Right, Rights
from rooms.room import RoomId
from rooms.scene import StepId


class RoomRights(Protocol):
    """Of a person (`Rights`), or of a display to its own room (`DisplayRights`)."""

    def require_lesson(self, right: None, lesson: Lesson) -> None: ...

    def require_answer(self, lesson: Lesson, site: Site) -> None: ...


class Participation(LessonActions):
    """All raise `SiteNotFound` where the room is not in the lesson."""

    async def answer(
        self, lesson_id: LessonId, room_id: RoomId, answer: InvitationState, *, actor: str, rights: RoomRights
    ) -> Lesson:
        """Take part, or not (any longer); in a live lesson at once. Raises `InvalidState`, `RoomBusy`."""
        await self._own(lesson_id, room_id, rights)
        return await self._answer(lesson_id, room_id, answer, actor=actor)

    async def step_out(self, lesson_id: LessonId, room_id: RoomId, *, actor: str, rights: RoomRights) -> Lesson:
        """The room leaves by its own display, which may come back. Raises as `answer`."""
        lesson, site = await self._own(lesson_id, room_id, rights)
        if not may_step_out(lesson, site):
            raise InvalidState(f"room {room_id} does not leave lesson {lesson_id} by its display")
        return await self._answer(lesson_id, room_id, InvitationState.DECLINED, actor=actor, stepped_out=True)

    async def step_in(self, lesson_id: LessonId, room_id: RoomId, *, actor: str, rights: RoomRights) -> Lesson:
        """The room comes back by the display by which it left. Raises as `answer`."""
        _, site = await self._own(lesson_id, room_id, rights)
        if not site.stepped_out:
            raise InvalidState(f"room {room_id} did not leave lesson {lesson_id} by its display")
        return await self._answer(lesson_id, room_id, InvitationState.ACCEPTED, actor=actor)

    async def set_sending(
        self,
        lesson_id: LessonId,
        room_id: RoomId,
        *,
        muted: bool | None = None,
        camera_off: bool | None = None,
        actor: str,
        rights: RoomRights,
    ) -> Lesson:
        """Whether the others hear and see the room; None: as it is. Raises `InvalidState`."""
        await self._own(lesson_id, room_id, rights)
        return await self._change(
            lambda tx: tx.lessons.set_sending(lesson_id, room_id, muted=muted, camera_off=camera_off),
            "sending",
            actor=actor,
            said=partial(_sending, room_id),
        )

    async def remind(self, lesson_id: LessonId, room_id: RoomId, *, actor: str, rights: Rights) -> Lesson:
        """The host shows an open invitation again. Raises `InvalidState`, `RemindedLately`."""
        rights.require_lesson(Right.RUN, await self._store.lessons.get(lesson_id))
        now, after = self._clock(), {"room": room_id}
        async with self._store.transaction() as tx:
            lesson = (await tx.lessons.remind(lesson_id, room_id, now)).after
            await tx.audit.add(lesson_entry(lesson, "remind", at=now, actor=actor, after=after))
        return await self._conductor.follow(lesson)

    async def restore(
        self, lesson_id: LessonId, room_id: RoomId, step_id: StepId, *, actor: str, rights: Rights
    ) -> Lesson:
        """Do again what somebody in the room undid, or what a device did not do. Raises `StepNotFound`."""
        lesson = await self._store.lessons.get(lesson_id)
        rights.require_lesson(None, lesson)
        rights.require_at_site(Right.COMMAND, lesson, lesson.site(room_id))
        run = self._conductor.scene_in(lesson_id, room_id)
        run.step(step_id)
        after = {"room": room_id, "step": step_id}
        async with self._store.transaction() as tx:
            await tx.audit.add(lesson_entry(lesson, "restore", at=self._clock(), actor=actor, after=after))
        run.restore(step_id)
        return lesson

    async def _own(self, lesson_id: LessonId, room_id: RoomId, rights: RoomRights) -> tuple[Lesson, Site]:
        lesson = await self._store.lessons.get(lesson_id)
        rights.require_lesson(None, lesson)
        site = lesson.site(room_id)
        rights.require_answer(lesson, site)
        return lesson, site

    async def _answer(
        self,
        lesson_id: LessonId,
        room_id: RoomId,
        answer: InvitationState,
        *,
        actor: str,
        stepped_out: bool = False,
    ) -> Lesson:
        return await self._change(
            lambda tx: tx.lessons.set_invitation(lesson_id, room_id, answer, stepped_out=stepped_out),
            "invitation",
            actor=actor,
            said=partial(_invitation, room_id),
        )


def _invitation(room_id: RoomId, lesson: Lesson) -> dict[str, object]:
    return {"room": room_id, "invitation": lesson.site(room_id).invitation.value}


def _sending(room_id: RoomId, lesson: Lesson) -> dict[str, object]:
    site = lesson.site(room_id)
    return {"room": room_id, "muted": site.muted, "camera_off": site.camera_off}
