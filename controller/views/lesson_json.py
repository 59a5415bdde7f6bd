"""A lesson as one page is sent it: what whoever is logged in may know of it, and may do. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from controller.schema import NamedJson, PageJson
from controller.views.lesson_view import LessonView, SiteView
from rooms.floor import Mode
from rooms.lesson import (
    EARLIEST_START,
    EndReason,
    Lesson,
    LessonId,
    LessonKind,
    LessonState,
    StartBlock,
    start_block,
)
from rooms.people.rights import Right, Rights
from rooms.room import RoomId


class StartBlockCode(StrEnum):
    """Why the account cannot start a scheduled lesson now; the first of these that holds."""

    NOT_YOURS = "not_yours"  # the host's people start it
    NO_ROLE = "no_role"  # `who` of the host's people start it
    TOO_EARLY = "too_early"  # before `at`
    TOO_LATE = "too_late"
    NO_ROOM = "no_room"  # no room has accepted
    ROOM_BUSY = "room_busy"  # `lesson` has `room`


@dataclass(frozen=True, slots=True, kw_only=True)
class StartBlockJson:
    """`who`: names of people of the account's own school, some of `count`. `lesson`: its title where it may be seen."""

    code: StartBlockCode
    who: tuple[str, ...] = ()
    count: int = 0
    at: datetime | None = None
    room: str | None = None
    lesson: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CanJson:
    """`share`: the room whose screen may be shared now. `resume`: until when the lesson may be resumed.

    `start_block`: why a scheduled lesson cannot be started; null where it can, and of other lessons.
    """

    start: bool
    start_block: StartBlockJson | None
    end: bool
    resume: datetime | None
    share: RoomId | None
    diagnose: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FloorJson:
    """A lease: the room is heard, and large for all others."""

    room: RoomId
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LessonJson:
    """`epoch`: which bridge of the lesson it is; another one: it goes on there; null: it has none."""

    id: LessonId
    title: str
    subject: str
    kind: LessonKind
    state: LessonState
    start: datetime
    end: datetime
    started_at: datetime | None
    ended_at: datetime | None
    end_reason: EndReason
    version: int
    host: NamedJson
    can: CanJson
    mode: Mode
    floor: FloorJson | None
    epoch: str | None
    sites: tuple[SiteView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LessonsJson(PageJson):
    lessons: list[LessonJson]


@dataclass(frozen=True, slots=True, kw_only=True)
class Starters:
    """Names of those who may start a lesson, some of `count`; only for people of its host."""

    names: tuple[str, ...] = ()
    count: int = 0


def lesson_as_seen(view: LessonView, rights: Rights, now: datetime, starters: Starters) -> LessonJson:
    """As whoever has these rights may know it: those who declined see no more of it than they need to think again."""
    each = view.lesson
    runs = rights.has(Right.RUN, each.host_school_id)
    block = _start_block(view, rights, now, starters) if each.state is LessonState.SCHEDULED else None
    whole = rights.sees_course(each)
    sites = view.sites if whole else _own_bare(view.sites, rights)
    answered = {id for id in {site.school.id for site in sites} if rights.has(Right.ANSWER, id)}
    return LessonJson(
        id=each.id,
        title=each.title,
        subject=each.subject,
        kind=each.kind,
        state=each.state,
        start=each.start,
        end=each.end,
        started_at=each.started_at if whole else None,
        ended_at=each.ended_at if whole else None,
        end_reason=each.end_reason if whole else EndReason.NONE,
        version=each.version if whole else 0,  # it counts what happens; nobody who sees so little can change it
        host=view.host,
        can=CanJson(
            start=each.state is LessonState.SCHEDULED and block is None,
            start_block=block,
            end=runs and each.state is LessonState.LIVE,
            resume=view.resumable_until if runs else None,
            share=_shareable(each, rights),
            diagnose=rights.may_diagnose(each),
        ),
        mode=each.mode if whole else Mode.DISCUSSION,
        floor=None if each.floor is None or not whole else FloorJson(room=each.floor.room_id, until=each.floor.until),
        epoch=view.epoch if whole else None,
        sites=tuple(replace(site, own=True) if site.school.id in answered else site for site in sites),
    )


def _own_bare(sites: Iterable[SiteView], rights: Rights) -> tuple[SiteView, ...]:
    """Their own sites, with what was decided there and nothing of what happens."""
    return tuple(
        SiteView(
            room=site.room,
            school=site.school,
            invitation=site.invitation,
            reminded_at=site.reminded_at,
            muted=site.muted,
            camera_off=site.camera_off,
        )
        for site in sites
        if rights.has(Right.SEE, site.school.id)
    )


def needs_starters(view: LessonView, rights: Rights) -> bool:
    """Whether the account is told who can start the lesson: it cannot itself, and is of the host's people."""
    each = view.lesson
    of_host = rights.has(Right.SEE, each.host_school_id)
    return each.state is LessonState.SCHEDULED and of_host and not rights.has(Right.RUN, each.host_school_id)


def _start_block(view: LessonView, rights: Rights, now: datetime, starters: Starters) -> StartBlockJson | None:
    each = view.lesson
    if needs_starters(view, rights):
        return StartBlockJson(code=StartBlockCode.NO_ROLE, who=starters.names, count=starters.count)
    if not rights.has(Right.RUN, each.host_school_id):
        return StartBlockJson(code=StartBlockCode.NOT_YOURS)
    block = start_block(each, now)
    if block is not None:
        at = each.start - EARLIEST_START if block is StartBlock.TOO_EARLY else None
        return StartBlockJson(code=StartBlockCode(block.value), at=at)
    if view.busy is not None:
        seen = rights.sees_lesson(view.busy.lesson)
        title = view.busy.lesson.title if seen else None
        return StartBlockJson(code=StartBlockCode.ROOM_BUSY, room=view.busy.room.name, lesson=title)
    return None


def _shareable(each: Lesson, rights: Rights) -> RoomId | None:
    site = rights.sharing_site(each) if each.state is LessonState.LIVE else None
    return site.room_id if site is not None else None
