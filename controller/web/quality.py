"""How the sites of a lesson are and were connected: for technicians, as it goes on and for some days after."""

from collections.abc import Sequence

from controller.quality.verdict import Figures
from controller.quality.history import CAPACITY, UNKNOWN, WORDS, Column, History
from controller.views.lesson_view import SiteView
from controller.web import render
from controller.web.call import Call
from controller.web.models.people import NamedJson
from controller.web.models.quality import (
    FiguresJson,
    HistoryJson,
    LessonQualityJson,
    LessonQualityQuery,
    SiteHistoryJson,
)
from controller.web.reading import visible_lesson
from controller.web.route import Routes
from rooms.lesson import LessonId, LessonState

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
            _site(call, lesson.id, each, histories.get(each.room.id), OVERVIEW if query.room is None else CAPACITY)
            for each in sites
        ],
    )


def _site(call: Call, lesson_id: LessonId, each: SiteView, history: History | None, most: int) -> SiteHistoryJson:
    seen = call.services.quality.seen(lesson_id).get(each.room.id)
    return SiteHistoryJson(
        room=NamedJson(id=each.room.id, name=each.room.name),
        school=render.school(each.school),
        quality=None if each.quality is None else render.site_quality(each.quality),
        now=None if seen is None else _now(seen),
        history=None if history is None else _history(history.thinned(most)),
    )


def _now(seen: Figures) -> FiguresJson:
    return FiguresJson(
        up_kbps=round(seen.up_bps / 1000),
        up_height=seen.up_height,
        frames_per_s=seen.frames_per_s,
        down_kbps=round(seen.down_bps / 1000),
        estimate_kbps=None if seen.estimate_bps is None else round(seen.estimate_bps / 1000),
        stage_height=seen.stage_height,
        up_loss=round(seen.up_loss, 3),
        down_loss=round(seen.down_loss, 3),
        round_trip_ms=seen.round_trip_ms,
        jitter_ms=max(seen.up_jitter_ms, seen.down_jitter_ms),
        concealed=seen.concealed,
    )


def _history(history: History) -> HistoryJson:
    def numbers(column: Column) -> list[int | None]:
        return [None if each == UNKNOWN else each for each in history.column(column)]

    def shares(column: Column) -> list[float | None]:
        return [None if each == UNKNOWN else each / 1000 for each in history.column(column)]

    words: Sequence[int] = history.column(Column.WORD)
    return HistoryJson(
        start=history.start,
        interval_s=history.interval_s,
        word=[None if each == UNKNOWN else WORDS[each] for each in words],
        up_kbps=numbers(Column.UP_KBPS),
        down_kbps=numbers(Column.DOWN_KBPS),
        estimate_kbps=numbers(Column.ESTIMATE_KBPS),
        up_loss=shares(Column.UP_LOSS),
        down_loss=shares(Column.DOWN_LOSS),
        round_trip_ms=numbers(Column.ROUND_TRIP_MS),
        jitter_ms=numbers(Column.JITTER_MS),
        freezes=numbers(Column.FREEZES),
    )
