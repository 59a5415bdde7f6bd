"""A room's part in a lesson: what its own school decides, and what the host asks of it."""

from controller.views.lesson_json import LessonJson
from controller.web.call import Call
from controller.web.models.lessons import SendingJson
from controller.web.reading import answered
from controller.web.route import Routes
from rooms.invitation import InvitationState
from rooms.lesson import LessonId
from rooms.room import RoomId
from rooms.scene import StepId

routes = Routes("lessons")


@routes("POST", "/lessons/{lesson}/sites/{room}/accept", problems=(409,))
async def accept_invitation(call: Call) -> LessonJson:
    """The room's own school lets it take part; in a live lesson it comes in at once."""
    return await _answer(call, InvitationState.ACCEPTED)


@routes("POST", "/lessons/{lesson}/sites/{room}/decline", problems=(409,))
async def decline_invitation(call: Call) -> LessonJson:
    """The room's own school does not let it take part, or no longer: it leaves a live lesson, and may come back."""
    return await _answer(call, InvitationState.DECLINED)


@routes("PUT", "/lessons/{lesson}/sites/{room}/sending", problems=(409,))
async def set_sending(call: Call, body: SendingJson) -> LessonJson:
    """The room's own school, never the host, decides whether the others hear and see it."""
    lesson = await call.services.participation.set_sending(
        *_site(call), muted=body.muted, camera_off=body.camera_off, actor=call.actor, rights=call.rights
    )
    return await answered(call, lesson)


@routes("POST", "/lessons/{lesson}/sites/{room}/remind", problems=(409,))
async def remind_site(call: Call) -> LessonJson:
    """The host of a live lesson shows its invitation again where nobody has answered, once a minute at most."""
    lesson = await call.services.participation.remind(*_site(call), actor=call.actor, rights=call.rights)
    return await answered(call, lesson)


@routes("POST", "/lessons/{lesson}/sites/{room}/steps/{step}/restore", problems=(409,))
async def restore_step(call: Call) -> LessonJson:
    """Do again what somebody in the room undid, or what a device did not do."""
    step_id = StepId(call.path("step"))
    lesson = await call.services.participation.restore(*_site(call), step_id, actor=call.actor, rights=call.rights)
    return await answered(call, lesson)


async def _answer(call: Call, invitation: InvitationState) -> LessonJson:
    lesson = await call.services.participation.answer(*_site(call), invitation, actor=call.actor, rights=call.rights)
    return await answered(call, lesson)


def _site(call: Call) -> tuple[LessonId, RoomId]:
    return LessonId(call.path("lesson")), RoomId(call.path("room"))
