"""Lessons: who holds them, when, in which rooms, and where they are between scheduled and over."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NewType, Self

from rooms import checks
from rooms.errors import InvalidLesson, InvalidState, InvalidValue, SiteNotFound
from rooms.floor import Floor, Mode
from rooms.invitation import InvitationState
from rooms.room import Room, RoomId
from rooms.scene import StepId
from rooms.school import SchoolId

LessonId = NewType("LessonId", str)

END_GRACE = timedelta(minutes=10)
"""How long a live lesson may go on after its end before it is ended by time."""
EARLIEST_START = timedelta(minutes=60)
"""How long before its start a lesson may be started by tap."""
REMIND_PAUSE = timedelta(seconds=60)
"""Between two reminders of one invitation."""
MAX_LENGTH = timedelta(hours=24)
MAX_SITES = 100


class LessonKind(StrEnum):
    LESSON = "lesson"
    MEETING = "meeting"
    TRAINING = "training"


class LessonState(StrEnum):
    SCHEDULED = "scheduled"
    LIVE = "live"
    ENDED = "ended"
    CANCELLED = "cancelled"  # was never live

    @property
    def over(self) -> bool:
        return self in (LessonState.ENDED, LessonState.CANCELLED)


MOVES: dict[LessonState, frozenset[LessonState]] = {
    LessonState.SCHEDULED: frozenset({LessonState.LIVE, LessonState.CANCELLED}),
    LessonState.LIVE: frozenset({LessonState.ENDED}),
    LessonState.ENDED: frozenset({LessonState.LIVE}),  # by a person, while `can_resume` holds
    LessonState.CANCELLED: frozenset({LessonState.SCHEDULED}),  # only where time alone has cancelled it
}


class EndReason(StrEnum):
    NONE = ""  # not over, or cancelled by a person
    TAP = "tap"
    TIME = "time"
    NOT_STARTED = "not_started"


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One room's part in a lesson, as planned. What its devices and media are doing is not kept here.

    `overridden`: steps of the room's lesson scene that a person in the room decided otherwise; they are left alone.
    `muted`, `camera_off`: the others are not to hear or see the room. `stepped_out`: the room's own display left the
    lesson, and may come back; what anybody answers since ends that. `reminded_at`: when the host asked last, after the
    invitation itself.
    """

    room_id: RoomId
    school_id: SchoolId
    invitation: InvitationState
    overridden: frozenset[StepId] = frozenset()
    muted: bool = False
    camera_off: bool = False
    stepped_out: bool = False
    reminded_at: datetime | None = None  # aware, UTC


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """A scheduled session in one or more rooms. `version` counts its changes, from 1.

    `floor`: only of a live lesson; its end is past until somebody has noticed.
    """

    id: LessonId
    title: str
    subject: str = ""
    kind: LessonKind = LessonKind.LESSON
    host_school_id: SchoolId
    start: datetime  # aware, UTC
    end: datetime  # aware, UTC; the first moment after the lesson
    state: LessonState = LessonState.SCHEDULED
    started_at: datetime | None = None  # aware, UTC
    ended_at: datetime | None = None  # aware, UTC; also when it was cancelled
    end_reason: EndReason = EndReason.NONE
    sites: tuple[Site, ...]
    mode: Mode = Mode.DISCUSSION
    floor: Floor | None = None
    version: int = 1

    def __post_init__(self) -> None:
        try:
            checks.key(self.id, "lesson id")
            checks.text(self.title, "title", at_most=200)
            checks.text(self.subject, "subject", at_most=100, empty=True)
            for each in (self.start, self.end, self.started_at, self.ended_at):
                if each is not None:
                    checks.utc(each, "a lesson's time")
        except InvalidValue as error:
            raise InvalidLesson(str(error)) from error
        if not timedelta(0) < self.end - self.start <= MAX_LENGTH:
            raise InvalidLesson(f"a lesson ends after it starts, and within {MAX_LENGTH}")
        if not 1 <= len(self.sites) <= MAX_SITES:
            raise InvalidLesson(f"a lesson has 1 to {MAX_SITES} rooms")
        if len({site.room_id for site in self.sites}) != len(self.sites):
            raise InvalidLesson("a room is in a lesson once")

    @classmethod
    def planned(
        cls,
        *,
        id: LessonId,
        title: str,
        subject: str = "",
        kind: LessonKind = LessonKind.LESSON,
        host_school_id: SchoolId,
        start: datetime,
        end: datetime,
        rooms: Iterable[Room],
    ) -> Self:
        """A new lesson: the host's own rooms are accepted, those of other schools are asked."""
        sites = tuple(planned_site(host_school_id, room.id, room.school_id) for room in rooms)
        return cls(
            id=id,
            title=title,
            subject=subject,
            kind=kind,
            host_school_id=host_school_id,
            start=start,
            end=end,
            sites=sites,
        )

    def site(self, room_id: RoomId) -> Site:
        """Raises `SiteNotFound`."""
        for each in self.sites:
            if each.room_id == room_id:
                return each
        raise SiteNotFound(f"room {room_id} is not in lesson {self.id}")

    @property
    def accepted(self) -> tuple[Site, ...]:
        """The sites that take part; no other room is touched."""
        return tuple(site for site in self.sites if site.invitation is InvitationState.ACCEPTED)

    def moved_to(self, state: LessonState) -> Self:
        """This lesson in `state`. Raises `InvalidState` where `MOVES` has no such step."""
        if state not in MOVES[self.state]:
            raise InvalidState(f"lesson {self.id}: {self.state} -> {state}")
        return replace(self, state=state)


def planned_site(host_school_id: SchoolId, room_id: RoomId, school_id: SchoolId) -> Site:
    """A room's part in a lesson when it is first asked for."""
    own = school_id == host_school_id
    invitation = InvitationState.ACCEPTED if own else InvitationState.PENDING
    return Site(room_id=room_id, school_id=school_id, invitation=invitation)


def may_step_out(lesson: Lesson, site: Site) -> bool:
    """Whether the room may leave by its display: any that takes part, but for the one from which the lesson is held."""
    return site in lesson.accepted[1:] or (site in lesson.accepted and site.school_id != lesson.host_school_id)


class StartBlock(StrEnum):
    """Why a scheduled lesson cannot start now."""

    TOO_EARLY = "too_early"
    TOO_LATE = "too_late"
    NO_ROOM = "no_room"  # nobody has accepted


def start_block(lesson: Lesson, now: datetime) -> StartBlock | None:
    """What keeps a scheduled lesson from starting, as far as the lesson itself tells; None: nothing does."""
    if now < lesson.start - EARLIEST_START:
        return StartBlock.TOO_EARLY
    if now >= lesson.end:
        return StartBlock.TOO_LATE
    return None if lesson.accepted else StartBlock.NO_ROOM


def can_start(lesson: Lesson, now: datetime) -> bool:
    """Whether a tap on Start does something: scheduled, not long before its start, not after its end, with a room."""
    return lesson.state is LessonState.SCHEDULED and start_block(lesson, now) is None


def can_resume(lesson: Lesson, now: datetime, grace: timedelta = END_GRACE) -> bool:
    """Whether an ended lesson may go on: until time would have ended it, whoever or whatever ended it before."""
    return lesson.state is LessonState.ENDED and now < lesson.end + grace


def gives_way(lesson: Lesson, now: datetime) -> bool:
    """Whether a live lesson is past its end, so that the next one in its room may end it and start."""
    return lesson.state is LessonState.LIVE and now >= lesson.end


def due_at(lesson: Lesson, grace: timedelta = END_GRACE) -> datetime | None:
    """When time alone moves this lesson: its end if never started, its end and `grace` if live, None if it is over."""
    match lesson.state:
        case LessonState.SCHEDULED:
            return lesson.end
        case LessonState.LIVE:
            return lesson.end + grace
        case _:
            return None
