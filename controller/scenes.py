"""Making a scene true: its steps in order, each confirmed, retried or given up by its deadline, and kept true after.

A run compares what a step wants with what its device reports. A device that was away and comes back wrong is put right;
a value that somebody changed at the wall while the device was there is theirs, and is left alone and recorded.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime, timedelta

from controller.errors import RoomInUse
from controller.ids import new_command_id
from controller.views import SceneView, StepView
from devices.commands import on_the_way, same
from devices.device import Availability, Command, CommandState, DeviceId, PropertyName, Value
from devices.errors import DeviceNotClaimed, DeviceNotFound, InvalidCommand, PropertyNotFound, QueueFull
from devices.hub import ChangeKind, DeviceHub
from rooms.room import RoomId
from rooms.scene import Scene, SceneStep, StepId, StepResult, StepState, skippable, startable
from rooms.store import Store

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


class SceneRun:
    """One scene on its way in one room. The owner runs `run()` in a task and reads `results`."""

    def __init__(
        self,
        scene: Scene,
        hub: DeviceHub,
        *,
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
        self._away: set[DeviceId] = set()  # not there at some time since its step was done
        self._repairs: dict[StepId, int] = {}
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
        """The steps whose value somebody changed by hand after they were done."""
        return frozenset(id for id, result in self.results.items() if result.state is StepState.OVERRIDDEN)

    async def settled(self) -> None:
        """Return once no step is waiting or running."""
        await self._settled.wait()

    async def run(self) -> None:
        """Make the scene true and keep it so until cancelled."""
        async with asyncio.TaskGroup() as tasks, self._hub.changes() as changes:
            tasks.create_task(self._advance(tasks), name=f"scene {self.scene.name} of room {self.scene.room_id}")
            async for change in changes:
                if change.kind in (ChangeKind.REPORTED, ChangeKind.AVAILABILITY):
                    self._compare(change.device_id)

    async def _advance(self, tasks: asyncio.TaskGroup) -> None:
        while True:
            self._wake.clear()
            for step in skippable(self.scene, self.results):
                self._move(step, StepState.SKIPPED)
            for step in startable(self.scene, self.results):
                self._move(step, StepState.RUNNING)
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
        if state.succeeded and self._is_there(step.device_id):
            self._away.discard(step.device_id)
        self._move(step, state, code)

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
            result = await self._hub.send(command)
        except DeviceNotFound:
            return StepState.FAILED, "unknown_device"
        except DeviceNotClaimed:
            return StepState.FAILED, "not_claimed"
        except (InvalidCommand, PropertyNotFound):
            return StepState.FAILED, "unsupported"
        except QueueFull:
            return StepState.FAILED, "busy"
        return OUTCOMES[result.state], result.code

    def _compare(self, device_id: DeviceId) -> None:
        """Look again at what a device's steps want and what it says, after it said something or came or went."""
        if not self._is_there(device_id):
            self._away.add(device_id)
            return
        for step in self.scene.steps:
            if step.device_id == device_id:
                self._compare_step(step)
        self._away.discard(device_id)

    def _is_there(self, device_id: DeviceId) -> bool:
        try:
            return self._hub.availability(device_id)[0] is Availability.ONLINE
        except DeviceNotFound:
            return False

    def _compare_step(self, step: SceneStep) -> None:
        state = self.results[step.id].state
        try:
            reported = self._hub.reported(step.device_id).get(step.property)
            agrees = reported is not None and reported.fresh and self._same(step, reported.value)
        except (DeviceNotFound, PropertyNotFound):
            return  # gone, or described anew without this property: its step cannot be compared
        if state in REPAIRABLE:
            if agrees:
                self._move(step, StepState.CONFIRMED)
                self._reconsider_skipped()
            elif step.device_id in self._away:
                self._repair(step)
        elif state.succeeded and reported is not None and reported.fresh and not agrees:
            if step.device_id in self._away:
                self._repair(step)
            else:
                self._move(step, StepState.OVERRIDDEN)

    def _same(self, step: SceneStep, reported: Value) -> bool:
        """Whether `reported` is the wanted value or the way to it."""
        property = self._hub.device(step.device_id).property(step.property)
        return same(property, step.value, reported) or on_the_way(property, step.value, reported)

    def _repair(self, step: SceneStep) -> None:
        self._repairs[step.id] = self._repairs.get(step.id, 0) + 1
        if self._repairs[step.id] <= REPAIR_LIMIT:
            self._move(step, StepState.WAITING)
            self._reconsider_skipped()

    def _reconsider_skipped(self) -> None:
        for step in self.scene.steps:
            if self.results[step.id].state is StepState.SKIPPED:
                self._move(step, StepState.WAITING)

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
        return step_views(self.scene.steps, self.results, self._hub)


def step_views(
    steps: Iterable[SceneStep], results: Mapping[StepId, StepResult], hub: DeviceHub
) -> tuple[StepView, ...]:
    """Steps with their results, their devices' names and what these say now."""
    return tuple(_step_view(step, results[step.id], hub) for step in steps)


def _step_view(step: SceneStep, result: StepResult, hub: DeviceHub) -> StepView:
    try:
        device = hub.device(step.device_id)
    except DeviceNotFound:
        name, type, reported = "", "", None
    else:
        name, type, reported = device.name, device.type, _reported(hub, step.device_id, step.property)
    return StepView(
        id=step.id,
        device_id=step.device_id,
        device_name=name,
        device_type=type,
        property=step.property,
        value=step.value,
        importance=step.importance,
        state=result.state,
        code=result.code,
        since=result.since,
        deadline=step.deadline,
        reported=reported,
    )


def _reported(hub: DeviceHub, device_id: DeviceId, name: PropertyName) -> Value | None:
    reported = hub.reported(device_id).get(name)
    return None if reported is None else reported.value


class Scenes:
    """Applies scenes outside lessons, as a technician's try-out does."""

    def __init__(
        self, store: Store, hub: DeviceHub, *, clock: Callable[[], datetime], in_lesson: Callable[[RoomId], bool]
    ) -> None:
        self._store = store
        self._hub = hub
        self._clock = clock
        self._in_lesson = in_lesson

    async def apply(self, room_id: RoomId, name: str, actor: str) -> SceneView:
        """Return once each step has settled. Raises `SceneNotFound`; `RoomInUse` while a lesson rules the room."""
        scene = await self._store.scenes.get(room_id, name)
        if self._in_lesson(room_id):
            raise RoomInUse(room_id)
        run = SceneRun(scene, self._hub, actor=actor, clock=self._clock, changed=lambda: None)
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(run.run(), name=f"try scene {name} of room {room_id}")
            await run.settled()
            running.cancel()
        return SceneView(room_id=room_id, name=name, steps=run.views())
