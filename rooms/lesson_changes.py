"""What people decide about a lesson and about a room's part in it: pure rules, which the store applies.

As in `rooms/lesson_moves.py`, each returns the lesson at its next version, or the same object where it is so already.
"""

from dataclasses import replace
from datetime import datetime

from rooms.errors import InvalidState, RemindedLately
from rooms.floor import Floor, Mode
from rooms.invitation import InvitationState, checked_move
from rooms.lesson import REMIND_PAUSE, Lesson, LessonState, Site
from rooms.room import RoomId
from rooms.scene import StepId


def answered(lesson: Lesson, room_id: RoomId, invitation: InvitationState, *, stepped_out: bool = False) -> Lesson:
    """An invitation accepted, declined, revoked or open again. A room that takes no part gives the floor up.

    `stepped_out`: the room's own display declines, and may take that back.

    Raises `SiteNotFound`, `InvalidState` (no such move, or the lesson is over).
    """
    site = lesson.site(room_id)
    if site.invitation is invitation:  # said by a person now
        return _changed(lesson, replace(site, stepped_out=site.stepped_out and stepped_out))
    if lesson.state.over:
        raise InvalidState(f"lesson {lesson.id} is {lesson.state}; invitations stay as they are")
    accepted = invitation is InvitationState.ACCEPTED
    changed = replace(
        site,
        invitation=checked_move(site.invitation, invitation),
        stepped_out=stepped_out,
        # Else the room is put to rest; what was decided in it before is not so any more.
        overridden=site.overridden if accepted else frozenset(),
    )
    floor = None if lesson.floor is not None and lesson.floor.room_id == room_id else lesson.floor
    return replace(lesson, sites=_with(lesson, changed), floor=floor, version=lesson.version + 1)


def with_sending(lesson: Lesson, room_id: RoomId, *, muted: bool | None, camera_off: bool | None) -> Lesson:
    """Whether the others are to hear and see a room; None: as it is. The floor of a room that mutes itself stays.

    Raises `SiteNotFound`, `InvalidState` (not live, or the room takes no part).
    """
    site = _taking_part(lesson, room_id)
    changed = replace(
        site,
        muted=site.muted if muted is None else muted,
        camera_off=site.camera_off if camera_off is None else camera_off,
    )
    return _changed(lesson, changed)


def reminded(lesson: Lesson, room_id: RoomId, now: datetime) -> Lesson:
    """The room was asked again to come.

    Raises `SiteNotFound`, `InvalidState` (not live, or answered), `RemindedLately`.
    """
    require_live(lesson)
    site = lesson.site(room_id)
    if site.invitation is not InvitationState.PENDING:
        raise InvalidState(f"room {room_id} has answered: {site.invitation}")
    if site.reminded_at is not None and now < site.reminded_at + REMIND_PAUSE:
        raise RemindedLately(f"room {room_id} was reminded at {site.reminded_at.isoformat()}")
    return _changed(lesson, replace(site, reminded_at=now))


def with_overridden(lesson: Lesson, room_id: RoomId, steps: frozenset[StepId]) -> Lesson:
    """Which steps a person in the room decided otherwise. Raises `SiteNotFound`."""
    return _changed(lesson, replace(lesson.site(room_id), overridden=steps))


def with_mode(lesson: Lesson, mode: Mode) -> Lesson:
    """Who is heard. Raises `InvalidState` unless the lesson is live."""
    require_live(lesson)
    return lesson if lesson.mode is mode else replace(lesson, mode=mode, version=lesson.version + 1)


def with_floor(lesson: Lesson, floor: Floor | None) -> Lesson:
    """The floor given, or taken back; nobody has it beside another.

    Raises `SiteNotFound`, `InvalidState` (not live, or the room takes no part).
    """
    require_live(lesson)
    if floor is not None:
        _taking_part(lesson, floor.room_id)
    return lesson if lesson.floor == floor else replace(lesson, floor=floor, version=lesson.version + 1)


def require_live(lesson: Lesson) -> None:
    """Raises `InvalidState`."""
    if lesson.state is not LessonState.LIVE:
        raise InvalidState(f"lesson {lesson.id} is {lesson.state}, not live")


def _taking_part(lesson: Lesson, room_id: RoomId) -> Site:
    require_live(lesson)
    site = lesson.site(room_id)
    if site.invitation is not InvitationState.ACCEPTED:
        raise InvalidState(f"room {room_id} takes no part in lesson {lesson.id}")
    return site


def _changed(lesson: Lesson, site: Site) -> Lesson:
    if site == lesson.site(site.room_id):
        return lesson
    return replace(lesson, sites=_with(lesson, site), version=lesson.version + 1)


def _with(lesson: Lesson, site: Site) -> tuple[Site, ...]:
    return tuple(site if each.room_id == site.room_id else each for each in lesson.sites)
