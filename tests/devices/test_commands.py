from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from devices.commands import CommandQueue, on_the_way, same
from devices.device import (
    Acknowledgement,
    Capability,
    Command,
    CommandId,
    CommandResult,
    CommandState,
    DeviceId,
    Kind,
    Property,
    PropertyName,
    Stage,
    Value,
)
from devices.errors import QueueFull

NOW = datetime(2026, 11, 21, 7, 0, tzinfo=UTC)
DEADLINE = NOW + timedelta(seconds=10)
POWER = Property(
    name=PropertyName("power"), capability=Capability.POWER, kind=Kind.ENUM, options=("off", "on"), settable=True
)
PRESS = Property(
    name=PropertyName("button"),
    capability=Capability.BUTTON,
    kind=Kind.ENUM,
    options=("press",),
    settable=True,
    reported=False,
)


def asked(id: str = "c1", of: Property = POWER, value: Value = "on") -> Command:
    return Command(id=CommandId(id), device_id=DeviceId("d1"), property=of.name, value=value, deadline=DEADLINE)


def answer(stage: str, *, id: str = "c1", code: str = "", retry_after: timedelta | None = None) -> Acknowledgement:
    return Acknowledgement(
        device_id=DeviceId("d1"), command_id=CommandId(id), stage=Stage(stage), code=code, retry_after=retry_after
    )


def ends(results: Sequence[CommandResult]) -> list[tuple[str, CommandState, str]]:
    return [(each.command.id, each.state, each.code) for each in results]


def sending(of: Property = POWER, *, acknowledges: bool = True) -> CommandQueue:
    """A queue with one command in the broker's hands."""
    queue = CommandQueue(acknowledges=acknowledges)
    assert queue.accept(asked(of=of, value="on" if of is POWER else "press"), of, NOW) == ()
    assert queue.next(NOW) is not None
    assert queue.sent(CommandId("c1"), NOW) == ()
    return queue


def test_a_report_of_the_value_confirms() -> None:
    queue = sending()
    assert queue.reported({POWER.name: "warming"}, NOW) == ()
    assert ends(queue.reported({POWER.name: "on"}, NOW)) == [("c1", CommandState.CONFIRMED, "")]
    assert queue.reported({POWER.name: "on"}, NOW) == ()
    assert len(queue) == 0


def test_a_report_before_the_puback_confirms_too() -> None:
    queue = CommandQueue(acknowledges=True)
    queue.accept(asked(), POWER, NOW)
    queue.next(NOW)
    assert ends(queue.reported({POWER.name: "on"}, NOW)) == [("c1", CommandState.CONFIRMED, "")]
    assert queue.sent(CommandId("c1"), NOW) == ()


def test_a_report_before_it_was_sent_does_not_confirm() -> None:
    queue = CommandQueue(acknowledges=True)
    queue.accept(asked(), POWER, NOW)
    assert queue.reported({POWER.name: "on"}, NOW) == ()


@pytest.mark.parametrize(
    ("acknowledges", "steps", "expected"),
    [
        (False, ["sent"], CommandState.ASSUMED),
        (True, ["sent", "done"], CommandState.ASSUMED),
        (True, ["done"], CommandState.ASSUMED),
        (True, ["sent", "accepted", "failed"], CommandState.FAILED),
    ],
)
def test_what_cannot_be_reported_ends_by_its_answers(
    acknowledges: bool, steps: list[str], expected: CommandState
) -> None:
    queue = CommandQueue(acknowledges=acknowledges)
    queue.accept(asked(of=PRESS, value="press"), PRESS, NOW)
    queue.next(NOW)
    results = [
        queue.sent(CommandId("c1"), NOW) if step == "sent" else queue.acknowledged(answer(step), NOW) for step in steps
    ]
    assert [len(each) for each in results[:-1]] == [0] * (len(steps) - 1)
    assert [each.state for each in results[-1]] == [expected]


def test_done_of_what_can_be_reported_waits_for_the_report() -> None:
    queue = sending()
    assert queue.acknowledged(answer("done"), NOW) == ()
    assert queue.pending[POWER.name][1] is CommandState.ACKNOWLEDGED
    assert ends(queue.reported({POWER.name: "on"}, NOW)) == [("c1", CommandState.CONFIRMED, "")]


def test_busy_is_sent_again_after_the_devices_wait() -> None:
    queue = sending()
    assert queue.acknowledged(answer("failed", code="busy", retry_after=timedelta(seconds=3)), NOW) == ()
    assert queue.due(NOW) == NOW + timedelta(seconds=3)
    assert queue.next(NOW + timedelta(seconds=2)) is None
    assert queue.next(NOW + timedelta(seconds=3)) == asked()


def test_busy_beyond_the_deadline_has_failed() -> None:
    queue = sending()
    busy = answer("failed", code="busy", retry_after=timedelta(seconds=10))
    assert ends(queue.acknowledged(busy, NOW)) == [("c1", CommandState.FAILED, "busy")]


@pytest.mark.parametrize(
    ("reports", "code"),
    [([], "no_report"), (["off"], "contradicted"), (["off", "warming"], "in_transition")],
)
def test_a_timeout_says_what_was_seen(reports: list[str], code: str) -> None:
    queue = sending()
    for value in reports:
        queue.reported({POWER.name: value}, NOW)
    assert queue.tick(DEADLINE - timedelta(milliseconds=1)) == ()
    assert ends(queue.tick(DEADLINE)) == [("c1", CommandState.TIMED_OUT, code)]


def test_what_was_not_sent_expires() -> None:
    queue = CommandQueue(acknowledges=True)
    queue.accept(asked(), POWER, NOW)
    assert queue.next(DEADLINE) is None
    assert ends(queue.tick(DEADLINE, held="device_offline")) == [("c1", CommandState.EXPIRED, "device_offline")]


def test_what_comes_too_late_expires_at_once() -> None:
    queue = CommandQueue(acknowledges=True)
    assert ends(queue.accept(asked(), POWER, DEADLINE)) == [("c1", CommandState.EXPIRED, "too_late")]


@pytest.mark.parametrize(
    "progress",
    [
        lambda queue: None,
        lambda queue: queue.next(NOW),
        lambda queue: (queue.next(NOW), queue.sent(CommandId("c1"), NOW)),
        lambda queue: (queue.next(NOW), queue.acknowledged(answer("accepted"), NOW)),
    ],
)
def test_a_newer_command_supersedes_wherever_the_older_is(progress: Callable[[CommandQueue], object]) -> None:
    queue = CommandQueue(acknowledges=True)
    queue.accept(asked(), POWER, NOW)
    progress(queue)
    assert ends(queue.accept(asked("c2", value="off"), POWER, NOW)) == [("c1", CommandState.SUPERSEDED, "")]
    assert queue.next(NOW) == asked("c2", value="off")
    assert queue.acknowledged(answer("failed"), NOW) == ()  # of the older


def test_a_fresh_equal_value_confirms_at_once_unless_something_else_was_sent_since() -> None:
    queue = CommandQueue(acknowledges=True)
    fresh = ("on", NOW)
    assert ends(queue.accept(asked(), POWER, NOW, reported=fresh)) == [("c1", CommandState.CONFIRMED, "already")]
    queue.accept(asked("c2", value="off"), POWER, NOW, reported=fresh)
    later = NOW + timedelta(seconds=1)
    queue.next(later)
    assert ends(queue.accept(asked("c3"), POWER, later, reported=fresh)) == [("c2", CommandState.SUPERSEDED, "")]
    assert queue.next(later) == asked("c3")


def test_a_lost_connection_sends_a_value_again_but_no_button() -> None:
    queue = CommandQueue(acknowledges=False)
    queue.accept(asked(), POWER, NOW)
    queue.accept(asked("c2", PRESS, "press"), PRESS, NOW)
    assert [queue.next(NOW), queue.next(NOW)] == [asked(), asked("c2", PRESS, "press")]
    assert queue.lost(CommandId("c1"), NOW) == ()
    assert ends(queue.lost(CommandId("c2"), NOW)) == [("c2", CommandState.TIMED_OUT, "broker_lost")]
    assert queue.next(NOW) == asked()


def test_what_may_have_been_sent_does_not_expire() -> None:
    queue = CommandQueue(acknowledges=True)
    queue.accept(asked(), POWER, NOW)
    queue.next(NOW)
    queue.lost(CommandId("c1"), NOW)
    assert ends(queue.tick(DEADLINE, held="broker_away")) == [("c1", CommandState.TIMED_OUT, "broker_lost")]


def test_the_queue_is_bounded() -> None:
    queue = CommandQueue(acknowledges=True, limit=1)
    queue.accept(asked(), POWER, NOW)
    with pytest.raises(QueueFull):
        queue.accept(asked("c2", PRESS, "press"), PRESS, NOW)
    assert ends(queue.accept(asked("c3"), POWER, NOW)) == [("c1", CommandState.SUPERSEDED, "")]


def test_cancelling_ends_all() -> None:
    queue = sending()
    queue.accept(asked("c2", PRESS, "press"), PRESS, NOW)
    assert ends(queue.cancel(NOW)) == [
        ("c1", CommandState.FAILED, "cancelled"),
        ("c2", CommandState.FAILED, "cancelled"),
    ]


@pytest.mark.parametrize(
    ("step", "desired", "reported", "expected"),
    [
        (1.0, 50, 50.2, True),
        (1.0, 50, 50.5, True),
        (1.0, 50, 51, False),
        (0.5, 24.5, 24.0, False),
        (None, 0.1 + 0.2, 0.3, True),
        (None, 50, 50.2, False),
        (1.0, 50, "50", False),
    ],
)
def test_numbers_are_the_same_within_half_a_step(
    step: float | None, desired: float, reported: Value, expected: bool
) -> None:
    level = Property(
        name=PropertyName("level"), capability=Capability.LEVEL, kind=Kind.NUMBER, step=step, settable=True
    )
    assert same(level, desired, reported) is expected


COVER = Property(
    name=PropertyName("cover"),
    capability=Capability.COVER,
    kind=Kind.ENUM,
    options=("open", "closed", "stopped"),
    settable=True,
)


@pytest.mark.parametrize(
    ("desired", "reported", "expected"),
    [
        ("stopped", "stopped", True),
        ("stopped", "open", True),
        ("stopped", "closed", True),
        ("stopped", "opening", False),
        ("open", "stopped", False),
        ("closed", "open", False),
    ],
)
def test_a_cover_has_stopped_wherever_it_stands(desired: str, reported: str, expected: bool) -> None:
    assert same(COVER, desired, reported) is expected


def test_an_order_is_sent_whatever_was_reported() -> None:
    queue = CommandQueue(acknowledges=False)
    for number, stands in enumerate(("stopped", "open", "closing")):
        stop = asked(f"c{number}", COVER, "stopped")
        assert [state for _, state, _ in ends(queue.accept(stop, COVER, NOW, reported=(stands, NOW)))] in (
            [],
            [CommandState.SUPERSEDED],
        )
        assert queue.next(NOW) == stop
    opening = queue.accept(asked("c9", COVER, "open"), COVER, NOW, reported=("open", NOW + timedelta(seconds=1)))
    assert ends(opening)[-1] == ("c9", CommandState.CONFIRMED, "already")


def test_near_enough_confirms_what_was_sent_and_never_saves_sending_it() -> None:
    position = replace(
        COVER, name=PropertyName("cover.position"), kind=Kind.NUMBER, options=(), step=1.0, tolerance=5.0
    )
    queue = CommandQueue(acknowledges=False)
    assert queue.accept(asked("c1", position, 100), position, NOW, reported=(97, NOW)) == ()
    assert queue.next(NOW) is not None
    assert queue.reported({position.name: 94}, NOW) == ()
    assert ends(queue.reported({position.name: 97}, NOW)) == [("c1", CommandState.CONFIRMED, "")]


def test_warming_leads_to_on_and_cooling_does_not() -> None:
    assert on_the_way(POWER, "on", "warming")
    assert not on_the_way(POWER, "on", "cooling")
