"""What a display is told: everything once, then what is another."""

from datetime import UTC, datetime, timedelta

from controller.web.told import FRESH, Message, Told

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
ROOM = {"id": "r1", "name": "4A"}


def state(*, time: str = "8:00", room: Message = ROOM, **call: object) -> Message:
    given = {"lesson": "l1", "epoch": "e1", "whip": {"token": time}, "speaking": None, "flows": {"0": "live"}}
    return {"type": "state", "time": time, "room": room, "call": given | call}


def silent(*, room: Message = ROOM) -> Message:
    return {"type": "state", "time": "8:00", "room": room, "call": None}


def test_everything_at_first_then_only_what_changes() -> None:
    told = Told()
    assert told.next(state(), NOW) == state()
    assert told.next(state(time="8:01"), NOW) == {}
    assert told.next(state(speaking="r2"), NOW) == {"type": "call", "call": {"speaking": "r2"}}
    assert told.next(state(speaking="r2", flows={"0": "still"}), NOW) == {
        "type": "call",
        "call": {"flows": {"0": "still"}},
    }
    assert told.next(state(flows={"0": "still"}), NOW) == {"type": "call", "call": {"speaking": None}}


def test_everything_again_of_another_call_and_of_what_is_no_call() -> None:
    told = Told()
    steps = (
        silent(),
        state(),
        state(epoch="e2"),
        state(lesson="l2", epoch="e2"),
        state(lesson="l2", epoch="e2", room={"id": "r1", "name": "4B"}),
        silent(),
        silent(room={"id": "r1", "name": "4B"}),
    )
    for step in steps:
        assert told.next(step, NOW) == step
        assert told.next(step, NOW) == {}


def test_tokens_are_renewed_with_the_first_change_after_a_while() -> None:
    told = Told()
    told.next(state(), NOW)
    assert told.next(state(time="8:01"), NOW + FRESH - timedelta(seconds=1)) == {}
    assert told.next(state(time="8:02"), NOW + FRESH) == state(time="8:02")
    assert told.next(state(time="8:03"), NOW + FRESH) == {}
