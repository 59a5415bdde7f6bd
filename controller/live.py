"""What is done for one lesson: while it is live its rooms and its bridge are kept as they should be; after, they rest.

Both are loops that compare should with is, so a restart, a late device and a dead node are the same case.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from controller.errors import NodeUnavailable
from controller.nodes import Nodes
from controller.scenes import SceneRun
from controller.views import StepView
from devices.hub import DeviceHub
from rooms.errors import SceneNotFound
from rooms.lesson import Lesson
from rooms.room import Room, RoomId
from rooms.scene import Scene, StepId
from rooms.school import Organisation, OrganisationId
from rooms.store import Store

logger = logging.getLogger(__name__)

LESSON_SCENE = "lesson"
END_SCENE = "end"
RECHECK_S = 5.0
"""Everything wakes the loop that can change; this is for what nobody told us."""
NODE_RETRY_S = 0.1
ENDING_LIMIT = timedelta(minutes=5)
"""How long the rooms of an ended lesson are seen to at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A lesson with what must be read from the database to hold it."""

    lesson: Lesson
    rooms: Mapping[RoomId, Room]
    schools: Mapping[OrganisationId, Organisation]


async def read_plan(store: Store, lesson: Lesson) -> Plan:
    """The lesson's rooms and schools. Raises `RoomNotFound`, `OrganisationNotFound`."""
    rooms = {site.room_id: await store.rooms.get(site.room_id) for site in lesson.sites}
    ids = {lesson.host_school_id, *(site.school_id for site in lesson.sites)}
    return Plan(lesson=lesson, rooms=rooms, schools={id: await store.organisations.get(id) for id in ids})


async def read_scene(store: Store, room_id: RoomId, name: str) -> Scene | None:
    """None where the room has no such scene: it then has nothing to get ready."""
    with suppress(SceneNotFound):
        return await store.scenes.get(room_id, name)
    return None


class SceneRuns:
    """One scene in each room that takes part in a lesson and has it."""

    def __init__(self, runs: Mapping[RoomId, SceneRun]) -> None:
        self.runs = runs

    @classmethod
    async def of(
        cls,
        lesson: Lesson,
        name: str,
        *,
        store: Store,
        hub: DeviceHub,
        clock: Callable[[], datetime],
        changed: Callable[[], None],
    ) -> "SceneRuns":
        runs: dict[RoomId, SceneRun] = {}
        for site in lesson.accepted:
            scene = await read_scene(store, site.room_id, name)
            if scene is not None:
                overridden: frozenset[StepId] = site.overridden if name == LESSON_SCENE else frozenset()
                runs[site.room_id] = SceneRun(
                    scene,
                    hub,
                    actor=f"lesson {lesson.id}",
                    clock=clock,
                    changed=changed,
                    overridden=overridden,
                )
        return cls(runs)

    def start(self, tasks: asyncio.TaskGroup) -> list[asyncio.Task[None]]:
        return [
            tasks.create_task(run.run(), name=f"scene {run.scene.name} of room {room}")
            for room, run in self.runs.items()
        ]

    def steps(self, room_id: RoomId) -> tuple[StepView, ...]:
        run = self.runs.get(room_id)
        return run.views() if run else ()


class LiveLesson:
    """A live lesson: its rooms' `lesson` scenes and its bridge."""

    def __init__(self, plan: Plan, scenes: SceneRuns, *, store: Store, nodes: Nodes) -> None:
        self.plan = plan
        self.scenes = scenes
        self._store = store
        self._nodes = nodes
        self._wake = asyncio.Event()
        self._overridden = {site.room_id: site.overridden for site in plan.lesson.sites}

    def wake(self) -> None:
        """Something changed that the loop should look at."""
        self._wake.set()

    async def run(self) -> None:
        """Keep rooms and bridge as they should be until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            self.scenes.start(tasks)
            while True:
                self._wake.clear()
                pause_s = RECHECK_S if await self._have_bridge() else NODE_RETRY_S
                await self._keep_overridden()
                with suppress(TimeoutError):
                    async with asyncio.timeout(pause_s):
                        await self._wake.wait()

    async def _have_bridge(self) -> bool:
        lesson = self.plan.lesson
        try:
            await self._nodes.ensure(lesson.id, [site.room_id for site in lesson.accepted])
        except NodeUnavailable as error:
            logger.debug("lesson %s: no bridge yet: %s", lesson.id, error)
            return False
        return True

    async def _keep_overridden(self) -> None:
        """What people in the rooms decided holds over a restart, too."""
        for room_id, run in self.scenes.runs.items():
            if run.overridden != self._overridden[room_id]:
                self._overridden[room_id] = run.overridden
                await self._store.lessons.set_overridden(self.plan.lesson.id, room_id, run.overridden)


class EndingLesson:
    """An ended lesson: its bridge closed and its rooms' `end` scenes, until they have settled."""

    def __init__(self, plan: Plan, scenes: SceneRuns, *, nodes: Nodes) -> None:
        self.plan = plan
        self.scenes = scenes
        self._nodes = nodes

    async def run(self) -> None:
        """Return once the bridge is closed and every step has settled; at `ENDING_LIMIT` at the latest."""
        with suppress(TimeoutError):
            async with asyncio.timeout(ENDING_LIMIT.total_seconds()), asyncio.TaskGroup() as tasks:
                running = self.scenes.start(tasks)
                await self._close_bridge()
                for run in self.scenes.runs.values():
                    await run.settled()
                for task in running:
                    task.cancel()

    async def _close_bridge(self) -> None:
        while True:
            try:
                return await self._nodes.close(self.plan.lesson.id)
            except NodeUnavailable:
                await asyncio.sleep(NODE_RETRY_S)
