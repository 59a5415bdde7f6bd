"""The conductor: holds every live lesson, and knows what each room, display and watching page should be doing.

The database says which lessons are live; `_follow` makes what runs here agree with it. Start, End, a restart and a tick
of the clock all end in that one comparison.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Coroutine
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

from controller.changes import ChangeKind, Changes
from controller.displays import Displays
from controller.grants import Grants
from controller.live import END_SCENE, LESSON_SCENE, EndingLesson, LiveLesson, Plan, SceneRuns, read_plan
from controller.media import bridge_slots, site_media
from controller.nodes import Nodes
from controller.readiness import devices_state, is_ready, problems
from controller.timers import Timers
from controller.views import (
    CallRoom,
    CallView,
    DisplayReport,
    DisplayState,
    LessonView,
    NextLesson,
    SiteMedia,
    SiteView,
    WatchGrant,
    WatchSlots,
)
from devices.hub import DeviceHub
from rooms.audit import AuditEntry
from rooms.errors import InvalidState, LessonNotFound, RoomBusy, StoreUnavailable
from rooms.lesson import EARLIEST_START, EndReason, Lesson, LessonId, LessonState, Site, can_start, due_move, gives_way
from rooms.room import Display, DisplayId, RoomId
from rooms.store import Store

logger = logging.getLogger(__name__)

ENDING_MEMORY = timedelta(minutes=10)
"""Lessons that ended within this time before our start get their `end` scene again: we may have died in it."""
LOOK_AHEAD = timedelta(hours=24)
REFRESH_S = 120.0
"""Live lessons are compared with the database this often, and their displays get new tokens; tokens live longer."""
RESTART_PAUSE_S = 1.0
"""Before a lesson or a timer's job that failed is taken up again."""


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
    ) -> None:
        self._store = store
        self._hub = hub
        self._nodes = nodes
        self._changes = changes
        self._grace = grace
        self._clock = clock
        self._grants = Grants(nodes, clock)
        self._displays = Displays(self._room_changed)
        self._timers = Timers(self._time_came, clock)
        self._live: dict[LessonId, tuple[LiveLesson, asyncio.Task[None]]] = {}
        self._ending: set[EndingLesson] = set()
        self._media: dict[LessonId, object] = {}  # what was last told of a bridge
        self._following = asyncio.Lock()
        self._tasks: asyncio.TaskGroup | None = None
        nodes.on_change(self._bridge_changed)

    async def run(self) -> None:
        """Take up what the database says is live, and go on until cancelled."""
        async with asyncio.TaskGroup() as tasks, self._timers:
            self._tasks = tasks
            try:
                await self._take_up()
                while True:
                    await asyncio.sleep(REFRESH_S)
                    await self._refresh()
            finally:
                self._tasks = None  # whatever comes now waits for the next start

    async def _take_up(self) -> None:
        now = self._clock()
        for lesson in await self._store.lessons.live():
            await self._due(lesson.id)
        for lesson in await self._store.lessons.list(start=now - LOOK_AHEAD, end=now + EARLIEST_START):
            if _just_ended(lesson, now):
                await self._follow(lesson.id)
        for lesson in await self._store.lessons.upcoming():
            self._timers.set(lesson, self._grace)
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

    async def _begin_in_store(self, lesson: Lesson) -> Lesson | None:
        try:
            return await self._store.lessons.start(lesson.id, self._clock())
        except RoomBusy:
            await self._make_way(lesson)
            return await self._store.lessons.start(lesson.id, self._clock())

    async def end(self, lesson_id: LessonId, actor: str, reason: str) -> None:
        """live -> ended, once however often asked. Raises `LessonNotFound`, `InvalidState` if it was never live."""
        ended = await self._store.lessons.end(lesson_id, self._clock(), EndReason(reason))
        await self._follow(lesson_id)
        if ended is not None:
            await self._record(ended, actor, "end", LessonState.LIVE)
        elif (await self._store.lessons.get(lesson_id)).state is not LessonState.ENDED:
            raise InvalidState(f"lesson {lesson_id} was never live")

    async def planned(self, lesson_id: LessonId) -> None:
        """The lesson's row was made or changed: follow it."""
        await self._follow(lesson_id)

    def in_lesson(self, room_id: RoomId) -> bool:
        """Whether a live lesson rules the room."""
        return self._live_in(room_id) is not None

    def lesson_of(self, room_id: RoomId) -> LessonId | None:
        """The live lesson that rules the room."""
        live = self._live_in(room_id)
        return live.plan.lesson.id if live else None

    # --- should and is, for whole lessons ---

    async def _follow(self, lesson_id: LessonId) -> None:
        """Make what runs here agree with what the database says of this lesson, and set its timers.

        Whoever is cancelled in here leaves only what the next call finds and finishes.
        """
        async with self._following:
            lesson = await self._store.lessons.get(lesson_id)
            live = lesson.state is LessonState.LIVE
            if lesson_id in self._live:
                was, task = self._live[lesson_id]
                left = tuple(site for site in was.plan.lesson.accepted if site.room_id not in _parts(lesson))
                if not live or _parts(lesson) != _parts(was.plan.lesson):
                    await self._stop(task)
                    self._live.pop(lesson_id)
                if live and left:
                    await self._finish(replace(lesson, sites=left))
            if live and lesson_id not in self._live:
                await self._begin(lesson)
            if _just_ended(lesson, self._clock()) and self._ended(lesson_id) is None:
                await self._finish(lesson)
            self._timers.set(lesson, self._grace)
        self._changes.publish(ChangeKind.LESSON, lesson_id)
        for site in lesson.sites:
            self._tell_room(site.room_id)

    async def _begin(self, lesson: Lesson) -> None:
        plan, scenes = await self._prepared(lesson, LESSON_SCENE)
        for ending in list(self._ending):
            await ending.give_up(_parts(lesson))
        live = LiveLesson(plan, scenes, store=self._store, nodes=self._nodes)
        self._live[lesson.id] = (live, self._spawn(self._hold(live), f"lesson {lesson.id}"))

    async def _hold(self, live: LiveLesson) -> None:
        """One lesson's failure ends nothing but itself, and it is taken up again."""
        while True:
            try:
                await live.run()
            except Exception:  # noqa: BLE001  # the rim around one lesson
                logger.exception("lesson %s: taken up again", live.plan.lesson.id)
                await asyncio.sleep(RESTART_PAUSE_S)

    async def _finish(self, lesson: Lesson) -> None:
        """Put the lesson's accepted rooms to rest, but for those that the next lesson has already."""
        busy = {room for live, _ in self._live.values() for room in _parts(live.plan.lesson)}
        plan, scenes = await self._prepared(lesson, END_SCENE, without=busy)
        ending = EndingLesson(plan, scenes, nodes=self._nodes)
        self._spawn(self._see_off(ending), f"end of lesson {lesson.id}")
        self._ending.add(ending)

    async def _see_off(self, ending: EndingLesson) -> None:
        try:
            await ending.run()
            await asyncio.sleep(ENDING_MEMORY.total_seconds())  # its steps can be looked at for a while
        except Exception:  # noqa: BLE001  # the rim around one lesson
            logger.exception("lesson %s: could not be put to rest", ending.plan.lesson.id)
        finally:
            self._ending.discard(ending)
            self._media.pop(ending.plan.lesson.id, None)

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
        rooms = {site.room_id for site in lesson.accepted}
        for other in await self._store.lessons.live():
            if gives_way(other, self._clock()) and rooms & {site.room_id for site in other.accepted}:
                await self.end(other.id, "time", EndReason.TIME)

    def _time_came(self, lesson_id: LessonId) -> None:
        if self._tasks is not None:
            self._spawn(self._see_due(lesson_id), f"time of lesson {lesson_id}")

    async def _see_due(self, lesson_id: LessonId) -> None:
        """What fails is tried again: no other timer comes."""
        while True:
            try:
                return await self._due(lesson_id)
            except Exception:  # noqa: BLE001  # the rim around one scheduled job
                logger.exception("lesson %s: its time came", lesson_id)
                await asyncio.sleep(RESTART_PAUSE_S)

    async def _due(self, lesson_id: LessonId) -> None:
        """Make the move that time has made due, if any, and follow the lesson."""
        with suppress(LessonNotFound):
            lesson = await self._store.lessons.get(lesson_id)
            move = due_move(lesson, self._clock(), self._grace)
            moved = None
            if move is not None:
                state, reason = move
                change = self._store.lessons.end if state is LessonState.ENDED else self._store.lessons.cancel
                moved = await change(lesson_id, self._clock(), reason)
            await self._follow(lesson_id)
            if moved is not None:
                await self._record(moved, "time", "end" if moved.state is LessonState.ENDED else "cancel", lesson.state)

    async def _record(self, lesson: Lesson, actor: str, action: str, before: LessonState) -> None:
        logger.info("lesson %s: %s -> %s", lesson.id, before, lesson.state)
        await self._store.audit.add(
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

    # --- what people see ---

    async def view(self, lesson_id: LessonId) -> LessonView:
        """The lesson as it is now. Raises `LessonNotFound`."""
        lesson = await self._store.lessons.get(lesson_id)
        held = self._live[lesson_id][0] if lesson_id in self._live else self._ended(lesson_id)
        plan = held.plan if held and held.plan.lesson.sites == lesson.sites else await read_plan(self._store, lesson)
        scenes = held.scenes if held else SceneRuns({})
        sites = tuple(
            self._site_view(site, plan, scenes, live=lesson.state is LessonState.LIVE) for site in lesson.sites
        )
        return LessonView(lesson=lesson, host=plan.schools[lesson.host_school_id], sites=sites)

    def _site_view(self, site: Site, plan: Plan, scenes: SceneRuns, *, live: bool) -> SiteView:
        steps = scenes.steps(site.room_id)
        called = live and self._nodes.epoch(plan.lesson.id) is not None
        display, camera = self._displays.state(site.room_id, called=called)
        media = site_media(self._nodes.state(plan.lesson.id), site.room_id) if live else SiteMedia()
        devices = devices_state(steps)
        taking_part = live and site in plan.lesson.accepted
        return SiteView(
            room=plan.rooms[site.room_id],
            school=plan.schools[site.school_id],
            ready=taking_part and is_ready(devices, display, media),
            devices=devices,
            steps=steps,
            display=display,
            camera=camera,
            media=media,
            problems=problems(steps, display, camera, media) if taking_part else (),
        )

    async def watch(self, lesson_id: LessonId, account_id: str, client: str) -> WatchGrant:
        """A teacher's own view. Raises `LessonNotFound`; `InvalidState` where it is not live or has no bridge yet."""
        lesson = await self._store.lessons.get(lesson_id)
        epoch = self._nodes.epoch(lesson_id)
        if lesson.state is not LessonState.LIVE or epoch is None:
            raise InvalidState(f"lesson {lesson_id} has no picture now")
        grant = self._grants.play(lesson_id, _viewer(account_id), client)
        count = len(lesson.accepted)
        return WatchGrant(whep=grant, epoch=epoch, video=count, audio=count)

    def watch_slots(self, lesson_id: LessonId, account_id: str, client: str) -> WatchSlots | None:
        """Whose track each slot of that watcher carries; None while it has no connection."""
        slots = bridge_slots(self._nodes.state(lesson_id)).get((_viewer(account_id), client))
        epoch = self._nodes.epoch(lesson_id)
        if slots is None or epoch is None:
            return None
        return WatchSlots(lesson_id=lesson_id, epoch=epoch, slots=slots)

    # --- displays ---

    async def display_state(self, display_id: DisplayId) -> DisplayState:
        """What this display should show and do now. Raises `DisplayNotFound`."""
        display = await self._store.displays.get(display_id)
        self._displays.introduce(display)
        room = await self._store.rooms.get(display.room_id)
        return DisplayState(
            display_id=display_id,
            room=room,
            school=await self._store.organisations.get(room.school_id),
            next=await self._next_lesson(display),
            call=self._call(display),
        )

    def display_connected(self, display_id: DisplayId) -> None:
        self._displays.connected(display_id)

    def display_disconnected(self, display_id: DisplayId) -> None:
        self._displays.disconnected(display_id)

    def display_report(self, display_id: DisplayId, report: DisplayReport) -> None:
        self._displays.report(display_id, report)

    def _call(self, display: Display) -> CallView | None:
        live = self._live_in(display.room_id)
        if live is None or self._displays.active(display.room_id) != display.id:
            return None
        lesson = live.plan.lesson
        epoch = self._nodes.epoch(lesson.id)
        if epoch is None:
            return None
        others = [site for site in lesson.accepted if site.room_id != display.room_id]
        slots = bridge_slots(self._nodes.state(lesson.id)).get((display.room_id, display.id), {})
        return CallView(
            lesson_id=lesson.id,
            title=lesson.title,
            epoch=epoch,
            whip=self._grants.publish(lesson.id, display.room_id, display.id),
            whep=self._grants.play(lesson.id, display.room_id, display.id),
            video=max(1, len(others)),
            audio=max(1, len(others)),
            rooms=tuple(
                CallRoom(room=live.plan.rooms[site.room_id], school=live.plan.schools[site.school_id])
                for site in others
            ),
            slots=slots,
        )

    async def _next_lesson(self, display: Display) -> NextLesson | None:
        now = self._clock()
        room = await self._store.rooms.get(display.room_id)
        coming = await self._store.lessons.list(start=now, end=now + LOOK_AHEAD, school_ids={room.school_id})
        for lesson in coming:
            if lesson.state is LessonState.SCHEDULED and display.room_id in {site.room_id for site in lesson.accepted}:
                return NextLesson(title=lesson.title, start=lesson.start)
        return None

    # --- who is told ---

    def _bridge_changed(self, bridge: str) -> None:
        """A node said something new about a bridge ("": a node came or went)."""
        if self._tasks is None:
            return  # taking up looks at all of them
        for id, (live, _) in self._live.items():
            if bridge in ("", id):
                live.wake()
                self._tell_media(id, live.plan)
        if bridge and bridge not in self._live and bridge in self._nodes.held():
            self._spawn(self._close_stray(LessonId(bridge)), f"close stray bridge {bridge}")

    def _tell_media(self, id: LessonId, plan: Plan) -> None:
        state = self._nodes.state(id)
        slots = bridge_slots(state)
        media = (self._nodes.epoch(id), slots, [site_media(state, site.room_id) for site in plan.lesson.accepted])
        if media == self._media.get(id):
            return
        self._media[id] = media
        self._changes.publish(ChangeKind.LESSON, id)
        self._changes.publish(ChangeKind.WATCH, id)
        self._tell_displays(plan)

    async def _close_stray(self, id: LessonId) -> None:
        """A bridge whose lesson ended while we, or its node, were away has nobody to close it but us."""
        with suppress(LessonNotFound, ConnectionError):  # without database or node: at the bridge's next change
            async with self._following:
                if (await self._store.lessons.get(id)).state is not LessonState.LIVE:
                    await self._nodes.close(id)

    def _room_changed(self, room_id: RoomId) -> None:
        """A display of this room came, went or said something new."""
        self._tell_room(room_id)
        self._changes.publish(ChangeKind.ROOM, room_id)
        live = self._live_in(room_id)
        if live:
            self._changes.publish(ChangeKind.LESSON, live.plan.lesson.id)

    def _tell_displays(self, plan: Plan) -> None:
        for site in plan.lesson.accepted:
            self._tell_room(site.room_id)

    def _tell_room(self, room_id: RoomId) -> None:
        for display_id in self._displays.in_room(room_id):
            self._changes.publish(ChangeKind.DISPLAY, display_id)

    # --- small help ---

    def _ended(self, lesson_id: LessonId) -> EndingLesson | None:
        """The lesson as it is being put to rest, or was a while ago."""
        for ending in self._ending:
            if ending.plan.lesson.id == lesson_id and ending.plan.lesson.state is LessonState.ENDED:
                return ending
        return None

    def _live_in(self, room_id: RoomId) -> LiveLesson | None:
        for live, _ in self._live.values():
            if any(site.room_id == room_id for site in live.plan.lesson.accepted):
                return live
        return None

    def _spawn(self, work: Coroutine[None, None, None], name: str) -> asyncio.Task[None]:
        if self._tasks is None:
            raise InvalidState("the conductor is not running")
        return self._tasks.create_task(work, name=name)

    @staticmethod
    async def _stop(task: asyncio.Task[None]) -> None:
        task.cancel()
        await asyncio.wait([task])


def _viewer(account_id: str) -> str:
    return f"viewer-{account_id}"


def _just_ended(lesson: Lesson, now: datetime) -> bool:
    return lesson.state is LessonState.ENDED and lesson.ended_at is not None and lesson.ended_at > now - ENDING_MEMORY


def _parts(lesson: Lesson) -> tuple[RoomId, ...]:
    return tuple(site.room_id for site in lesson.accepted)
