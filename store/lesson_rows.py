"""Between a lesson and its rows."""

from collections.abc import Iterable

from rooms.floor import Floor
from rooms.folding import folded
from rooms.lesson import Lesson, LessonId, Site
from rooms.room import RoomId
from rooms.scene import StepId
from rooms.school import OrganisationId, SchoolId
from store.tables import LessonRow, SiteRow


def new_row(lesson: Lesson) -> LessonRow:
    """Rows for a lesson that is not stored yet."""
    row = LessonRow(id=lesson.id, host_school_id=lesson.host_school_id, **columns_of(lesson), sites=[])
    set_sites(row, lesson.sites)
    return row


def columns_of(lesson: Lesson) -> dict[str, object]:
    """What may change of a lesson's own row."""
    floor = lesson.floor
    return {
        "title": lesson.title,
        "subject": lesson.subject,
        "folded": folded(f"{lesson.title} {lesson.subject}"),
        "kind": lesson.kind,
        "start_at": lesson.start,
        "end_at": lesson.end,
        "state": lesson.state,
        "started_at": lesson.started_at,
        "ended_at": lesson.ended_at,
        "end_reason": lesson.end_reason,
        "mode": lesson.mode,
        "floor_room_id": None if floor is None else floor.room_id,
        "floor_until": None if floor is None else floor.until,
        "version": lesson.version,
    }


def set_sites(row: LessonRow, sites: Iterable[Site]) -> None:
    """Bring a lesson's site rows to these sites: rows of rooms that stay are kept and changed."""
    known = {site_row.room_id: site_row for site_row in row.sites}
    row.sites = [
        _filled(known.get(site.room_id) or SiteRow(room_id=site.room_id), site, position)
        for position, site in enumerate(sites)
    ]


def lesson_of(row: LessonRow) -> Lesson:
    """The lesson that these rows say."""
    return Lesson(
        id=LessonId(row.id),
        title=row.title,
        subject=row.subject,
        kind=row.kind,
        host_school_id=SchoolId(OrganisationId(row.host_school_id)),
        start=row.start_at,
        end=row.end_at,
        state=row.state,
        started_at=row.started_at,
        ended_at=row.ended_at,
        end_reason=row.end_reason,
        sites=tuple(_site(each) for each in row.sites),
        mode=row.mode,
        floor=_floor(row),
        version=row.version,
    )


def _filled(row: SiteRow, site: Site, position: int) -> SiteRow:
    row.school_id = site.school_id
    row.position = position
    row.invitation = site.invitation
    row.overridden = sorted(site.overridden)
    row.muted, row.camera_off, row.stepped_out = site.muted, site.camera_off, site.stepped_out
    row.reminded_at = site.reminded_at
    return row


def _floor(row: LessonRow) -> Floor | None:
    if row.floor_room_id is None or row.floor_until is None:
        return None
    return Floor(room_id=RoomId(row.floor_room_id), until=row.floor_until)


def _site(row: SiteRow) -> Site:
    return Site(
        room_id=RoomId(row.room_id),
        school_id=SchoolId(OrganisationId(row.school_id)),
        invitation=row.invitation,
        overridden=frozenset(StepId(step) for step in row.overridden),
        muted=row.muted,
        camera_off=row.camera_off,
        stepped_out=row.stepped_out,
        reminded_at=row.reminded_at,
    )
