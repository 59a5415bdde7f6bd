"""What is done for one lesson: while it is live its rooms and its bridge are kept as they should be; after, they rest.

Both are loops that compare should with is, so a restart, a late device and a dead node are the same case.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from controller.lessons.scenes import SceneRun
from controller.lessons.steps import StepView
from controller.nodes.bridge_report import is_viewer
from controller.nodes.bridges import Nodes
from controller.nodes.errors import NodeUnavailable
from devices.hub import DeviceHub
from rooms.errors import StoreUnavailable
from rooms.lesson import Lesson, LessonState
from rooms.organisation_tree import OrganisationTree
from rooms.room import Room, RoomId
from rooms.scene import LESSON_SCENE, StepId
from rooms.school import Organisation, OrganisationId
from store import Store
from webrtc.shared.ids import ParticipantId
from webrtc.shared.policy import Mode, Policy

logger = logging.getLogger(__name__)

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
    """The lesson's rooms, those deleted since too, and schools. Raises `OrganisationNotFound`."""
    return plan_of(lesson, await store.rooms.named([site.room_id for site in lesson.sites]), store.tree)


def plan_of(lesson: Lesson, rooms: Mapping[RoomId, Room], tree: OrganisationTree) -> Plan:
    """`rooms`: the lesson's, and perhaps others. Raises `OrganisationNotFound`."""
    ids = {lesson.host_school_id, *(site.school_id for site in lesson.sites)}
    return Plan(
        lesson=lesson,
        rooms={site.room_id: rooms[site.room_id] for site in lesson.sites},
        schools={id: tree.get(id) for id in ids},
    )


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
        without: Collection[RoomId] = (),
        store: Store,
        hub: DeviceHub,
        clock: Callable[[], datetime],
        changed: Callable[[], None],
    ) -> "SceneRuns":
        """Not yet running; `without` these rooms. A room that has no such scene has nothing to get ready."""
        sites = [site for site in lesson.accepted if site.room_id not in without]
        scenes = await store.scenes.named([site.room_id for site in sites], name)
        runs: dict[RoomId, SceneRun] = {}
        for site in sites:
            if (scene := scenes.get(site.room_id)) is not None:
                overridden: frozenset[StepId] = site.overridden if name == LESSON_SCENE else frozenset()
                runs[site.room_id] = SceneRun(
                    scene,
                    hub=hub,
                    actor=f"lesson {lesson.id}",
                    clock=clock,
                    changed=changed,
                    overridden=overridden,
                )
        return cls(runs)

    def steps(self, room_id: RoomId) -> tuple[StepView, ...]:
        run = self.runs.get(room_id)
        return run.views() if run else ()


class HeldLesson(Protocol):
    """What can be read of a live or an ending lesson."""

    @property
    def plan(self) -> Plan: ...

    @property
    def scenes(self) -> SceneRuns: ...


class LiveLesson:
    """A live lesson: its rooms' `lesson` scenes and its bridge."""

    def __init__(
        self, plan: Plan, scenes: SceneRuns, *, store: Store, nodes: Nodes, before: "LiveLesson | None" = None
    ) -> None:
        """`before`: the same lesson as it was held until now, with other rooms."""
        self.plan = plan
        self.scenes = scenes
        self.taking_part = tuple(site.room_id for site in plan.lesson.accepted)
        self._store = store
        self._nodes = nodes
        self._wake = asyncio.Event()
        self._written = {site.room_id: site.overridden for site in plan.lesson.sites}  # what is known to be
        if before is not None:
            self._written.update((id, before._written[id]) for id in before.scenes.runs.keys() & self._written.keys())
        self._put_out: set[ParticipantId] = set()

    def follow(self, lesson: Lesson) -> None:
        """The same rooms take part, but something else of the lesson has changed."""
        self.plan = replace(self.plan, lesson=lesson)
        self.wake()

    def with_overridden(self, lesson: Lesson) -> Lesson:
        """The lesson with what people in its rooms have decided until now, also what is not written yet."""
        runs = self.scenes.runs
        sites = (
            replace(site, overridden=runs[site.room_id].overridden) if site.room_id in runs else site
            for site in lesson.sites
        )
        return replace(lesson, sites=tuple(sites))

    def wake(self) -> None:
        """Something changed that the loop should look at."""
        self._wake.set()

    async def run(self) -> None:
        """Keep rooms and bridge as they should be until cancelled. Can be called again after that."""
        async with asyncio.TaskGroup() as tasks:
            for room_id, run in self.scenes.runs.items():
                tasks.create_task(run.run(), name=f"scene {run.scene.name} of room {room_id}")
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
            await self._nodes.ensure(lesson.id, _policy(lesson))
        except NodeUnavailable as error:
            logger.debug("lesson %s: bridge not as it should be yet: %s", lesson.id, error)
            return False
        strangers = self._strangers()
        for stranger in strangers - self._put_out:
            logger.info("lesson %s: %s does not take part, put out", lesson.id, stranger)
            self._nodes.exclude(lesson.id, participant=stranger)
        self._put_out = strangers
        return True

    def _strangers(self) -> set[ParticipantId]:
        """Rooms that are in the bridge and should not be: left while we were away. `audience.py` sees to people."""
        rooms = {ParticipantId(site.room_id) for site in self.plan.lesson.accepted}
        bridge = self._nodes.state(self.plan.lesson.id)
        present = {each.id for each in bridge.participants} if bridge else set()
        return {each for each in present - rooms if not is_viewer(each)}

    async def _keep_overridden(self) -> None:
        """What people in the rooms decided holds over a restart, too."""
        for room_id, run in self.scenes.runs.items():
            overridden = run.overridden
            if overridden == self._written[room_id]:
                continue
            try:
                change = await self._store.lessons.set_overridden(self.plan.lesson.id, room_id, overridden)
            except StoreUnavailable as error:
                logger.warning("lesson %s: what was changed by hand is not written yet: %s", self.plan.lesson.id, error)
                return
            self._written[room_id] = overridden
            if change.before.version == self.plan.lesson.version:  # else somebody has changed more, and follows
                self.plan = replace(self.plan, lesson=change.after)


class EndingLesson:
    """Rooms that are done with a lesson: their `end` scenes applied once, and the bridge closed.

    The whole lesson if it has ended; while it is live, the accepted sites of `plan.lesson` have left it, and
    `LiveLesson` puts them out of the bridge.
    """

    def __init__(self, plan: Plan, scenes: SceneRuns, *, nodes: Nodes) -> None:
        self.plan = plan
        self.scenes = scenes
        self._nodes = nodes
        self._applying: dict[RoomId, asyncio.Task[None]] = {}
        self._given_up: set[RoomId] = set()
        self._closing: asyncio.Task[None] | None = None
        self._bridge_kept = False

    async def run(self) -> None:
        """Return once the bridge is closed and every step has settled; at `ENDING_LIMIT` at the latest."""
        with suppress(TimeoutError):
            async with asyncio.timeout(ENDING_LIMIT.total_seconds()), asyncio.TaskGroup() as tasks:
                for room_id in self.scenes.runs.keys() - self._given_up:
                    applying = tasks.create_task(self.scenes.runs[room_id].apply(), name=f"end of room {room_id}")
                    self._applying[room_id] = applying
                if self.plan.lesson.state is not LessonState.LIVE:
                    self._closing = tasks.create_task(self._close_bridge(), name="close the bridge")

    async def give_up(self, rooms: Collection[RoomId]) -> None:
        """The next lesson has these rooms: what is still to be done in them is no longer done."""
        self._given_up.update(rooms)
        stopped = [task for room_id, task in self._applying.items() if room_id in rooms]
        for task in stopped:
            task.cancel()
        if stopped:
            await asyncio.wait(stopped)

    async def keep_bridge(self) -> None:
        """The lesson goes on: return once what is being closed is closed, so that it can be opened anew."""
        self._bridge_kept = True
        if self._closing is not None:
            await asyncio.wait([self._closing])

    async def _close_bridge(self) -> None:
        while not self._bridge_kept:
            try:
                return await self._nodes.close(self.plan.lesson.id)
            except NodeUnavailable:
                await asyncio.sleep(NODE_RETRY_S)


def _policy(lesson: Lesson) -> Policy:
    return Policy(
        order=tuple(ParticipantId(site.room_id) for site in lesson.accepted),
        mode=Mode(lesson.mode.value),
        floor=ParticipantId(lesson.floor.room_id) if lesson.floor is not None else None,
        muted=tuple(ParticipantId(site.room_id) for site in lesson.accepted if site.muted),
        dark=tuple(ParticipantId(site.room_id) for site in lesson.accepted if site.camera_off),
    )
