"""Scenes: what a room's devices should be, in which order, and which steps may start or must be skipped.

The rules are pure: whoever runs a scene keeps `results`, starts what `startable` names, marks what `skippable` names,
and asks again whenever a step settles. With no circle among the steps this always comes to an end.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from graphlib import CycleError, TopologicalSorter
from typing import NewType

from devices.device import DeviceId, PropertyName, Value
from rooms import checks
from rooms.errors import InvalidScene, InvalidValue
from rooms.room import RoomId

StepId = NewType("StepId", str)
"""Unique within its scene."""

LESSON_SCENE = "lesson"
"""The scene that a room is made ready for a lesson with."""
END_SCENE = "end"
"""The scene that puts it to rest."""
MAX_STEPS = 200
MAX_DEADLINE = timedelta(hours=1)


class Importance(StrEnum):
    """What a lesson is without the step. Nothing but a missing room stops a lesson; this says how loud to say it."""

    ESSENTIAL = "essential"
    USEFUL = "useful"
    COMFORT = "comfort"


class StepState(StrEnum):
    """Where one step of a scene being applied is. The names of ends are those of a command's ends."""

    WAITING = "waiting"  # for other steps
    RUNNING = "running"
    CONFIRMED = "confirmed"  # the device reports the value
    ASSUMED = "assumed"  # sent; the device cannot report it
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"
    SKIPPED = "skipped"  # a step it needs did not succeed
    OVERRIDDEN = "overridden"  # a person in the room decided otherwise; leave it alone

    @property
    def settled(self) -> bool:
        """True where nothing more happens to the step by itself."""
        return self not in (StepState.WAITING, StepState.RUNNING)

    @property
    def succeeded(self) -> bool:
        """True where the device is, as far as can be known, as the step wants it."""
        return self in (StepState.CONFIRMED, StepState.ASSUMED)


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneStep:
    """One property of one device to be set.

    `after`: starts once these have settled, however they ended. `needs`: starts once these have succeeded; where one
    has settled otherwise, this step is skipped.
    """

    id: StepId
    device_id: DeviceId
    property: PropertyName
    value: Value
    importance: Importance = Importance.USEFUL
    deadline: timedelta = timedelta(seconds=10)  # from the step's start to its confirmation
    after: tuple[StepId, ...] = ()
    needs: tuple[StepId, ...] = ()

    def __post_init__(self) -> None:
        try:
            checks.key(self.id, "step id")
            checks.text(self.device_id, "device id", at_most=100)
            checks.text(self.property, "property", at_most=100)
            if isinstance(self.value, str):
                checks.text(self.value, "value", at_most=255, empty=True)
        except InvalidValue as error:
            raise InvalidScene(f"step {self.id!r}: {error}") from error
        if isinstance(self.value, float) and not math.isfinite(self.value):
            raise InvalidScene(f"step {self.id}: {self.value} is no value")
        if not timedelta(0) < self.deadline <= MAX_DEADLINE:
            raise InvalidScene(f"step {self.id}: the deadline is between 0 and {MAX_DEADLINE}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A named set of steps for a room. `version` counts its edits, from 1; 0: not stored yet."""

    room_id: RoomId
    name: str
    steps: tuple[SceneStep, ...]
    version: int = 0

    def __post_init__(self) -> None:
        try:
            checks.key(self.name, "scene name")
        except InvalidValue as error:
            raise InvalidScene(str(error)) from error
        if len(self.steps) > MAX_STEPS:
            raise InvalidScene(f"scene {self.name} has {len(self.steps)} steps; at most {MAX_STEPS}")
        self._check_references()

    def _check_references(self) -> None:
        graph = {step.id: {*step.after, *step.needs} for step in self.steps}
        if len(graph) != len(self.steps):
            raise InvalidScene(f"scene {self.name} has two steps of one id")
        for step_id, references in graph.items():
            if unknown := sorted(references - graph.keys()):
                raise InvalidScene(f"scene {self.name}: step {step_id} refers to unknown {', '.join(unknown)}")
        try:
            TopologicalSorter(graph).prepare()
        except CycleError as error:
            circle = " -> ".join(error.args[1])
            raise InvalidScene(f"scene {self.name} waits for itself: {circle}") from error

    def step(self, step_id: StepId) -> SceneStep:
        """Raises `InvalidScene` where there is no such step."""
        for each in self.steps:
            if each.id == step_id:
                return each
        raise InvalidScene(f"scene {self.name} has no step {step_id!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class StepResult:
    """What is known of a step: where it is, why, and since when."""

    step_id: StepId
    state: StepState
    code: str = ""  # of FAILED: the device's or our reason, e.g. "busy", "not_claimed"
    since: datetime  # aware, UTC


def startable(scene: Scene, results: Mapping[StepId, StepResult]) -> tuple[SceneStep, ...]:
    """Steps still waiting whose `after` have settled and whose `needs` have succeeded. No result means waiting."""
    states = _states(scene, results)
    return tuple(
        step
        for step in scene.steps
        if states[step.id] is StepState.WAITING
        and all(states[each].settled for each in step.after)
        and all(states[each].succeeded for each in step.needs)
    )


def skippable(scene: Scene, results: Mapping[StepId, StepResult]) -> tuple[SceneStep, ...]:
    """Steps still waiting of which a need has settled without success: they can no longer start."""
    states = _states(scene, results)
    return tuple(
        step
        for step in scene.steps
        if states[step.id] is StepState.WAITING
        and any(states[each].settled and not states[each].succeeded for each in step.needs)
    )


def _states(scene: Scene, results: Mapping[StepId, StepResult]) -> dict[StepId, StepState]:
    return {step.id: results[step.id].state if step.id in results else StepState.WAITING for step in scene.steps}
