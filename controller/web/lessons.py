"""Lessons: planned, started, ended, resumed, watched."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from controller.changes import ChangeKind
from controller.ids import new_id
from rooms.people.rights import Right
from controller.web import render
from controller.web.call import Call
from controller.web.errors import InvalidRequest
from controller.web.models.lessons import (
    LessonEditJson,
    LessonJson,
    LessonsJson,
    LessonsQuery,
    NewLessonJson,
    ScreenGrantJson,
    ScreenJson,
    ViewJson,
    WatchJson,
)
from controller.web.page_changes import PAGE_CHANGES
from controller.web.paging import rest, wanted
from controller.web.reading import lesson_json, lesson_view_jsons, visible_lesson
from controller.web.route import Routes
from rooms.errors import InvalidState
from rooms.lesson import EndReason, Lesson, LessonId, LessonState, Site, planned_site
from rooms.room import Room, RoomId
from rooms.school import OrganisationId, SchoolId

routes = Routes("lessons")

LONGEST_LIST = timedelta(days=100)
FARTHEST = timedelta(days=2 * 366)
"""Nobody plans a lesson later than so; a school year ahead is a lot."""
DEFAULT_ZONE = "Asia/Ho_Chi_Minh"


@routes("GET", "/lessons")
async def list_lessons(call: Call, query: LessonsQuery) -> LessonsJson:
    """The lessons of my schools as host or guest; today's, by the school's clock, where no time is given."""
    start, end = _between(call, query)
    mine = call.rights.schools(Right.SEE)
    schools = None if call.services.store.tree.is_all_schools(mine) else mine
    part = wanted(query, (datetime, str))
    page = await call.services.store.lessons.page(part, start=start, end=end, school_ids=schools)
    call.request.app[PAGE_CHANGES].shown(page.items)
    views = await call.services.showing.views(page.items)
    return LessonsJson(lessons=await lesson_view_jsons(call.services, call.rights, views), **rest(page))


@routes("POST", "/lessons", status=201, problems=(404, 409))
async def add_lesson(call: Call, body: NewLessonJson) -> LessonJson:
    """Plan a lesson; rooms of other schools are asked for."""
    host = OrganisationId(body.host)
    call.rights.require(Right.PLAN, host, "organisation", host)
    school = call.services.store.tree.get(host)
    _check_times(call, start=body.start, end=body.end)
    lesson = Lesson.planned(
        id=LessonId(new_id("l")),
        title=body.title,
        subject=body.subject,
        kind=body.kind,
        host_school_id=school.school_id,
        start=body.start,
        end=body.end,
        rooms=await _rooms(call, body.rooms),
    )
    await call.services.store.lessons.add(lesson)
    await call.record("lesson.add", "lesson", lesson.id, after=_summary(lesson))
    return await _planned(call, lesson.id)


@routes("GET", "/lessons/{lesson}")
async def get_lesson(call: Call) -> LessonJson:
    """One lesson, with what is ready at each site."""
    lesson = await visible_lesson(call.services, call.rights, None, call.path("lesson"))
    return await _answer(call, lesson.id)


@routes("PATCH", "/lessons/{lesson}", if_match=True, problems=(409,))
async def edit_lesson(call: Call, body: LessonEditJson) -> LessonJson:
    """Change a lesson that has not begun; guests that accepted other times are asked again."""
    lesson = await visible_lesson(call.services, call.rights, Right.PLAN, call.path("lesson"))
    expected = call.expected_version()
    _check_times(call, start=body.start, end=body.end)
    changed = replace(
        lesson,
        title=lesson.title if body.title is None else body.title,
        subject=lesson.subject if body.subject is None else body.subject,
        kind=body.kind or lesson.kind,
        start=body.start or lesson.start,
        end=body.end or lesson.end,
        sites=lesson.sites if body.rooms is None else await _sites(call, lesson.host_school_id, body.rooms),
    )
    stored = await call.services.store.lessons.update(changed, expected)
    await call.record("lesson.edit", "lesson", lesson.id, before=_summary(lesson), after=_summary(stored))
    return await _planned(call, lesson.id)


@routes("DELETE", "/lessons/{lesson}", problems=(409,))
async def cancel_lesson(call: Call) -> None:
    """Cancel a lesson that has not begun."""
    lesson = await visible_lesson(call.services, call.rights, Right.PLAN, call.path("lesson"))
    cancelled = await call.services.store.lessons.cancel(lesson.id, call.services.clock(), EndReason.NONE)
    if cancelled is not None:
        before, after = {"state": lesson.state.value}, {"state": cancelled.state.value}
        await call.record("lesson.cancel", "lesson", lesson.id, before=before, after=after)
        await _planned(call, lesson.id)
    elif (await call.services.store.lessons.get(lesson.id)).state is not LessonState.CANCELLED:
        raise InvalidState(f"lesson {lesson.id} has begun; it can only be ended")


@routes("POST", "/lessons/{lesson}/reinstate", problems=(409,))
async def reinstate_lesson(call: Call) -> LessonJson:
    """Plan a lesson again that time alone has cancelled, until its end: the clock was wrong."""
    lesson = await visible_lesson(call.services, call.rights, Right.PLAN, call.path("lesson"))
    planned = await call.services.store.lessons.reinstate(lesson.id, call.services.clock())
    if planned.state is not lesson.state:
        before, after = {"state": lesson.state.value}, {"state": planned.state.value}
        await call.record("lesson.reinstate", "lesson", lesson.id, before=before, after=after)
    return await _planned(call, lesson.id)


@routes("POST", "/lessons/{lesson}/start", problems=(409, 503))
async def start_lesson(call: Call) -> LessonJson:
    """Start: the rooms get ready, the displays join. Asking again changes nothing."""
    lesson = await visible_lesson(call.services, call.rights, Right.RUN, call.path("lesson"))
    await call.services.conductor.start(lesson.id, call.actor)
    return await _answer(call, lesson.id)


@routes("POST", "/lessons/{lesson}/end", problems=(409,))
async def end_lesson(call: Call) -> LessonJson:
    """End: the displays leave, everything goes back. Asking again changes nothing."""
    lesson = await visible_lesson(call.services, call.rights, Right.RUN, call.path("lesson"))
    await call.services.conductor.end(lesson.id, call.actor, EndReason.TAP.value)
    return await _answer(call, lesson.id)


@routes("POST", "/lessons/{lesson}/resume", problems=(409, 503))
async def resume_lesson(call: Call) -> LessonJson:
    """An ended lesson goes on, until time would have ended it. Asking again changes nothing."""
    lesson = await visible_lesson(call.services, call.rights, Right.RUN, call.path("lesson"))
    await call.services.conductor.resume(lesson.id, call.actor)
    return await _answer(call, lesson.id)


@routes("POST", "/lessons/{lesson}/watch", problems=(409, 503))
async def watch_lesson(call: Call, body: ViewJson) -> WatchJson:
    """A teacher's own view of a live lesson: where to play it. Asked again, a younger token for the same."""
    lesson = await visible_lesson(call.services, call.rights, None, call.path("lesson"))
    call.rights.require_watch(lesson)
    account, login = call.identity.account, call.identity.client
    given = await call.services.showing.watch(lesson.id, account.id, login, body.view, known=call.asked)
    await call.services.audience.look_again(lesson, account.id)  # the right may have gone while this was made
    return WatchJson(whep=render.grant(given.whep), epoch=given.epoch, video=given.video, audio=given.audio)


@routes("POST", "/lessons/{lesson}/screen", problems=(409, 503))
async def share_screen(call: Call, body: ScreenJson) -> ScreenGrantJson:
    """Share a screen as my room's in a live lesson: where to publish it. Asked again, a younger token for the same."""
    lesson = await visible_lesson(call.services, call.rights, None, call.path("lesson"))
    site = call.rights.require_sharing(lesson)
    device = f"{call.identity.client}-{body.share}"
    given = await call.services.showing.screen(lesson.id, site.room_id, device, known=call.asked)
    await call.services.audience.look_again(lesson, call.identity.account.id)
    return render.screen_grant(given)


async def _planned(call: Call, lesson_id: LessonId) -> LessonJson:
    await call.services.conductor.planned(lesson_id)
    call.changed(ChangeKind.LESSON, lesson_id)
    return await _answer(call, lesson_id)


async def _answer(call: Call, lesson_id: LessonId) -> LessonJson:
    lesson = await lesson_json(call.services, call.rights, lesson_id)
    call.set_etag(lesson.version)
    return lesson


def _check_times(call: Call, *, start: datetime | None, end: datetime | None) -> None:
    """Times that are set now: not wholly past, and not so far off that somebody mistyped. Raises `InvalidRequest`."""
    now = call.services.clock()
    if end is not None and end <= now:
        raise InvalidRequest((("/body/end", "after now: a lesson cannot be planned in the past"),))
    if start is not None and start > now + FARTHEST:
        raise InvalidRequest((("/body/start", f"within {FARTHEST.days} days"),))


async def _rooms(call: Call, ids: list[str]) -> list[Room]:
    """Any school's rooms: whoever knows a room's id may ask for it."""
    return [await call.services.store.rooms.get(RoomId(id)) for id in ids]


async def _sites(call: Call, host: SchoolId, ids: list[str]) -> tuple[Site, ...]:
    return tuple(planned_site(host, room.id, room.school_id) for room in await _rooms(call, ids))


def _between(call: Call, query: LessonsQuery) -> tuple[datetime, datetime]:
    start, end = query.from_, query.to
    if start is None:
        zone = _zone(call)
        day = (end or call.services.clock()).astimezone(zone).date()
        start = datetime.combine(day, time(), zone).astimezone(UTC)
    end = end or start + timedelta(days=1)
    if not timedelta(0) < end - start <= LONGEST_LIST:
        raise InvalidRequest((("/query/to", f"after `from`, and within {LONGEST_LIST.days} days"),))
    return start, end


def _zone(call: Call) -> ZoneInfo:
    homes = (call.services.store.tree.find(each.organisation_id) for each in call.identity.account.roles)
    home = next((each for each in homes if each is not None), None)
    return ZoneInfo(DEFAULT_ZONE if home is None else home.timezone)


def _summary(lesson: Lesson) -> dict[str, object]:
    return {
        "title": lesson.title,
        "kind": lesson.kind.value,
        "start": lesson.start.isoformat(),
        "end": lesson.end.isoformat(),
        "rooms": [site.room_id for site in lesson.sites],
    }
