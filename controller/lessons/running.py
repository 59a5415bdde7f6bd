"""What the host's teacher does in a lesson: starts, resumes and ends it, and says who is heard."""

from datetime import timedelta

from controller.lessons.actions import LessonActions
from rooms.floor import Floor, Mode
from rooms.lesson import EndReason, Lesson, LessonId
from rooms.people.rights import Right, Rights
from rooms.room import RoomId


class Running(LessonActions):
    """All need the right to run the host's lessons."""

    async def start(self, lesson_id: LessonId, *, actor: str, rights: Rights) -> Lesson:
        """The rooms get ready, the displays join; once however often asked. Raises `InvalidState`, `RoomBusy`."""
        await self._require(lesson_id, rights)
        return await self._conductor.start(lesson_id, actor)

    async def resume(self, lesson_id: LessonId, *, actor: str, rights: Rights) -> Lesson:
        """An ended lesson goes on until time would have ended it. Raises as `start`."""
        await self._require(lesson_id, rights)
        return await self._conductor.resume(lesson_id, actor)

    async def end(self, lesson_id: LessonId, *, actor: str, rights: Rights) -> Lesson:
        """The displays leave, everything goes back; once however often asked. Raises `InvalidState`."""
        await self._require(lesson_id, rights)
        return await self._conductor.end(lesson_id, actor, EndReason.TAP)

    async def set_mode(self, lesson_id: LessonId, mode: Mode, *, actor: str, rights: Rights) -> Lesson:
        """Who is heard: the teacher, the room that has the floor too, or everybody. Raises `InvalidState`."""
        await self._require(lesson_id, rights)
        return await self._change(lambda tx: tx.lessons.set_mode(lesson_id, mode), "mode", actor=actor, said=_mode)

    async def give_floor(
        self, lesson_id: LessonId, room_id: RoomId | None, length: timedelta, *, actor: str, rights: Rights
    ) -> Lesson:
        """Give a room the floor for a while, give it longer, or (None) take it back.

        Raises `SiteNotFound`, `InvalidState`.
        """
        await self._require(lesson_id, rights)
        floor = None if room_id is None else Floor(room_id=room_id, until=self._clock() + length)
        return await self._change(lambda tx: tx.lessons.set_floor(lesson_id, floor), "floor", actor=actor, said=_floor)

    async def _require(self, lesson_id: LessonId, rights: Rights) -> None:
        rights.require_lesson(Right.RUN, await self._store.lessons.get(lesson_id))


def _mode(lesson: Lesson) -> dict[str, object]:
    return {"mode": lesson.mode.value}


def _floor(lesson: Lesson) -> dict[str, object]:
    floor = lesson.floor
    return {"room": None} if floor is None else {"room": floor.room_id, "until": floor.until.isoformat()}
