"""How a lesson moves from one state to the next, or is planned again: pure rules, which the store applies.

Each takes the lesson as it is and returns it at its next version, or the same object where there is nothing to do, so
that a tap counts once however often it comes. What no rule allows raises `InvalidState`.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from rooms.errors import InvalidState
from rooms.invitation import InvitationState, checked_move
from rooms.lesson import (
    END_GRACE,
    EndReason,
    Lesson,
    LessonState,
    Site,
    can_resume,
    can_start,
    due_at,
    planned_site,
)


def replanned(current: Lesson, wanted: Lesson) -> Lesson:
    """`current` with the title, subject, kind, times and rooms of `wanted`; the next version.

    What rooms answered is kept, never taken from `wanted`; a guest that accepted other times is asked again.
    Raises `InvalidState` unless the lesson is still scheduled.
    """
    if current.state is not LessonState.SCHEDULED:
        raise InvalidState(f"lesson {current.id} is {current.state}; only a scheduled lesson can be changed")
    moved = (current.start, current.end) != (wanted.start, wanted.end)
    known = {site.room_id: site for site in current.sites}
    sites = []
    for site in wanted.sites:
        fresh = planned_site(current.host_school_id, site.room_id, site.school_id)
        old = known.get(site.room_id)
        asked_again = old is None or (moved and old.invitation is InvitationState.ACCEPTED)
        sites.append(fresh if asked_again or old is None else old)
    return replace(
        current,
        title=wanted.title,
        subject=wanted.subject,
        kind=wanted.kind,
        start=wanted.start,
        end=wanted.end,
        sites=tuple(sites),
        version=current.version + 1,
    )


def started(lesson: Lesson, now: datetime) -> Lesson:
    """scheduled -> live; a live lesson is returned as it is. Raises `InvalidState` unless `can_start`."""
    if lesson.state is LessonState.LIVE:
        return lesson
    if not can_start(lesson, now):
        raise InvalidState(f"lesson {lesson.id} cannot be started: it is {lesson.state} or not yet due")
    return replace(lesson.moved_to(LessonState.LIVE), started_at=now, version=lesson.version + 1)


def resumed(lesson: Lesson, now: datetime, grace: timedelta = END_GRACE) -> Lesson:
    """ended -> live while `can_resume` holds; a live lesson is returned as it is. Expired invitations are open again.

    Raises `InvalidState`.
    """
    if lesson.state is LessonState.LIVE:
        return lesson
    if lesson.state is not LessonState.ENDED:
        raise InvalidState(f"lesson {lesson.id} has not ended")
    if not can_resume(lesson, now, grace):
        raise InvalidState(f"lesson {lesson.id} ended too long ago to go on")
    rested = (replace(site, overridden=frozenset()) for site in lesson.sites)  # the rooms were put to rest meanwhile
    return replace(
        lesson.moved_to(LessonState.LIVE),
        ended_at=None,
        end_reason=EndReason.NONE,
        sites=_invitations(rested, InvitationState.EXPIRED, InvitationState.PENDING),
        version=lesson.version + 1,
    )


def ended(lesson: Lesson, now: datetime, reason: EndReason) -> Lesson:
    """live -> ended; an ended lesson is returned as it is. Unanswered invitations expire. Raises `InvalidState`."""
    if lesson.state is LessonState.ENDED:
        return lesson
    if lesson.state is not LessonState.LIVE:
        raise InvalidState(f"lesson {lesson.id} was never live")
    return _over(lesson, LessonState.ENDED, now, reason)


def cancelled(lesson: Lesson, now: datetime, reason: EndReason = EndReason.NONE) -> Lesson:
    """scheduled -> cancelled; a cancelled lesson is returned as it is. Unanswered invitations expire.

    Raises `InvalidState`.
    """
    if lesson.state is LessonState.CANCELLED:
        return lesson
    if lesson.state is not LessonState.SCHEDULED:
        raise InvalidState(f"lesson {lesson.id} has begun; it can only be ended")
    return _over(lesson, LessonState.CANCELLED, now, reason)


def reinstated(lesson: Lesson, now: datetime) -> Lesson:
    """A lesson that time alone has cancelled, planned again: the clock was wrong. Expired invitations are open again.

    A scheduled lesson is returned as it is. Raises `InvalidState` where a person cancelled it, or its end is past.
    """
    if lesson.state is LessonState.SCHEDULED:
        return lesson
    if lesson.state is not LessonState.CANCELLED or lesson.end_reason is not EndReason.NOT_STARTED:
        raise InvalidState(f"lesson {lesson.id} was not cancelled by time")
    if now >= lesson.end:
        raise InvalidState(f"the end of lesson {lesson.id} is past")
    return replace(
        lesson.moved_to(LessonState.SCHEDULED),
        ended_at=None,
        end_reason=EndReason.NONE,
        sites=_invitations(lesson.sites, InvitationState.EXPIRED, InvitationState.PENDING),
        version=lesson.version + 1,
    )


def moved_by_time(lesson: Lesson, now: datetime, grace: timedelta = END_GRACE) -> Lesson:
    """The lesson after what time alone has made due by `now`; as it is where nothing is due.

    Never started -> cancelled, still live -> ended; else a floor whose time is over is taken back.
    """
    due = due_at(lesson, grace)
    if due is not None and now >= due:
        if lesson.state is LessonState.LIVE:
            return ended(lesson, now, EndReason.TIME)
        return cancelled(lesson, now, EndReason.NOT_STARTED)
    if lesson.floor is not None and lesson.floor.until <= now:
        return replace(lesson, floor=None, version=lesson.version + 1)
    return lesson


def _over(lesson: Lesson, state: LessonState, now: datetime, reason: EndReason) -> Lesson:
    return replace(
        lesson.moved_to(state),
        ended_at=now,
        end_reason=reason,
        sites=_invitations(lesson.sites, InvitationState.PENDING, InvitationState.EXPIRED),
        floor=None,
        version=lesson.version + 1,
    )


def _invitations(sites: Iterable[Site], old: InvitationState, new: InvitationState) -> tuple[Site, ...]:
    return tuple(replace(site, invitation=checked_move(old, new)) if site.invitation is old else site for site in sites)
