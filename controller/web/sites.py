"""A room's part in a lesson: what its own school decides, and what the host asks of it."""

from rooms.people.rights import Right
from controller.views.lesson_json import LessonJson
from controller.web.call import Call
from controller.web.models.lessons import SendingJson
from controller.web.reading import lesson_json, visible_lesson
from controller.web.route import Routes
from rooms.invitation import InvitationState
from rooms.lesson import Lesson, LessonId, Site
from rooms.room import RoomId
from rooms.scene import StepId

routes = Routes("lessons")


@routes("POST", "/lessons/{lesson}/sites/{room}/accept", problems=(409,))
async def accept_invitation(call: Call) -> LessonJson:
    """The room's own school lets it take part; in a live lesson it comes in at once."""
    return await _answered(call, InvitationState.ACCEPTED)


@routes("POST", "/lessons/{lesson}/sites/{room}/decline", problems=(409,))
async def decline_invitation(call: Call) -> LessonJson:
    """The room's own school does not let it take part, or no longer: it leaves a live lesson, and may come back."""
    return await _answered(call, InvitationState.DECLINED)


@routes("PUT", "/lessons/{lesson}/sites/{room}/sending", problems=(409,))
async def set_sending(call: Call, body: SendingJson) -> LessonJson:
    """The room's own school, never the host, decides whether the others hear and see it."""
    lesson, site = await _own_site(call)
    participation = call.services.participation
    await participation.set_sending(
        lesson.id, site.room_id, actor=call.actor, muted=body.muted, camera_off=body.camera_off
    )
    return await _answer(call, lesson.id)


@routes("POST", "/lessons/{lesson}/sites/{room}/remind", problems=(409,))
async def remind_site(call: Call) -> LessonJson:
    """The host of a live lesson shows its invitation again where nobody has answered, once a minute at most."""
    lesson = await visible_lesson(call.services, call.rights, Right.RUN, call.path("lesson"))
    site = lesson.site(RoomId(call.path("room")))
    await call.services.participation.remind(lesson.id, site.room_id, actor=call.actor)
    return await _answer(call, lesson.id)


@routes("POST", "/lessons/{lesson}/sites/{room}/steps/{step}/restore", problems=(409,))
async def restore_step(call: Call) -> LessonJson:
    """Do again what somebody in the room undid, or what a device did not do."""
    lesson = await visible_lesson(call.services, call.rights, None, call.path("lesson"))
    site = lesson.site(RoomId(call.path("room")))
    call.rights.require_at_site(Right.COMMAND, lesson, site)
    call.services.conductor.restore(lesson.id, site.room_id, StepId(call.path("step")))
    after = {"room": site.room_id, "step": call.path("step")}
    await call.record("lesson.restore", "lesson", lesson.id, after=after)
    return await _answer(call, lesson.id)


async def _own_site(call: Call) -> tuple[Lesson, Site]:
    """Raises `LessonNotFound`, `SiteNotFound`, `HiddenObject`, `Forbidden`."""
    lesson = await visible_lesson(call.services, call.rights, None, call.path("lesson"))
    site = lesson.site(RoomId(call.path("room")))
    call.rights.require_answer(lesson, site)
    return lesson, site


async def _answered(call: Call, invitation: InvitationState) -> LessonJson:
    lesson, site = await _own_site(call)
    await call.services.participation.answer(lesson.id, site.room_id, invitation, actor=call.actor)
    return await _answer(call, lesson.id)


async def _answer(call: Call, lesson_id: LessonId) -> LessonJson:
    answer = await lesson_json(call.services, call.rights, lesson_id)
    call.set_etag(answer.version)
    return answer
