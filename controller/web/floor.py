"""Who may be heard in a live lesson: its mode, and the floor that the teacher gives to a room."""

from datetime import timedelta

from controller.views.lesson_json import LessonJson
from controller.web.call import Call
from controller.web.models.lessons import FloorGrantJson, ModeEditJson
from controller.web.reading import answered
from controller.web.route import Routes
from rooms.lesson import LessonId
from rooms.room import RoomId

routes = Routes("lessons")


@routes("PUT", "/lessons/{lesson}/mode", problems=(409, 503))
async def set_mode(call: Call, body: ModeEditJson) -> LessonJson:
    """Who is heard: the teacher, the teacher and the room that has the floor, or everybody."""
    id = LessonId(call.path("lesson"))
    lesson = await call.services.running.set_mode(id, body.mode, actor=call.actor, rights=call.rights)
    return await answered(call, lesson)


@routes("PUT", "/lessons/{lesson}/floor", problems=(409, 503))
async def set_floor(call: Call, body: FloorGrantJson) -> LessonJson:
    """Give a room the floor for a while, give it longer, or take it back."""
    id, room_id = LessonId(call.path("lesson")), None if body.room is None else RoomId(body.room)
    length = timedelta(seconds=body.seconds)
    lesson = await call.services.running.give_floor(id, room_id, length, actor=call.actor, rights=call.rights)
    return await answered(call, lesson)
