"""Making a scene true: its steps in order, each confirmed, retried or given up by its deadline, and kept true after.

A run compares what a step wants with what its device reports. A device that was away and comes back wrong is put right;
a value that somebody changed at the wall while the device was there is theirs, and is left alone and recorded.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta

from controller.ids import new_command_id
from controller.lessons.steps import StepDevice, StepView
from devices.changes import ChangeKind
from devices.commands import on_the_way, same
from devices.device import Availability, Command, CommandState, DeviceId, DeviceType, PropertyName, Value
from devices.errors import DeviceNotClaimed, DeviceNotFound, InvalidCommand, PropertyNotFound, QueueFull
from devices.hub import DeviceHub
from rooms.errors import StepNotFound
from rooms.scene import Scene, SceneStep, StepId, StepResult, StepState, skippable, startable

logger = logging.getLogger(__name__)

REPAIR_LIMIT = 3
"""How often one step is done again for a device that keeps coming back wrong."""
BUSY_PAUSE = timedelta(seconds=1)
"""How long a device that answers `busy` is left alone before it is asked again."""

OUTCOMES = {
    CommandState.CONFIRMED: StepState.CONFIRMED,
    CommandState.ASSUMED: StepState.ASSUMED,
    CommandState.FAILED: StepState.FAILED,
    CommandState.TIMED_OUT: StepState.TIMED_OUT,
    CommandState.EXPIRED: StepState.EXPIRED,
    CommandState.SUPERSEDED: StepState.SUPERSEDED,
}
REPAIRABLE = (StepState.FAILED, StepState.TIMED_OUT, StepState.EXPIRED)
GONE = (Availability.OFFLINE, Availability.STALE)
COMPARED_AFTER = (ChangeKind.REPORTED, ChangeKind.AVAILABILITY, ChangeKind.CLAIM)


class SceneRun:
    """One scene on its way in one room. The owner runs `run()` in a task and reads `results`."""

    def __init__(
        self,
        scene: Scene,
        *,
        hub: DeviceHub,
        actor: str,
        clock: Callable[[], datetime],
        changed: Callable[[], None],
        overridden: Collection[StepId] = (),
    ) -> None:
        self.scene = scene
        self._hub = hub
        self._actor = actor
        self._clock = clock
        self._changed = changed
        self._wake = asyncio.Event()
        self._settled = asyncio.Event()
        self._away: set[StepId] = (
            set()
        )  # whose device was not there at some time since, and has not said its value again
        self._reached: set[DeviceId] = set()  # devices that could be reached when they were looked at last
        self._newest: dict[tuple[DeviceId, PropertyName], StepId] = {}  # of steps that set the same, the last begun
        self._repairs: dict[StepId, int] = {}
        self._begun: dict[StepId, datetime] = {}  # when a step's command was given last
        self._with_its_need: set[StepId] = set()  # overridden because what they need is
        self.results: dict[StepId, StepResult] = {
            step.id: StepResult(
                step_id=step.id,
                state=StepState.OVERRIDDEN if step.id in overridden else StepState.WAITING,
                code="",
                since=clock(),
            )
            for step in scene.steps
        }

    @property
    def overridden(self) -> frozenset[StepId]:
        """The steps whose value somebody changed by hand after they were done, and what depends on them."""
        return frozenset(id for id, result in self.results.items() if result.state is StepState.OVERRIDDEN)

    async def apply(self) -> None:
        """Make the scene true once: return when no step is waiting or running."""
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(self.run(), name=f"apply scene {self.scene.name} in room {self.scene.room_id}")
            await self._settled.wait()
            running.cancel()

    async def run(self) -> None:
        """Make the scene true and keep it so until cancelled. Can be called again after that."""
        for step in self.scene.steps:
            if self.results[step.id].state is StepState.RUNNING:
                self._move(step, StepState.WAITING)  # its task ended with the run before
        devices = {step.device_id for step in self.scene.steps}
        with self._hub.changes(devices) as changes:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._advance(tasks), name=f"scene {self.scene.name} of room {self.scene.room_id}")
                async for change in changes:
                    if change.kind in COMPARED_AFTER:
                        self._compare(DeviceId(change.id))

    async def _advance(self, tasks: asyncio.TaskGroup) -> None:
        while True:
            self._wake.clear()
            for step in skippable(self.scene, self.results):
                # What somebody decided about the projector they decided about its input, too.
                theirs = any(self.results[id].state is StepState.OVERRIDDEN for id in step.needs)
                if theirs:
                    self._with_its_need.add(step.id)
                self._move(step, StepState.OVERRIDDEN if theirs else StepState.SKIPPED)
            for step in startable(self.scene, self.results):
                self._begun[step.id] = self._clock()
                self._move(step, StepState.RUNNING)
                self._newest[step.device_id, step.property] = step.id
                tasks.create_task(self._perform(step), name=f"step {step.id} of room {self.scene.room_id}")
            if all(result.state.settled for result in self.results.values()):
                self._settled.set()
            else:
                self._settled.clear()
            await self._wake.wait()

    async def _perform(self, step: SceneStep) -> None:
        """Send the step's command until it ends in something other than `busy`, or its deadline passes."""
        deadline = self._clock() + step.deadline
        while True:
            state, code = await self._send(step, deadline)
            if (state, code) != (StepState.FAILED, "busy") or self._clock() + BUSY_PAUSE >= deadline:
                break
            await asyncio.sleep(BUSY_PAUSE.total_seconds())
        self._move(step, state, code)
        if not self._is_there(step.device_id):
            self._away.add(step.id)
        elif state.succeeded:
            self._away.discard(step.id)
            self._compare_step(step)  # what it said since it confirmed was not looked at while the step was running

    async def _send(self, step: SceneStep, deadline: datetime) -> tuple[StepState, str]:
        command = Command(
            id=new_command_id(),
            device_id=step.device_id,
            property=step.property,
            value=step.value,
            deadline=deadline,
            actor=self._actor,
        )
        try:
            if self._hub.room_of(step.device_id) != self.scene.room_id:
                return StepState.FAILED, "not_claimed"  # another room's devices are none of a scene's business
            result = await self._hub.send(command)
        except DeviceNotFound:
            return StepState.FAILED, "not_found"
        except DeviceNotClaimed:
            return StepState.FAILED, "not_claimed"
        except (InvalidCommand, PropertyNotFound):
            return StepState.FAILED, "unsupported"
        except QueueFull:
            return StepState.FAILED, "busy"
        return OUTCOMES[result.state], result.code

    def _compare(self, device_id: DeviceId) -> None:
        """Look again at what a device's steps want and what it says, after it said something or came or went."""
        there = self._is_there(device_id)
        mine = [step for step in self.scene.steps if step.device_id == device_id]
        for step in mine:
            if there:
                self._compare_step(step)
            else:
                self._away.add(step.id)
        if mine and there is not (device_id in self._reached):
            self._reached ^= {device_id}
            self._changed()

    def _is_there(self, device_id: DeviceId) -> bool:
        """Whether it can be reached and commanded."""
        try:
            return (
                self._hub.room_of(device_id) is not None and self._hub.availability(device_id)[0] is Availability.ONLINE
            )
        except DeviceNotFound:
            return False

    def _compare_step(self, step: SceneStep) -> None:
        if self._newest.get((step.device_id, step.property)) != step.id:
            return  # a later step has set the same to something else
        state = self.results[step.id].state
        try:
            reported = self._hub.reported(step.device_id).get(step.property)
            property = self._hub.device(step.device_id).property(step.property)
        except (DeviceNotFound, PropertyNotFound):
            return  # gone, or described anew without this property: its step cannot be compared
        said = reported.value if reported is not None and reported.fresh else None
        if said is not None and same(property, step.value, said):
            self._away.discard(step.id)
            if state in REPAIRABLE or state is StepState.OVERRIDDEN:
                self._move(step, StepState.CONFIRMED)
                self._redo_dependents(step)
        elif said is not None and on_the_way(property, step.value, said):
            pass  # the rest of the way is still to be said
        elif step.id in self._away and (state in REPAIRABLE or (state.succeeded and said is not None)):
            self._repair(step)
        elif state.succeeded and said is not None:
            self._move(step, StepState.OVERRIDDEN)

    def _repair(self, step: SceneStep) -> None:
        """Do again the step of a device that came back wrong, unless that was done too often already."""
        self._repairs[step.id] = self._repairs.get(step.id, 0) + 1
        if self._repairs[step.id] > REPAIR_LIMIT:
            self._move(step, StepState.FAILED, "contradicted")
        else:
            self._redo(step)

    def _redo(self, step: SceneStep) -> None:
        self._away.discard(step.id)
        self._move(step, StepState.WAITING)
        self._redo_dependents(step)

    def _redo_dependents(self, step: SceneStep) -> None:
        """What needs this step begins again after it: an input chosen before the projector went off may be lost."""
        for each in self.scene.steps:
            state = self.results[each.id].state
            again = state is StepState.SKIPPED or state.succeeded or each.id in self._with_its_need
            if step.id in each.needs and again:
                self._with_its_need.discard(each.id)
                self._redo(each)

    def step(self, step_id: StepId) -> SceneStep:
        """Raises `StepNotFound`."""
        for each in self.scene.steps:
            if each.id == step_id:
                return each
        raise StepNotFound(f"scene {self.scene.name} of room {self.scene.room_id} has no step {step_id}")

    def restore(self, step_id: StepId) -> None:
        """Do a step again that somebody undid or that failed, with what it needs and what needs it.

        Raises `StepNotFound`.
        """
        step = self.step(step_id)
        for each in step.needs:
            if not self.results[each].state.succeeded:
                self.restore(each)
        if self.results[step.id].state in (*REPAIRABLE, StepState.OVERRIDDEN, StepState.SKIPPED):
            self._repairs.pop(step.id, None)
            self._with_its_need |= {
                each.id
                for each in self.scene.steps
                if step.id in each.needs and self.results[each.id].state is StepState.OVERRIDDEN
            }
            self._redo(step)

    def _move(self, step: SceneStep, state: StepState, code: str = "") -> None:
        before = self.results[step.id].state
        if before is state:
            return
        self.results[step.id] = StepResult(step_id=step.id, state=state, code=code, since=self._clock())
        logger.info(
            "room %s: scene %s: step %s: %s -> %s %s", self.scene.room_id, self.scene.name, step.id, before, state, code
        )
        self._wake.set()
        self._changed()

    def views(self) -> tuple[StepView, ...]:
        """The steps as people are shown them."""
        return step_views(self.scene.steps, self.results, self._begun, self._hub)


def step_views(
    steps: Iterable[SceneStep],
    results: Mapping[StepId, StepResult],
    begun: Mapping[StepId, datetime],
    hub: DeviceHub,
) -> tuple[StepView, ...]:
    """Steps with their results, their devices' names and what these have said since the step was begun."""
    return tuple(_step_view(step, results, begun.get(step.id), hub) for step in steps)


def _step_view(
    step: SceneStep, results: Mapping[StepId, StepResult], begun: datetime | None, hub: DeviceHub
) -> StepView:
    result = results[step.id]
    name, type, unit, reported, command, lost = "", DeviceType.OTHER, "", None, None, False
    with suppress(DeviceNotFound):
        device = hub.device(step.device_id)
        name, type, reported = device.name, device.type, _heard(hub, step, begun)
        unit = next((each.unit for each in device.properties if each.name == step.property), "")
        pending = hub.pending(step.device_id).get(step.property)
        command = pending[1] if pending and result.state is StepState.RUNNING else None
        lost = result.state.succeeded and hub.availability(step.device_id)[0] in GONE
    return StepView(
        id=step.id,
        device=StepDevice(id=step.device_id, name=name, type=type),
        property=step.property,
        value=step.value,
        importance=step.importance,
        state=result.state,
        lost=lost,
        code=result.code,
        since=result.since,
        deadline_s=step.deadline.total_seconds(),
        reported=reported,
        unit=unit,
        command=command,
        because=next((id for id in step.needs if not results[id].state.succeeded), None),
    )


def _heard(hub: DeviceHub, step: SceneStep, begun: datetime | None) -> Value | None:
    """What the device has said since the command, or says now where there was none; older values prove nothing."""
    reported = hub.reported(step.device_id).get(step.property)
    if reported is None:
        return None
    return reported.value if (reported.fresh if begun is None else reported.received >= begun) else None
