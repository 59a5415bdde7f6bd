"""Lessons: planned, started, ended, resumed, watched."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from controller.displays.media_tokens import ScreenGrant
from controller.lessons.planning import LessonEdit, NewLesson
from controller.views.account_json import home_timezone
from controller.views.lesson_json import LessonJson, LessonsJson
from controller.views.watching import WatchGrant
from controller.web.call import Call
from controller.web.errors import InvalidRequest
from controller.web.models.lessons import (
    LessonEditJson,
    LessonsQuery,
    NewLessonJson,
    ScreenJson,
    ViewJson,
)
from controller.web.page_changes import PAGE_CHANGES
from controller.web.paging import rest, wanted
from controller.web.reading import answered, lesson_view_jsons, visible_lesson
from controller.web.route import Routes
from rooms.lesson import LessonId
from rooms.people.rights import Right
from rooms.room import RoomId
from rooms.school import OrganisationId

routes = Routes("lessons")

LONGEST_LIST = timedelta(days=100)
FARTHEST = timedelta(days=2 * 366)
"""Nobody plans a lesson later than so; a school year ahead is a lot."""


@routes("GET", "/lessons")
async def list_lessons(call: Call, query: LessonsQuery) -> LessonsJson:
    """The lessons of my schools as host or guest; today's, by the school's clock, where no time is given."""
    start, end = _between(call, query)
    mine = call.rights.schools(Right.SEE)
    schools = None if call.services.store.tree.is_all_schools(mine) else mine
    part = wanted(query, (datetime, str))
    page = await call.services.store.lessons.page(part, start=start, end=end, school_ids=schools)
    call.request.app[PAGE_CHANGES].shown(page.items)
    views = await call.services.views.lessons.of_all(page.items)
    return LessonsJson(lessons=await lesson_view_jsons(call.services, call.rights, views), **rest(page))


@routes("POST", "/lessons", status=201, problems=(404, 409))
async def add_lesson(call: Call, body: NewLessonJson) -> LessonJson:
    """Plan a lesson; rooms of other schools are asked for."""
    _check_times(call, start=body.start, end=body.end)
    wanted = NewLesson(
        host=OrganisationId(body.host),
        title=body.title,
        subject=body.subject,
        kind=body.kind,
        start=body.start,
        end=body.end,
        rooms=[RoomId(id) for id in body.rooms],
    )
    return await answered(call, await call.services.planning.plan(wanted, actor=call.actor, rights=call.rights))


@routes("GET", "/lessons/{lesson}")
async def get_lesson(call: Call) -> LessonJson:
    """One lesson, with what is ready at each site."""
    return await answered(call, await visible_lesson(call.services, call.rights, None, call.path("lesson")))


@routes("PATCH", "/lessons/{lesson}", if_match=True, problems=(409,))
async def edit_lesson(call: Call, body: LessonEditJson) -> LessonJson:
    """Change a lesson that has not begun; guests that accepted other times are asked again."""
    _check_times(call, start=body.start, end=body.end)
    edit = LessonEdit(
        title=body.title,
        subject=body.subject,
        kind=body.kind,
        start=body.start,
        end=body.end,
        rooms=None if body.rooms is None else [RoomId(id) for id in body.rooms],
    )
    lesson = await call.services.planning.change(
        _lesson(call),
        edit,
        expected_version=call.expected_version(),
        actor=call.actor,
        rights=call.rights,
    )
    return await answered(call, lesson)


@routes("DELETE", "/lessons/{lesson}", problems=(409,))
async def cancel_lesson(call: Call) -> None:
    """Cancel a lesson that has not begun."""
    await call.services.planning.cancel(_lesson(call), actor=call.actor, rights=call.rights)


@routes("POST", "/lessons/{lesson}/reinstate", problems=(409,))
async def reinstate_lesson(call: Call) -> LessonJson:
    """Plan a lesson again that time alone has cancelled, until its end: the clock was wrong."""
    planning = call.services.planning
    return await answered(call, await planning.reinstate(_lesson(call), actor=call.actor, rights=call.rights))


@routes("POST", "/lessons/{lesson}/start", problems=(409, 503))
async def start_lesson(call: Call) -> LessonJson:
    """Start: the rooms get ready, the displays join. Asking again changes nothing."""
    return await answered(call, await call.services.running.start(_lesson(call), actor=call.actor, rights=call.rights))


@routes("POST", "/lessons/{lesson}/end", problems=(409,))
async def end_lesson(call: Call) -> LessonJson:
    """End: the displays leave, everything goes back. Asking again changes nothing."""
    return await answered(call, await call.services.running.end(_lesson(call), actor=call.actor, rights=call.rights))


@routes("POST", "/lessons/{lesson}/resume", problems=(409, 503))
async def resume_lesson(call: Call) -> LessonJson:
    """An ended lesson goes on, until time would have ended it. Asking again changes nothing."""
    return await answered(call, await call.services.running.resume(_lesson(call), actor=call.actor, rights=call.rights))


@routes("POST", "/lessons/{lesson}/watch", problems=(409, 503))
async def watch_lesson(call: Call, body: ViewJson) -> WatchGrant:
    """A teacher's own view of a live lesson: where to play it. Asked again, a younger token for the same."""
    lesson = await visible_lesson(call.services, call.rights, None, call.path("lesson"))
    call.rights.require_watch(lesson)
    account, login = call.identity.account, call.identity.client
    given = call.services.views.watching.watch(lesson, account.id, login, body.view, known=call.asked)
    await call.services.audience.look_again(lesson, account.id)  # the right may have gone while this was made
    return given


@routes("POST", "/lessons/{lesson}/screen", problems=(409, 503))
async def share_screen(call: Call, body: ScreenJson) -> ScreenGrant:
    """Share a screen as my room's in a live lesson: where to publish it. Asked again, a younger token for the same."""
    lesson = await visible_lesson(call.services, call.rights, None, call.path("lesson"))
    site = call.rights.require_sharing(lesson)
    device = f"{call.identity.client}-{body.share}"
    given = call.services.views.watching.screen(lesson, site.room_id, device, known=call.asked)
    await call.services.audience.look_again(lesson, call.identity.account.id)
    return given


def _lesson(call: Call) -> LessonId:
    return LessonId(call.path("lesson"))


def _check_times(call: Call, *, start: datetime | None, end: datetime | None) -> None:
    """Times that are set now: not wholly past, and not so far off that somebody mistyped. Raises `InvalidRequest`."""
    now = call.services.clock()
    if end is not None and end <= now:
        raise InvalidRequest((("/body/end", "after now: a lesson cannot be planned in the past"),))
    if start is not None and start > now + FARTHEST:
        raise InvalidRequest((("/body/start", f"within {FARTHEST.days} days"),))


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
    return ZoneInfo(home_timezone(call.identity.account, call.services.store.tree))
