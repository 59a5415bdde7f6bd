"""The conductor: holds every live lesson, and puts the rooms of an ended one to rest.

The database says which lessons are live; `_follow` makes what runs here agree with it. Start, End, a restart and a tick
of the clock all end in that one comparison. What people see of it is in `controller/views/showing.py`.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Coroutine
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from controller.changes import ChangeKind
from controller.lessons.journal import Journal
from controller.lessons.lesson_run import (
    END_SCENE,
    LESSON_SCENE,
    EndingLesson,
    HeldLesson,
    LiveLesson,
    Plan,
    SceneRuns,
    read_plan,
)
from controller.lessons.timers import Timers
from controller.nodes.bridges import Nodes
from devices.changes import Changes
from devices.hub import DeviceHub
from rooms.audit import AuditEntry
from rooms.errors import InvalidState, LessonNotFound, RoomBusy, SiteNotFound, StoreUnavailable
from rooms.lesson import (
    EARLIEST_START,
    EndReason,
    Lesson,
    LessonId,
    LessonState,
    can_resume,
    can_start,
    due_move,
    gives_way,
)
from rooms.room import RoomId
from rooms.scene import StepId
from store import Store

logger = logging.getLogger(__name__)

ENDING_MEMORY = timedelta(minutes=10)
"""Lessons that ended within this time before our start get their `end` scene again: we may have died in it."""
LOOK_BACK = timedelta(hours=24)
"""A lesson that has just ended began within this time."""
REFRESH_S = 120.0
"""Live lessons are compared with the database this often, and their displays get new tokens; tokens live longer."""
RESTART_PAUSE_S = 1.0
"""Before a lesson or a timer's job that failed is taken up again."""
STORE_PAUSE_S = 10.0
"""The same where the database was the reason."""
WRITE_PATIENCE_S = 3.0
"""A class that is to end does not wait longer for the database."""


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
        self._timers = Timers(self._time_came, clock)
        self._journal = Journal(store)
        self._live: dict[LessonId, tuple[LiveLesson, asyncio.Task[None]]] = {}
        self._ending: dict[EndingLesson, asyncio.Task[None]] = {}
        self._writing: set[asyncio.Task[Lesson | None]] = set()  # ends that the database may still take
        self._follow_listeners: list[Callable[[Lesson], None]] = []
        self._bridge_listeners: list[Callable[[Plan], None]] = []
        self._following = asyncio.Lock()
        self._tasks: asyncio.TaskGroup | None = None
        nodes.on_change(self._bridge_changed)

    async def run(self) -> None:
        """Take up what the database says is live, and go on until cancelled."""
        async with asyncio.TaskGroup() as tasks, self._timers:
            self._tasks = tasks
            try:
                tasks.create_task(self._journal.run(), name="write what was not written")
                await self._take_up()
                while True:
                    await asyncio.sleep(REFRESH_S)
                    await self._refresh()
            finally:
                self._tasks = None  # whatever comes now waits for the next start
                for writing in list(self._writing):
                    await self._stop(writing)

    async def _take_up(self) -> None:
        now = self._clock()
        for lesson in await self._store.lessons.live():
            await self._due(lesson.id)
        for lesson in await self._store.lessons.list(start=now - LOOK_BACK, end=now + EARLIEST_START):
            if _just_ended(lesson, now):
                await self._follow(lesson.id)
        for lesson in await self._store.lessons.upcoming():
            self._set_timers(lesson)
        for bridge in self._nodes.held():
            self._bridge_changed(bridge)

    async def _refresh(self) -> None:
        """Follow what no tap and no timer told us: a request that was cut off half way, a database that was away."""
        try:
            for id in {lesson.id for lesson in await self._store.lessons.live()} | self._live.keys():
                await self._due(id)
        except StoreUnavailable as error:
            logger.warning("lessons not compared with the database: %s", error)

    # --- what people ask for ---

    async def start(self, lesson_id: LessonId, actor: str) -> None:
        """scheduled -> live, once however often asked. Raises `LessonNotFound`, `InvalidState`, `RoomBusy`."""
        lesson = await self._store.lessons.get(lesson_id)
        started = None
        if lesson.state is not LessonState.LIVE:
            if not can_start(lesson, self._clock()):
                raise InvalidState(f"lesson {lesson_id} cannot be started: it is {lesson.state} or not yet due")
            started = await self._begin_in_store(lesson)
        await self._follow(lesson_id)
        if started is not None:
            await self._record(started, actor, "start", LessonState.SCHEDULED)
        elif (await self._store.lessons.get(lesson_id)).state is not LessonState.LIVE:
            raise InvalidState(f"lesson {lesson_id} is over")

    async def resume(self, lesson_id: LessonId, actor: str) -> None:
        """ended -> live while `can_resume` holds, once however often asked. Raises as `start`."""
        resumed = await self._resume_in_store(lesson_id)
        await self._follow(lesson_id)
        if resumed is not None:
            await self._record(resumed, actor, "resume", LessonState.ENDED)
        elif (await self._store.lessons.get(lesson_id)).state is not LessonState.LIVE:
            raise InvalidState(f"lesson {lesson_id} has not ended")

    async def _begin_in_store(self, lesson: Lesson) -> Lesson | None:
        try:
            return await self._store.lessons.start(lesson.id, self._clock())
        except RoomBusy:
            await self._make_way(lesson)
            return await self._store.lessons.start(lesson.id, self._clock())

    async def _resume_in_store(self, lesson_id: LessonId) -> Lesson | None:
        try:
            return await self._store.lessons.resume(lesson_id, self._clock(), self._grace)
        except RoomBusy:
            await self._make_way(await self._store.lessons.get(lesson_id))
            return await self._store.lessons.resume(lesson_id, self._clock(), self._grace)

    async def end(self, lesson_id: LessonId, actor: str, reason: str) -> None:
        """live -> ended, once however often asked. Raises `LessonNotFound`, `InvalidState` if it was never live."""
        ended = await self._ended_in_store(lesson_id, EndReason(reason))
        await self._follow(lesson_id)
        if ended is not None:
            await self._record(ended, actor, "end", LessonState.LIVE)
        elif (await self._store.lessons.get(lesson_id)).state is not LessonState.ENDED:
            raise InvalidState(f"lesson {lesson_id} was never live")

    async def _ended_in_store(self, lesson_id: LessonId, reason: EndReason) -> Lesson | None:
        """A database that takes no writes keeps nobody in a lesson: then it is ended from memory, the row follows."""
        now = self._clock()
        writing = asyncio.create_task(self._store.lessons.end(lesson_id, now, reason), name=f"end of {lesson_id}")
        self._writing.add(writing)
        writing.add_done_callback(self._written)
        try:
            async with asyncio.timeout(WRITE_PATIENCE_S):
                return await asyncio.shield(writing)
        except (StoreUnavailable, TimeoutError) as error:
            ended = await self._store.lessons.end_unwritten(lesson_id, now, reason)
            logger.warning("lesson %s: its end is not written yet: %s", lesson_id, error or "the database is held up")
            return ended

    def _written(self, writing: "asyncio.Task[Lesson | None]") -> None:
        self._writing.discard(writing)
        if not writing.cancelled():
            writing.exception()  # whoever asked has it, or has gone on from memory

    async def planned(self, lesson_id: LessonId) -> None:
        """The lesson's row was made or changed: follow it."""
        await self._follow(lesson_id)

    def restore(self, lesson_id: LessonId, room_id: RoomId, step_id: StepId) -> None:
        """Do a step of a live lesson's scene again that somebody in the room undid, or that failed.

        Raises `SiteNotFound` (the room has no such scene in this lesson), `StepNotFound`.
        """
        live, _ = self._live.get(lesson_id, (None, None))
        run = live.scenes.runs.get(room_id) if live else None
        if run is None:
            raise SiteNotFound(f"room {room_id} is not got ready for lesson {lesson_id}")
        run.restore(step_id)

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
        return self._live[lesson_id][0] if lesson_id in self._live else self._ended(lesson_id)

    def live(self) -> tuple[Lesson, ...]:
        """The lessons that are live here."""
        return tuple(live.plan.lesson for live, _ in self._live.values())

    def plan_in(self, room_id: RoomId) -> Plan | None:
        """The plan of the live lesson that rules the room."""
        for live, _ in self._live.values():
            if room_id in _parts(live.plan.lesson):
                return live.plan
        return None

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

    async def _follow(self, lesson_id: LessonId) -> None:
        """Make what runs here agree with what the database says of this lesson, and set its timers.

        Whoever is cancelled in here leaves only what the next call finds and finishes.
        """
        async with self._following:
            lesson = await self._store.lessons.get(lesson_id)
            was, task = self._live.get(lesson_id, (None, None))
            if lesson.state is LessonState.LIVE:
                if was is not None and _parts(lesson) == _parts(was.plan.lesson):
                    was.follow(lesson)
                else:
                    await self._begin(lesson)
            elif task is not None:
                await self._stop(task)
                del self._live[lesson_id]
            if _just_ended(lesson, self._clock()) and self._ended(lesson_id) is None:
                self._rest(await self._resting(lesson))
            self._set_timers(lesson)
            had = set(_parts(was.plan.lesson)) if was is not None else set()
            has = set(_parts(lesson)) if lesson.state is LessonState.LIVE else set()
            if had != has:
                await self._tell_waiting(had ^ has)
        self._changes.publish(ChangeKind.LESSON, lesson_id)
        for listener in self._follow_listeners:
            listener(lesson)

    async def _tell_waiting(self, rooms: Collection[RoomId]) -> None:
        """Whether other lessons can start in these rooms is not what it was."""
        for id in await self._store.lessons.scheduled_in(rooms, before=self._clock() + EARLIEST_START):
            self._changes.publish(ChangeKind.LESSON, id)

    async def _begin(self, lesson: Lesson) -> None:
        """Hold a lesson. One that is held already goes on until everything is read for those who take part now."""
        plan, scenes = await self._prepared(lesson, LESSON_SCENE)
        was, task = self._live.get(lesson.id, (None, None))
        left = tuple(site for site in was.plan.lesson.accepted if site.room_id not in _parts(lesson)) if was else ()
        resting = await self._resting(replace(lesson, sites=left)) if left else None
        for ending in list(self._ending):
            await ending.give_up(_parts(lesson))
        if (ended := self._ended(lesson.id)) is not None:
            await ended.keep_bridge()
            await self._stop(self._ending[ended])
        if task is not None:
            await self._stop(task)
        live = LiveLesson(plan, scenes, store=self._store, nodes=self._nodes)
        self._live[lesson.id] = (live, self._spawn(self._hold(live), f"lesson {lesson.id}"))
        for site in left:  # from now on nothing is given to them, and what was given is void
            self._nodes.exclude(lesson.id, participant=site.room_id)
        if resting is not None:
            self._rest(resting)

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

    def _rest(self, ending: EndingLesson) -> None:
        self._ending[ending] = self._spawn(self._see_off(ending), f"end of lesson {ending.plan.lesson.id}")

    async def _see_off(self, ending: EndingLesson) -> None:
        try:
            await ending.run()
            await asyncio.sleep(ENDING_MEMORY.total_seconds())  # its steps can be looked at for a while
        except Exception:  # noqa: BLE001  # the rim around one lesson
            logger.exception("lesson %s: could not be put to rest", ending.plan.lesson.id)
        finally:
            self._ending.pop(ending, None)

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

    async def _make_way(self, lesson: Lesson) -> None:
        """End the live lessons that are past their end and hold a room that `lesson` needs."""
        if not self.clock_believed():
            return
        rooms = {site.room_id for site in lesson.accepted}
        for other in await self._store.lessons.live():
            if gives_way(other, self._clock()) and rooms & {site.room_id for site in other.accepted}:
                await self.end(other.id, "time", EndReason.TIME)

    def retime(self) -> None:
        """The clock can be believed again: look at everything that time may move."""
        if self._tasks is not None:
            self._spawn(self._see_all_due(), "time of all lessons")

    async def _see_all_due(self) -> None:
        for lesson in (*await self._store.lessons.live(), *await self._store.lessons.upcoming()):
            self._time_came(lesson.id)

    def _set_timers(self, lesson: Lesson) -> None:
        if self.clock_believed():  # else `retime` will
            self._timers.set(lesson, self._grace)

    def _time_came(self, lesson_id: LessonId) -> None:
        if self._tasks is not None:
            self._spawn(self._see_due(lesson_id), f"time of lesson {lesson_id}")

    async def _see_due(self, lesson_id: LessonId) -> None:
        """What fails is tried again: no other timer comes."""
        while True:
            try:
                return await self._due(lesson_id)
            except StoreUnavailable as error:
                logger.warning("lesson %s: its time came: %s", lesson_id, error)
                await asyncio.sleep(STORE_PAUSE_S)
            except Exception:  # noqa: BLE001  # the rim around one scheduled job
                logger.exception("lesson %s: its time came", lesson_id)
                await asyncio.sleep(RESTART_PAUSE_S)

    async def _due(self, lesson_id: LessonId) -> None:
        """Make the move that time has made due, if any, and follow the lesson."""
        with suppress(LessonNotFound):
            lesson = await self._store.lessons.get(lesson_id)
            move = due_move(lesson, self._clock(), self._grace) if self.clock_believed() else None
            moved = None
            if move is not None:
                state, reason = move
                if state is LessonState.ENDED:
                    moved = await self._ended_in_store(lesson_id, reason)
                else:
                    moved = await self._store.lessons.cancel(lesson_id, self._clock(), reason)
            silenced = await self._expired_floor(lesson) if move is None else None
            await self._follow(lesson_id)
            if moved is not None:
                await self._record(moved, "time", "end" if moved.state is LessonState.ENDED else "cancel", lesson.state)
            if silenced is not None and lesson.floor is not None:
                await self._record_floor(lesson, lesson.floor.room_id)

    async def _expired_floor(self, lesson: Lesson) -> Lesson | None:
        if lesson.floor is None or lesson.floor.until > self._clock() or not self.clock_believed():
            return None
        try:
            return await self._store.lessons.expire_floor(lesson.id, self._clock())
        except StoreUnavailable as error:  # the next comparison tries again; what runs here comes first
            logger.warning("lesson %s: the floor is not taken back yet: %s", lesson.id, error)
            return None

    async def _record(self, lesson: Lesson, actor: str, action: str, before: LessonState) -> None:
        logger.info("lesson %s: %s -> %s", lesson.id, before, lesson.state)
        await self._journal.add(
            AuditEntry(
                at=self._clock(),
                actor=actor,
                action=f"lesson.{action}",
                object_kind="lesson",
                object_id=lesson.id,
                before={"state": before.value},
                after={"state": lesson.state.value},
            )
        )

    async def _record_floor(self, lesson: Lesson, room_id: RoomId) -> None:
        logger.info("lesson %s: the floor of room %s is over", lesson.id, room_id)
        await self._journal.add(
            AuditEntry(
                at=self._clock(),
                actor="time",
                action="lesson.floor",
                object_kind="lesson",
                object_id=lesson.id,
                before={"room": room_id},
                after={"room": None},
            )
        )

    # --- bridges ---

    def _bridge_changed(self, bridge: str) -> None:
        """A node said something new about a bridge ("": a node came or went)."""
        if self._tasks is None:
            return  # taking up looks at all of them
        for id, (live, _) in self._live.items():
            if bridge in ("", id):
                live.wake()
                for listener in self._bridge_listeners:
                    listener(live.plan)
        if bridge and bridge not in self._live and bridge in self._nodes.held():
            self._spawn(self._close_stray(LessonId(bridge)), f"close stray bridge {bridge}")

    async def _close_stray(self, id: LessonId) -> None:
        """A bridge whose lesson ended while we, or its node, were away has nobody to close it but us."""
        try:
            with suppress(LessonNotFound, ConnectionError):  # without database or node: at the bridge's next change
                async with self._following:
                    if (await self._store.lessons.get(id)).state is not LessonState.LIVE:
                        await self._nodes.close(id)
        except Exception:  # noqa: BLE001  # the rim around one bridge
            logger.exception("bridge %s: could not be closed", id)

    # --- small help ---

    def _ended(self, lesson_id: LessonId) -> EndingLesson | None:
        """The lesson as it is being put to rest, or was a while ago."""
        for ending in self._ending:
            if ending.plan.lesson.id == lesson_id and ending.plan.lesson.state is LessonState.ENDED:
                return ending
        return None

    def _spawn(self, work: Coroutine[None, None, None], name: str) -> asyncio.Task[None]:
        if self._tasks is None:
            raise InvalidState("the conductor is not running")
        return self._tasks.create_task(work, name=name)

    @staticmethod
    async def _stop(task: asyncio.Task[Any]) -> None:
        task.cancel()
        await asyncio.wait([task])


def _just_ended(lesson: Lesson, now: datetime) -> bool:
    return lesson.state is LessonState.ENDED and lesson.ended_at is not None and lesson.ended_at > now - ENDING_MEMORY


def _parts(lesson: Lesson) -> tuple[RoomId, ...]:
    return tuple(site.room_id for site in lesson.accepted)
