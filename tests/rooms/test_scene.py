from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.device import DeviceId, PropertyName, Value
from rooms.errors import InvalidScene
from rooms.room import RoomId
from rooms.scene import Scene, SceneStep, StepId, StepResult, StepState, skippable, startable

NOW = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
SETTLED = [state for state in StepState if state.settled]


def step(name: str, *, after: str = "", needs: str = "", value: Value = "on", deadline_s: float = 10) -> SceneStep:
    return SceneStep(
        id=StepId(name),
        device_id=DeviceId("d1"),
        property=PropertyName("power"),
        value=value,
        deadline=timedelta(seconds=deadline_s),
        after=tuple(StepId(each) for each in after.split()),
        needs=tuple(StepId(each) for each in needs.split()),
    )


def scene(*steps: SceneStep, name: str = "lesson") -> Scene:
    return Scene(room_id=RoomId("r1"), name=name, steps=steps)


def results(**states: StepState) -> dict[StepId, StepResult]:
    return {StepId(name): StepResult(step_id=StepId(name), state=state, since=NOW) for name, state in states.items()}


LESSON = scene(
    step("screen"),
    step("projector"),
    step("input", needs="projector"),
    step("lights", after="screen projector"),
    step("volume", after="lights", needs="input"),
)


@pytest.mark.parametrize(
    ("states", "may_start", "must_skip"),
    [
        ({}, ["screen", "projector"], []),
        ({"screen": "waiting", "projector": "running"}, ["screen"], []),
        ({"screen": "confirmed", "projector": "running"}, [], []),
        ({"screen": "confirmed", "projector": "confirmed"}, ["input", "lights"], []),
        ({"screen": "confirmed", "projector": "assumed"}, ["input", "lights"], []),
        ({"screen": "failed", "projector": "timed_out"}, ["lights"], ["input"]),
        ({"screen": "running", "projector": "failed"}, [], ["input"]),
        ({"screen": "confirmed", "projector": "overridden"}, ["lights"], ["input"]),
        ({"screen": "expired", "projector": "superseded", "input": "skipped"}, ["lights"], ["volume"]),
        ({"screen": "confirmed", "projector": "confirmed", "input": "confirmed", "lights": "running"}, [], []),
        ({"screen": "confirmed", "projector": "confirmed", "input": "confirmed", "lights": "failed"}, ["volume"], []),
        ({"screen": "skipped", "projector": "failed", "input": "skipped", "lights": "failed"}, [], ["volume"]),
    ],
)
def test_steps_start_and_are_skipped_in_order(
    states: dict[str, str], may_start: list[str], must_skip: list[str]
) -> None:
    known = results(**{name: StepState(state) for name, state in states.items()})
    assert [each.id for each in startable(LESSON, known)] == may_start
    assert [each.id for each in skippable(LESSON, known)] == must_skip


@pytest.mark.parametrize(
    ("steps", "says"),
    [
        ([step("a"), step("a")], "two steps of one id"),
        ([step("a", after="b")], "step a refers to unknown b"),
        ([step("a", needs="b c"), step("c")], "step a refers to unknown b"),
        ([step("a", after="a")], "waits for itself: a -> a"),
        ([step("a", after="b"), step("b", needs="a")], "waits for itself"),
        ([step("a"), step("b", after="a d"), step("c", needs="b"), step("d", after="c")], "waits for itself"),
        ([step(f"s{number}") for number in range(201)], "201 steps; at most 200"),
    ],
)
def test_a_scene_that_cannot_end_is_refused(steps: list[SceneStep], says: str) -> None:
    with pytest.raises(InvalidScene, match=says):
        scene(*steps)


@pytest.mark.parametrize("name", ["", "two words", "../end", "x" * 65])
def test_a_name_that_cannot_stand_in_a_path_is_refused(name: str) -> None:
    with pytest.raises(InvalidScene, match="scene name"):
        scene(name=name)
    with pytest.raises(InvalidScene, match="step id"):
        step(name)


@pytest.mark.parametrize(
    ("value", "deadline_s", "says"),
    [
        (float("nan"), 10, "no value"),
        (float("inf"), 10, "no value"),
        ("x" * 256, 10, "at most 255"),
        ("\x00", 10, "not text"),
        ("on", 0, "deadline"),
        ("on", 3601, "deadline"),
    ],
)
def test_a_step_no_device_can_follow_is_refused(value: Value, deadline_s: float, says: str) -> None:
    with pytest.raises(InvalidScene, match=says):
        step("a", value=value, deadline_s=deadline_s)


@st.composite
def acyclic_scenes(draw: st.DrawFn) -> Scene:
    """Scenes whose steps refer to earlier ones only, then shuffled."""
    steps: list[SceneStep] = []
    for number in range(draw(st.integers(0, 12))):
        names = [each.id for each in steps]
        references = st.lists(st.sampled_from(names), unique=True) if names else st.just([])
        after, needs = draw(references), draw(references)
        steps.append(step(f"s{number}", after=" ".join(after), needs=" ".join(needs)))
    return scene(*draw(st.permutations(steps)))


@given(acyclic_scenes(), st.data())
def test_every_scene_without_a_circle_settles(drawn: Scene, data: st.DataObject) -> None:
    known: dict[StepId, StepResult] = {}
    while len(known) < len(drawn.steps):
        may_start, must_skip = startable(drawn, known), skippable(drawn, known)
        assert may_start or must_skip
        assert not {each.id for each in may_start} & {each.id for each in must_skip}
        for each in may_start:
            assert all(name in known for name in each.after)
            assert all(known[name].state.succeeded for name in each.needs)
        known |= results(**{each.id: data.draw(st.sampled_from(SETTLED)) for each in may_start})
        known |= results(**{each.id: StepState.SKIPPED for each in must_skip})
    assert (startable(drawn, known), skippable(drawn, known)) == ((), ())
