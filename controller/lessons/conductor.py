"""The conductor: holds every live lesson, and puts the rooms of an ended one to rest.

The database says which lessons are live; `follow` makes what runs here agree with it. Start, End, a restart and a tick
of the clock all end in that one comparison.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

from controller.changes import ChangeKind
from controller.lessons.due import RESTART_PAUSE_S, Due
from controller.lessons.endings import Endings, just_ended
from controller.lessons.jobs import Jobs, stop
from controller.lessons.lesson_run import EndingLesson, HeldLesson, LiveLesson, Plan, SceneRuns, read_plan
from controller.lessons.moves import TIME, LessonMoves
from controller.lessons.scenes import SceneRun
from controller.lessons.strays import close_stray
from controller.nodes.bridges import Nodes
from devices.changes import Changes
from devices.hub import DeviceHub
from rooms.errors import InvalidState, LessonNotFound, RoomBusy, SiteNotFound, StoreUnavailable
from rooms.lesson import EARLIEST_START, EndReason, Lesson, LessonId, LessonState, can_resume, gives_way
from rooms.room import RoomId
from rooms.scene import END_SCENE, LESSON_SCENE
from store import Store
from store.lessons import LessonChange

logger = logging.getLogger(__name__)

LOOK_BACK = timedelta(hours=24)
"""A lesson that has just ended began within this time."""
REFRESH_S = 120.0
"""Live lessons are compared with the database this often, and their displays get new tokens; tokens live longer."""


class Conductor:
    """Runs lessons; the owner runs `run()` in a task."""

    def __init__(
        self,
        *,
        store: Store,
        hub: DeviceHub,
        nodes: Nodes,
        changes: Changes,
        grace: timedelta,
        clock: Callable[[], datetime],
        clock_believed: Callable[[], bool] = lambda: True,
    ) -> None:
        """`clock_believed`: whether time alone may move a lesson now."""
        self._store = store
        self._hub = hub
        self._nodes = nodes
        self._changes = changes
        self._grace = grace
        self._clock = clock
        self.clock_believed = clock_believed
        self._jobs = Jobs()
        self._moves = LessonMoves(store, grace=grace, clock=clock)
        self._due = Due(self.look, self._jobs, grace=grace, clock=clock, believed=clock_believed)
        self._live: dict[LessonId, tuple[LiveLesson, asyncio.Task[None]]] = {}
        self._ruling: dict[RoomId, LessonId] = {}  # the live lesson that each room takes part in
        self._endings = Endings(self._jobs)
        self._follow_listeners: list[Callable[[Lesson], None]] = []
        self._bridge_listeners: list[Callable[[Plan], None]] = []
        self._following = asyncio.Lock()
        nodes.on_change(self._bridge_changed)

    async def run(self) -> None:
        """Take up what the database says is live, and go on until cancelled."""
        async with self._jobs.opened(), self._due:
            self._jobs.begin(self._moves.run(), "write what was not written")
            await self._take_up()
            while True:
                await asyncio.sleep(REFRESH_S)
                await self._refresh()

    async def _take_up(self) -> None:
        now = self._clock()
        for lesson in await self._store.lessons.live():
            await self._look_at(lesson)
        for lesson in await self._store.lessons.list(start=now - LOOK_BACK, end=now + EARLIEST_START):
            if just_ended(lesson, now):
                await self.follow(lesson)
        for lesson in await self._store.lessons.upcoming():
            self._due.set(lesson)
        for bridge in self._nodes.held():
            self._bridge_changed(bridge)

    async def _refresh(self) -> None:
        """Follow what no tap and no timer told us: a request that was cut off half way, a database that was away."""
        try:
            for id in {lesson.id for lesson in await self._store.lessons.live()} | self._live.keys():
                await self.look(id)
        except StoreUnavailable as error:
            logger.warning("lessons not compared with the database: %s", error)

    # --- moves: recorded, followed and announced when they return; whoever calls has checked who may ---

    async def start(self, lesson_id: LessonId, actor: str) -> Lesson:
        """scheduled -> live, once however often asked. Raises `LessonNotFound`, `InvalidState`, `RoomBusy`."""
        try:
            change = await self._moves.start(lesson_id, actor)
        except RoomBusy:
            await self._make_way(lesson_id)
            change = await self._moves.start(lesson_id, actor)
        return await self._live_now(change)

    async def resume(self, lesson_id: LessonId, actor: str) -> Lesson:
        """ended -> live while `can_resume` holds, once however often asked. Raises as `start`."""
        try:
            change = await self._moves.resume(lesson_id, actor)
        except RoomBusy:
            await self._make_way(lesson_id)
            change = await self._moves.resume(lesson_id, actor)
        return await self._live_now(change)

    async def end(self, lesson_id: LessonId, actor: str, reason: EndReason) -> Lesson:
        """live -> ended, once however often asked. Raises `LessonNotFound`, `InvalidState` if it was never live."""
        return await self.follow((await self._moves.end(lesson_id, actor, reason)).after)

    async def _live_now(self, change: LessonChange) -> Lesson:
        lesson = await self.follow(change.after)
        if not change.happened and lesson.state is not LessonState.LIVE:
            raise InvalidState(f"lesson {lesson.id} is over")
        return lesson

    async def _make_way(self, lesson_id: LessonId) -> None:
        """End the live lessons that are past their end and hold a room that this one needs."""
        if not self.clock_believed():
            return
        rooms = set(_parts(await self._store.lessons.get(lesson_id)))
        for other in await self._store.lessons.live():
            if gives_way(other, self._clock()) and rooms.intersection(_parts(other)):
                await self.end(other.id, TIME, EndReason.TIME)

    # --- what others may know ---

    def resumable_until(self, lesson: Lesson) -> datetime | None:
        """Until when an ended lesson may go on; None: not at all."""
        return lesson.end + self._grace if can_resume(lesson, self._clock(), self._grace) else None

    def busy(self, lesson: Lesson) -> tuple[RoomId, Lesson] | None:
        """A room of `lesson` with the live lesson that has it and does not give way."""
        for site in lesson.accepted:
            plan = self.plan_in(site.room_id)
            if plan is not None and plan.lesson.id != lesson.id and not gives_way(plan.lesson, self._clock()):
                return site.room_id, plan.lesson
        return None

    @property
    def reaches_devices(self) -> bool:
        """Whether there is a broker between us and the devices now."""
        return self._hub.connected

    def held(self, lesson_id: LessonId) -> HeldLesson | None:
        """The lesson as it runs here: live, being put to rest, or a while after that; None otherwise."""
        return self._live[lesson_id][0] if lesson_id in self._live else self._endings.of(lesson_id)

    def scene_in(self, lesson_id: LessonId, room_id: RoomId) -> SceneRun:
        """The `lesson` scene of a room in a live lesson. Raises `SiteNotFound` where there is none."""
        live, _ = self._live.get(lesson_id, (None, None))
        run = live.scenes.runs.get(room_id) if live else None
        if run is None:
            raise SiteNotFound(f"room {room_id} is not got ready for lesson {lesson_id}")
        return run

    def live(self) -> tuple[Lesson, ...]:
        """The lessons that are live here."""
        return tuple(live.plan.lesson for live, _ in self._live.values())

    def plan_in(self, room_id: RoomId) -> Plan | None:
        """The plan of the live lesson that rules the room."""
        ruling = self._ruling.get(room_id)
        return None if ruling is None else self._live[ruling][0].plan

    def in_lesson(self, room_id: RoomId) -> bool:
        """Whether a live lesson rules the room."""
        return self.plan_in(room_id) is not None

    def on_follow(self, listener: Callable[[Lesson], None]) -> None:
        """`listener` is called with a lesson once what runs here agrees with it; live ones come every `REFRESH_S`."""
        self._follow_listeners.append(listener)

    def on_bridge_change(self, listener: Callable[[Plan], None]) -> None:
        """`listener` is called with a live lesson's plan when a node said something new about its bridge."""
        self._bridge_listeners.append(listener)

    # --- should and is, for whole lessons ---

    async def look(self, lesson_id: LessonId) -> None:
        """Make the move that time has made due, if any, and follow the lesson. Raises `StoreUnavailable`."""
        with suppress(LessonNotFound):
            await self._look_at(await self._store.lessons.get(lesson_id))

    async def _look_at(self, lesson: Lesson) -> None:
        await self.follow((await self._moves.by_time(lesson)).after if self.clock_believed() else lesson)

    def retime(self) -> None:
        """The clock can be believed again: look at everything that time may move."""
        self._due.retime(self._all_to_come)

    async def _all_to_come(self) -> tuple[Lesson, ...]:
        return (*await self._store.lessons.live(), *await self._store.lessons.upcoming())

    async def follow(self, lesson: Lesson) -> Lesson:
        """Make what runs here agree with the lesson as it was written, set its timers and announce it.

        Where a younger version of it is known here already, that is followed, and returned. Whoever is cancelled in
        here leaves only what the next call finds and finishes.
        """
        async with self._following:
            lesson = self._youngest(lesson)
            was, task = self._live.get(lesson.id, (None, None))
            had = set(_parts(was.plan.lesson)) if was is not None else set()
            if lesson.state is LessonState.LIVE:
                if was is not None and was.taking_part == _parts(lesson):
                    was.follow(lesson)
                else:
                    await self._begin(lesson)
            elif task is not None:
                await stop(task)
                del self._live[lesson.id]
                self._rule(lesson.id, had=had)
            if just_ended(lesson, self._clock()) and self._endings.of(lesson.id) is None:
                self._endings.begin(await self._resting(lesson))
            self._due.set(lesson)
            has = set(_parts(lesson)) if lesson.state is LessonState.LIVE else set()
            if had != has:
                await self._tell_waiting(had ^ has)
        self._changes.publish(ChangeKind.LESSON, lesson.id)
        for listener in self._follow_listeners:
            listener(lesson)
        return lesson

    def _youngest(self, lesson: Lesson) -> Lesson:
        """Two who changed the lesson may come here in another order than that in which they wrote."""
        held = self.held(lesson.id)
        return held.plan.lesson if held is not None and held.plan.lesson.version > lesson.version else lesson

    async def _tell_waiting(self, rooms: Collection[RoomId]) -> None:
        """Whether other lessons can start in these rooms is not what it was."""
        for id in await self._store.lessons.scheduled_in(rooms, before=self._clock() + EARLIEST_START):
            self._changes.publish(ChangeKind.LESSON, id)

    async def _begin(self, lesson: Lesson) -> None:
        """Hold a lesson. One that is held already goes on until everything is read for those who take part now."""
        was, task = self._live.get(lesson.id, (None, None))
        if was is not None:
            lesson = was.with_overridden(lesson)
        plan, scenes = await self._prepared(lesson, LESSON_SCENE)
        left = tuple(site for site in was.plan.lesson.accepted if site.room_id not in _parts(lesson)) if was else ()
        resting = await self._resting(replace(lesson, sites=left)) if left else None
        await self._endings.give_up(_parts(lesson))
        await self._endings.take_back(lesson.id)
        if task is not None:
            await stop(task)
        live = LiveLesson(plan, scenes, store=self._store, nodes=self._nodes, before=was)
        self._live[lesson.id] = (live, self._jobs.begin(self._hold(live), f"lesson {lesson.id}"))
        self._rule(lesson.id, had=was.taking_part if was else (), has=live.taking_part)
        for site in left:  # from now on nothing is given to them, and what was given is void
            self._nodes.exclude(lesson.id, participant=site.room_id)
        if resting is not None:
            self._endings.begin(resting)

    def _rule(self, lesson_id: LessonId, *, had: Iterable[RoomId], has: Iterable[RoomId] = ()) -> None:
        """The live lesson `had` these rooms, and `has` those from now on."""
        for room_id in had:
            if self._ruling.get(room_id) == lesson_id:  # another one may have taken it over
                del self._ruling[room_id]
        self._ruling.update(dict.fromkeys(has, lesson_id))

    async def _hold(self, live: LiveLesson) -> None:
        """One lesson's failure ends nothing but itself, and it is taken up again."""
        while True:
            try:
                await live.run()
            except Exception:  # noqa: BLE001  # the rim around one lesson
                logger.exception("lesson %s: taken up again", live.plan.lesson.id)
                await asyncio.sleep(RESTART_PAUSE_S)

    async def _resting(self, lesson: Lesson) -> EndingLesson:
        """Its accepted rooms, but for those that the next lesson has already."""
        others = [live.plan.lesson for id, (live, _) in self._live.items() if id != lesson.id]
        plan, scenes = await self._prepared(
            lesson, END_SCENE, without={room for each in others for room in _parts(each)}
        )
        return EndingLesson(plan, scenes, nodes=self._nodes)

    async def _prepared(
        self, lesson: Lesson, scene: str, *, without: Collection[RoomId] = ()
    ) -> tuple[Plan, SceneRuns]:
        def changed() -> None:
            self._changes.publish(ChangeKind.LESSON, lesson.id)
            if lesson.id in self._live:
                self._live[lesson.id][0].wake()

        plan = await read_plan(self._store, lesson)
        runs = await SceneRuns.of(
            lesson, scene, without=without, store=self._store, hub=self._hub, clock=self._clock, changed=changed
        )
        return plan, runs

    # --- bridges ---

    def _bridge_changed(self, bridge: str) -> None:
        """A node said something new about a bridge ("": a node came or went)."""
        if not self._jobs.open:
            return  # taking up looks at all of them
        concerned = [self._live.get(LessonId(bridge))] if bridge else list(self._live.values())
        for live, _ in filter(None, concerned):
            live.wake()
            for listener in self._bridge_listeners:
                listener(live.plan)
        if bridge and bridge not in self._live and bridge in self._nodes.held():
            closing = close_stray(LessonId(bridge), store=self._store, nodes=self._nodes, following=self._following)
            self._jobs.begin(closing, f"close stray bridge {bridge}")


def _parts(lesson: Lesson) -> tuple[RoomId, ...]:
    return tuple(site.room_id for site in lesson.accepted)
