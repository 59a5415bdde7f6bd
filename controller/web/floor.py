"""Who may be heard in a live lesson: its mode, and the floor that the teacher gives to a room."""

from datetime import timedelta

from controller.changes import ChangeKind
from rooms.people.rights import Right
from controller.views.lesson_json import LessonJson
from controller.web.call import Call
from controller.web.models.lessons import FloorGrantJson, ModeEditJson
from controller.web.reading import lesson_json, visible_lesson
from controller.web.route import Routes
from rooms.floor import Floor
from rooms.lesson import LessonId
from rooms.room import RoomId

routes = Routes("lessons")


@routes("PUT", "/lessons/{lesson}/mode", problems=(409, 503))
async def set_mode(call: Call, body: ModeEditJson) -> LessonJson:
    """Who is heard: the teacher, the teacher and the room that has the floor, or everybody."""
    lesson = await visible_lesson(call.services, call.rights, Right.RUN, call.path("lesson"))
    changed = await call.services.store.lessons.set_mode(lesson.id, body.mode)
    if changed.mode is not lesson.mode:
        before, after = {"mode": lesson.mode.value}, {"mode": changed.mode.value}
        await call.record("lesson.mode", "lesson", lesson.id, before=before, after=after)
    return await _followed(call, lesson.id)


@routes("PUT", "/lessons/{lesson}/floor", problems=(409, 503))
async def set_floor(call: Call, body: FloorGrantJson) -> LessonJson:
    """Give a room the floor for a while, give it longer, or take it back."""
    lesson = await visible_lesson(call.services, call.rights, Right.RUN, call.path("lesson"))
    floor = None
    if body.room is not None:
        until = call.services.clock() + timedelta(seconds=body.seconds)
        floor = Floor(room_id=RoomId(body.room), until=until)
    changed = await call.services.store.lessons.set_floor(lesson.id, floor)
    if changed.floor != lesson.floor:
        await call.record("lesson.floor", "lesson", lesson.id, before=_said(lesson.floor), after=_said(changed.floor))
    return await _followed(call, lesson.id)


async def _followed(call: Call, lesson_id: LessonId) -> LessonJson:
    await call.services.conductor.planned(lesson_id)
    call.changed(ChangeKind.LESSON, lesson_id)
    answer = await lesson_json(call.services, call.rights, lesson_id)
    call.set_etag(answer.version)
    return answer


def _said(floor: Floor | None) -> dict[str, object]:
    if floor is None:
        return {"room": None}
    return {"room": floor.room_id, "until": floor.until.isoformat()}
