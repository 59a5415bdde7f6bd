"""What a display is told: everything once, then what is another."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from controller.displays.call import DisplayCall, DisplayState
from controller.displays.media_tokens import MediaGrant, ScreenGrant
from controller.schema import NamedJson, SchoolJson
from controller.web.messages import CallChange
from controller.web.told import FRESH, Told
from rooms.floor import Mode
from rooms.lesson import LessonId
from rooms.room import DisplayId, RoomId
from rooms.school import OrganisationId
from webrtc.shared.state import Flow

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
LATER = NOW + timedelta(seconds=1)
R2 = RoomId("r2")
SILENT = DisplayState(
    time=NOW,
    display=DisplayId("s1"),
    room=NamedJson(id="r1", name="4A"),
    school=SchoolJson(id=OrganisationId("le-loi"), name="Trường Lê Lợi", province="Nghệ An"),
)


def call(token: str = "first") -> DisplayCall:
    """Its grants are made at each reading: they have another token each time."""
    grant = MediaGrant(url="/whip/l1", token=token)
    return DisplayCall(
        lesson=LessonId("l1"),
        title="Toán",
        epoch="e1",
        spread_ms=0,
        whip=grant,
        whep=grant,
        screen=ScreenGrant(url=grant.url, token=token, client="s1-screen", epoch="e1"),
        sharing=None,
        video=1,
        audio=1,
        rooms=(),
        layers={},
        mode=Mode.DISCUSSION,
        floor=None,
        speaking=None,
        flows={"0": Flow.LIVE},
    )


def state(time: datetime = NOW, **changed: object) -> DisplayState:
    return replace(SILENT, time=time, call=replace(call(time.isoformat()), **changed))  # type: ignore[arg-type]  # fields by name


def test_everything_at_first_then_only_what_changes() -> None:
    told, still = Told(), {"0": Flow.STILL}
    assert told.next(state()) == state()
    assert told.next(state(LATER)) is None
    assert told.next(state(speaking=R2)) == CallChange(call={"speaking": R2})
    assert told.next(state(speaking=R2, flows=still)) == CallChange(call={"flows": still})
    assert told.next(state(flows=still)) == CallChange(call={"speaking": None})


def test_everything_again_of_another_call_and_of_what_is_no_call() -> None:
    told, renamed = Told(), NamedJson(id="r1", name="4B")
    elsewhere = state(lesson=LessonId("l2"), epoch="e2")
    steps = (
        SILENT,
        state(),
        state(epoch="e2"),
        elsewhere,
        replace(elsewhere, room=renamed),
        SILENT,
        replace(SILENT, room=renamed),
    )
    for step in steps:
        assert told.next(step) == step
        assert told.next(step) is None


def test_tokens_are_renewed_with_the_first_change_after_a_while() -> None:
    told = Told()
    told.next(state())
    assert told.next(state(NOW + FRESH - timedelta(seconds=1))) is None
    assert told.next(state(NOW + FRESH)) == state(NOW + FRESH)
    assert told.next(state(NOW + FRESH + timedelta(seconds=1))) is None
