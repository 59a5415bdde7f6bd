"""How the sites of a lesson are and were connected: for technicians, as it goes on and for some days after."""

from controller.quality.history import CAPACITY, History
from controller.quality.models import FiguresJson, HistoryJson, LessonQualityJson, SiteHistoryJson
from controller.views.lesson_view import SiteView
from controller.web.call import Call
from controller.web.models.quality import LessonQualityQuery
from controller.web.reading import visible_lesson
from controller.web.route import Routes
from rooms.lesson import LessonId, LessonState
from rooms.room import RoomId

routes = Routes("quality")

OVERVIEW = 240
"""Steps per site where all are asked for: 21 sites are then some 150 kB."""


@routes("GET", "/lessons/{lesson}/quality")
async def lesson_quality(call: Call, query: LessonQualityQuery) -> LessonQualityJson:
    """Each site's connection over the lesson; one site's in full with `room`."""
    lesson = await visible_lesson(call.services, call.rights, None, call.path("lesson"))
    call.rights.require_diagnosis(lesson)
    view = await call.services.views.lessons.of(lesson)
    sites = [each for each in view.sites if query.room in (None, each.room.id)]
    histories = await call.services.quality.histories(lesson.id)
    return LessonQualityJson(
        lesson=lesson.id,
        title=lesson.title,
        live=lesson.state is LessonState.LIVE,
        sites=[
            _site(
                call, lesson.id, each, histories.get(RoomId(each.room.id)), OVERVIEW if query.room is None else CAPACITY
            )
            for each in sites
        ],
    )


def _site(call: Call, lesson_id: LessonId, each: SiteView, history: History | None, most: int) -> SiteHistoryJson:
    seen = call.services.quality.seen(lesson_id).get(RoomId(each.room.id))
    return SiteHistoryJson(
        room=each.room,
        school=each.school,
        quality=each.quality,
        now=None if seen is None else FiguresJson.of(seen),
        history=None if history is None else HistoryJson.of(history.thinned(most)),
    )
