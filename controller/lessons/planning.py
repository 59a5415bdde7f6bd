"""What is done to a lesson before it begins: planned, changed, cancelled, planned again."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from controller.ids import new_id
from controller.lessons.actions import LessonActions
from controller.lessons.record import lesson_entry, state_of
from rooms.errors import RoomNotFound
from rooms.lesson import Lesson, LessonId, LessonKind, Site, planned_site
from rooms.people.rights import Right, Rights
from rooms.room import Room, RoomId
from rooms.school import OrganisationId, SchoolId
from store import Store
from store.lessons import LessonChange


@dataclass(frozen=True, slots=True, kw_only=True)
class NewLesson:
    """A lesson that somebody wants: of the school `host`, in rooms of any school."""

    host: OrganisationId
    title: str
    subject: str = ""
    kind: LessonKind = LessonKind.LESSON
    start: datetime  # aware, UTC
    end: datetime  # aware, UTC
    rooms: Sequence[RoomId]


@dataclass(frozen=True, slots=True, kw_only=True)
class LessonEdit:
    """What is to be another; None: stays as it is."""

    title: str | None = None
    subject: str | None = None
    kind: LessonKind | None = None
    start: datetime | None = None  # aware, UTC
    end: datetime | None = None  # aware, UTC
    rooms: Sequence[RoomId] | None = None


class Planning(LessonActions):
    """All need the right to plan at the host's school."""

    async def plan(self, wanted: NewLesson, *, actor: str, rights: Rights) -> Lesson:
        """Plan a lesson; rooms of other schools are asked for.

        Raises `OrganisationNotFound`, `RoomNotFound`, `InvalidLesson`, `RoomBusy`.
        """
        rights.require(Right.PLAN, wanted.host, "organisation", wanted.host)
        async with self._store.transaction() as tx:
            school = tx.tree.get(wanted.host)
            lesson = Lesson.planned(
                id=LessonId(new_id("l")),
                title=wanted.title,
                subject=wanted.subject,
                kind=wanted.kind,
                host_school_id=school.school_id,
                start=wanted.start,
                end=wanted.end,
                rooms=await _rooms(tx, wanted.rooms),
            )
            await tx.lessons.add(lesson)
            await tx.audit.add(lesson_entry(lesson, "add", at=self._clock(), actor=actor, after=_summary(lesson)))
        return await self._conductor.follow(lesson)

    async def change(
        self, lesson_id: LessonId, edit: LessonEdit, *, expected_version: int, actor: str, rights: Rights
    ) -> Lesson:
        """Change a lesson that has not begun; guests that accepted other times are asked again.

        Raises `VersionConflict`, `InvalidState`, `RoomNotFound`, `InvalidLesson`, `RoomBusy`.
        """
        lesson = await self._plannable(lesson_id, rights)

        async def write(tx: Store) -> LessonChange:
            return await tx.lessons.update(await _edited(tx, lesson, edit), expected_version)

        return await self._change(write, "edit", actor=actor, said=_summary)

    async def cancel(self, lesson_id: LessonId, *, actor: str, rights: Rights) -> Lesson:
        """Cancel a lesson that has not begun, once however often asked. Raises `InvalidState`."""
        await self._plannable(lesson_id, rights)
        return await self._change(
            lambda tx: tx.lessons.cancel(lesson_id, self._clock()), "cancel", actor=actor, said=_state
        )

    async def reinstate(self, lesson_id: LessonId, *, actor: str, rights: Rights) -> Lesson:
        """Plan a lesson again that time alone has cancelled, until its end. Raises `InvalidState`, `RoomBusy`."""
        await self._plannable(lesson_id, rights)
        return await self._change(
            lambda tx: tx.lessons.reinstate(lesson_id, self._clock()), "reinstate", actor=actor, said=_state
        )

    async def _plannable(self, lesson_id: LessonId, rights: Rights) -> Lesson:
        lesson = await self._store.lessons.get(lesson_id)
        rights.require_lesson(Right.PLAN, lesson)
        return lesson


async def _edited(tx: Store, lesson: Lesson, edit: LessonEdit) -> Lesson:
    return replace(
        lesson,
        title=lesson.title if edit.title is None else edit.title,
        subject=lesson.subject if edit.subject is None else edit.subject,
        kind=edit.kind or lesson.kind,
        start=edit.start or lesson.start,
        end=edit.end or lesson.end,
        sites=lesson.sites if edit.rooms is None else await _sites(tx, lesson.host_school_id, edit.rooms),
    )


async def _rooms(tx: Store, ids: Sequence[RoomId]) -> list[Room]:
    """Any school's rooms: whoever knows a room's id may ask for it. Raises `RoomNotFound`."""
    known = await tx.rooms.named(ids)
    for id in ids:
        if id not in known:
            raise RoomNotFound(f"no room {id}")
    return [known[id] for id in ids]


async def _sites(tx: Store, host: SchoolId, ids: Sequence[RoomId]) -> tuple[Site, ...]:
    return tuple(planned_site(host, room.id, room.school_id) for room in await _rooms(tx, ids))


def _state(lesson: Lesson) -> dict[str, object]:
    return state_of(lesson.state)


def _summary(lesson: Lesson) -> dict[str, object]:
    return {
        "title": lesson.title,
        "kind": lesson.kind.value,
        "start": lesson.start.isoformat(),
        "end": lesson.end.isoformat(),
        "rooms": [site.room_id for site in lesson.sites],
    }
