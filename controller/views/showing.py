"""What people see of lessons: pages their state, displays their call, a teacher's own view its pictures.

Everything is read afresh from the database, the conductor, the bridge nodes and the connected displays when asked for.
When one of these changes, whoever sees something of it is told to ask again.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NamedTuple

from controller.changes import ChangeKind
from controller.displays.call import AskingLesson, CallRoom, DisplayCall, DisplayState, NextLesson
from controller.displays.media_tokens import Grants, ScreenGrant
from controller.displays.presence import Displays
from controller.displays.report import DisplayReport
from controller.lessons.audience import Guest, guests_in
from controller.lessons.conductor import Conductor
from controller.lessons.lesson_run import HeldLesson, Plan, SceneRuns, plan_of
from controller.lessons.participation import may_step_out
from controller.nodes.bridge_report import (
    SiteMedia,
    SlotView,
    bridge_slots,
    moving_media,
    present_rooms,
    shared_screens,
    speaking_room,
    viewer,
    wanted_layers,
)
from controller.nodes.bridges import Nodes
from controller.quality.watch import QualityWatch
from controller.views.lesson_view import BusyRoom, LessonView, SiteView
from controller.views.readiness import Sending, devices_state, is_ready, problems
from controller.views.watching import WatchGrant, WatchSlots
from devices.changes import Changes
from rooms.errors import InvalidState
from rooms.lesson import Lesson, LessonId, LessonState, Site
from rooms.room import Display, DisplayId, Room, RoomId
from store import Store
from webrtc.shared.state import BridgeState

MOST_PICTURES = 9  # a display offers to receive: the stage and eight thumbnails
MOST_WATCHED = 21  # pictures of a teacher's own view, all of them small
MOST_VOICES = 3
WATCHING = timedelta(minutes=10)
"""A view that is not asked for again for so long is closed: its token has ended, and pages renew theirs sooner."""
LOOK_AHEAD = timedelta(hours=24)
"""A display shows its room's next lesson if it begins within this time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Media:
    """What is told of a lesson's bridge. `common`: what all displays show; the rest is by (participant, client)."""

    sites: list[SiteMedia]
    common: object
    slots: Mapping[tuple[str, str], Mapping[str, SlotView]]
    layers: Mapping[tuple[str, str], Mapping[str, bool]]

    def of(self, here: tuple[str, str]) -> object:
        """What that display has to know."""
        return self.common, self.slots.get(here), self.layers.get(here)


class _Watcher(NamedTuple):
    """One view of a login: each window has its own."""

    participant: str
    login: str
    view: str

    @property
    def client(self) -> str:
        return f"{self.login}-{self.view}"


class Showing:
    """Shows lessons to pages and displays, and hears what displays say of themselves. `quality`: its owner runs it."""

    def __init__(
        self, *, store: Store, nodes: Nodes, conductor: Conductor, changes: Changes, clock: Callable[[], datetime]
    ) -> None:
        self._store = store
        self._nodes = nodes
        self._conductor = conductor
        self._changes = changes
        self._clock = clock
        self._grants = Grants(nodes)
        self._displays = Displays(self._room_changed)
        self.quality = QualityWatch(
            store=store, nodes=nodes, conductor=conductor, changes=changes, said=self._displays.said, clock=clock
        )
        self._watchers: dict[LessonId, dict[_Watcher, datetime]] = {}  # of live lessons: who asked for a view, and when
        self._sharers: dict[LessonId, dict[Guest, datetime]] = {}  # the same, of their screens
        self._media: dict[LessonId, _Media] = {}  # as it was last told
        conductor.on_follow(self._followed)
        conductor.on_bridge_change(self._bridge_changed)

    # --- pages ---

    async def view(self, lesson_id: LessonId) -> LessonView:
        """The lesson as it is now. Raises `LessonNotFound`."""
        return (await self.views([await self._store.lessons.get(lesson_id)]))[0]

    async def views(self, lessons: Sequence[Lesson]) -> list[LessonView]:
        """These lessons, as they were just read; one query at most, however many they are."""
        unheld = {site.room_id for each in lessons if self._held_as(each) is None for site in each.sites}
        rooms = await self._store.rooms.named(unheld) if unheld else {}
        return [self._view(each, rooms) for each in lessons]

    def _held_as(self, lesson: Lesson) -> HeldLesson | None:
        """The lesson as it runs here, if that is with the same rooms."""
        held = self._conductor.held(lesson.id)
        rooms = [site.room_id for site in lesson.sites]
        return held if held and [site.room_id for site in held.plan.lesson.sites] == rooms else None

    def _view(self, lesson: Lesson, rooms: Mapping[RoomId, Room]) -> LessonView:
        held, as_held = self._conductor.held(lesson.id), self._held_as(lesson)
        plan = as_held.plan if as_held else plan_of(lesson, rooms, self._store.tree)
        scenes = held.scenes if held else SceneRuns({})
        sites = tuple(
            self._site_view(site, lesson, plan, scenes, live=lesson.state is LessonState.LIVE) for site in lesson.sites
        )
        epoch = self._nodes.epoch(lesson.id) if lesson.state is LessonState.LIVE else None
        return LessonView(
            lesson=lesson,
            host=plan.schools[lesson.host_school_id],
            epoch=epoch,
            sites=sites,
            resumable_until=self._conductor.resumable_until(lesson),
            busy=self._busy(plan, lesson),
        )

    def _busy(self, plan: Plan, lesson: Lesson) -> BusyRoom | None:
        found = self._conductor.busy(lesson) if lesson.state is LessonState.SCHEDULED else None
        return BusyRoom(room=plan.rooms[found[0]], lesson=found[1]) if found else None

    def _site_view(self, site: Site, lesson: Lesson, plan: Plan, scenes: SceneRuns, *, live: bool) -> SiteView:
        steps = scenes.steps(site.room_id)
        called = live and self._nodes.epoch(plan.lesson.id) is not None
        display, camera = self._displays.state(site.room_id, called=called)
        media = moving_media(self._bridges(plan.lesson.id), site.room_id) if live else SiteMedia()
        devices = devices_state(steps)
        taking_part = live and site in lesson.accepted
        sending = Sending(muted=site.muted, camera_off=site.camera_off)
        reached = self._conductor.reaches_devices
        return SiteView(
            room=plan.rooms[site.room_id],
            school=plan.schools[site.school_id],
            ready=taking_part and is_ready(devices, display, media, sending),
            devices=devices,
            steps=steps,
            display=display,
            camera=camera,
            media=media,
            quality=self.quality.shown(plan.lesson.id, site.room_id) if taking_part else None,
            problems=problems(steps, display, camera, media, sending, devices_reached=reached) if taking_part else (),
        )

    async def watch(
        self, lesson_id: LessonId, account_id: str, login: str, view: str, *, known: datetime
    ) -> WatchGrant:
        """A teacher's own view; asked again, a younger token for the same. `known`: since when that may be given.

        Raises `LessonNotFound`; `InvalidState` where it is not live or has no bridge yet.
        """
        lesson = await self._store.lessons.get(lesson_id)
        epoch = self._nodes.epoch(lesson_id)
        if lesson.state is not LessonState.LIVE or epoch is None:
            raise InvalidState(f"lesson {lesson_id} has no picture now")
        watcher = _Watcher(viewer(account_id), login, view)
        grant = self._grants.play(lesson_id, watcher.participant, watcher.client, known)
        count = len(lesson.accepted)  # and one slot for a shared screen
        now, asked = self._clock(), self._watchers.get(lesson_id, {})
        self._watchers[lesson_id] = {each: at for each, at in asked.items() if now - at < WATCHING} | {watcher: now}
        return WatchGrant(whep=grant, epoch=epoch, video=min(count + 1, MOST_WATCHED), audio=min(count, MOST_VOICES))

    async def screen(self, lesson_id: LessonId, room_id: RoomId, device: str, *, known: datetime) -> ScreenGrant:
        """To share a screen as the room's, from a device that is no display of it. Raises as `watch`."""
        lesson = await self._store.lessons.get(lesson_id)
        epoch = self._nodes.epoch(lesson_id)
        if lesson.state is not LessonState.LIVE or epoch is None:
            raise InvalidState(f"lesson {lesson_id} has no bridge now")
        grant = self._grants.screen(lesson_id, room_id, device, epoch, known)
        now, asked = self._clock(), self._sharers.get(lesson_id, {})
        sharer = Guest(room_id, grant.client)
        self._sharers[lesson_id] = {each: at for each, at in asked.items() if now - at < WATCHING} | {sharer: now}
        return grant

    def guests(self, lesson_id: LessonId) -> set[Guest]:
        """People with a connection of their own to a live lesson, or a token for one."""
        watchers = {Guest(each.participant, each.client) for each in self._watchers.get(lesson_id, ())}
        there = [guests_in(bridge) for bridge in self._bridges(lesson_id)]
        return watchers.union(self._sharers.get(lesson_id, ()), *there)

    def watch_slots(self, lesson_id: LessonId, account_id: str, login: str) -> list[WatchSlots]:
        """Whose track each slot carries, for each view that the login has asked for of late."""
        epoch = self._nodes.epoch(lesson_id)
        if epoch is None:
            return []
        slots = bridge_slots(self._nodes.state(lesson_id))
        return [
            WatchSlots(
                lesson_id=lesson_id, view=each.view, epoch=epoch, slots=slots.get((each.participant, each.client), {})
            )
            for each in self._watchers.get(lesson_id, ())
            if (each.participant, each.login) == (viewer(account_id), login)
        ]

    # --- displays ---

    async def display_state(self, display_id: DisplayId) -> DisplayState:
        """What this display should show and do now. Raises `DisplayNotFound`."""
        display = await self._store.displays.get(display_id)
        self._displays.introduce(display)
        room = await self._store.rooms.get(display.room_id)
        return DisplayState(
            display_id=display_id,
            room=room,
            school=self._store.tree.get(room.school_id),
            next=await self._next_lesson(display),
            asking=await self._asking(room.id),
            call=self._call(display.id, room.id),
        )

    async def _asking(self, room_id: RoomId) -> AskingLesson | None:
        lesson = None if self._conductor.in_lesson(room_id) else await self._store.lessons.asking(room_id)
        if lesson is None:
            return None
        site = lesson.site(room_id)
        host = self._store.tree.get(lesson.host_school_id)
        return AskingLesson(
            lesson_id=lesson.id,
            title=lesson.title,
            host=host.name,
            stepped_out=site.stepped_out,
            reminded_at=site.reminded_at,
        )

    def with_call(self, state: DisplayState) -> DisplayState:
        """The same with the call as it is now. Changes come often while a lesson is live; the database is not asked."""
        return replace(state, call=self._call(state.display_id, state.room.id))

    def display_connected(self, display_id: DisplayId) -> None:
        self._displays.connected(display_id)

    def display_disconnected(self, display_id: DisplayId) -> None:
        self._displays.disconnected(display_id)

    def display_report(self, display_id: DisplayId, report: DisplayReport) -> None:
        self._displays.report(display_id, report)

    def display_unpaired(self, display: Display) -> None:
        """It takes part in nothing any more: what it sends and receives ends."""
        plan = self._conductor.plan_in(display.room_id)
        if plan is not None:
            self._nodes.exclude(plan.lesson.id, participant=display.room_id, client=display.id)

    def _call(self, id: DisplayId, room_id: RoomId) -> DisplayCall | None:
        plan = self._conductor.plan_in(room_id)
        if plan is None or self._displays.active(room_id) != id:
            return None
        lesson = plan.lesson
        epoch = self._nodes.epoch(lesson.id)
        if epoch is None:
            return None
        others = [site for site in lesson.accepted if site.room_id != room_id]
        own = lesson.site(room_id)
        state = self._nodes.state(lesson.id)
        here, now = (room_id, id), self._clock()
        present = present_rooms(*self._bridges(lesson.id))
        return DisplayCall(
            lesson_id=lesson.id,
            title=lesson.title,
            epoch=epoch,
            spread_s=self._nodes.spread_s(lesson.id),
            whip=self._grants.publish(lesson.id, room_id, id, now),
            whep=self._grants.play(lesson.id, room_id, id, now),
            screen=self._grants.screen(lesson.id, room_id, id, epoch, now),
            sharing=shared_screens(state).get(room_id),
            video=min(len(others) + 1, MOST_PICTURES),  # one for a shared screen beside all rooms
            audio=max(1, min(len(others), MOST_VOICES)),
            rooms=tuple(
                CallRoom(
                    room=plan.rooms[site.room_id],
                    school=plan.schools[site.school_id],
                    here=site.room_id in present,
                    muted=site.muted,
                    camera_off=site.camera_off,
                )
                for site in others
            ),
            slots=bridge_slots(state).get(here, {}),
            layers=wanted_layers(state).get(here, {}),
            mode=lesson.mode,
            floor=lesson.floor.room_id if lesson.floor is not None else None,
            speaking=speaking_room(state),
            muted=own.muted,
            camera_off=own.camera_off,
            may_leave=may_step_out(lesson, own),
        )

    async def _next_lesson(self, display: Display) -> NextLesson | None:
        now = self._clock()
        room = await self._store.rooms.get(display.room_id)
        coming = await self._store.lessons.list(start=now, end=now + LOOK_AHEAD, school_ids={room.school_id})
        for lesson in coming:
            if lesson.state is LessonState.SCHEDULED and display.room_id in {site.room_id for site in lesson.accepted}:
                return NextLesson(title=lesson.title, start=lesson.start)
        return None

    # --- who is told; pages hear of a followed lesson from the conductor ---

    def _followed(self, lesson: Lesson) -> None:
        """Its displays may be called, sent away, or due for new tokens."""
        if lesson.state is not LessonState.LIVE:
            self._media.pop(lesson.id, None)
            self._watchers.pop(lesson.id, None)
            self._sharers.pop(lesson.id, None)
        for site in lesson.sites:
            for display_id in self._displays.in_room(site.room_id):
                self._changes.publish(ChangeKind.DISPLAY, display_id)

    def _bridge_changed(self, plan: Plan) -> None:
        """Nodes report every second; what nobody can see of that is not told, and displays hear of their own only."""
        lesson = plan.lesson
        bridges = self._bridges(lesson.id)
        state, present = bridges[0], present_rooms(*bridges)
        now = _Media(
            sites=[moving_media(bridges, site.room_id) for site in lesson.accepted],
            common=(self._nodes.epoch(lesson.id), present, speaking_room(state), shared_screens(state)),
            slots=bridge_slots(state),
            layers=wanted_layers(state),
        )
        known = self._media.get(lesson.id)
        if now == known:
            return
        self._media[lesson.id] = now
        self._changes.publish(ChangeKind.LESSON, lesson.id)
        if known is None or (now.common, now.slots) != (known.common, known.slots):
            self._changes.publish(ChangeKind.WATCH, lesson.id)
        for site in lesson.accepted:
            for display_id in self._displays.in_room(site.room_id):
                if known is None or now.of((site.room_id, display_id)) != known.of((site.room_id, display_id)):
                    self._changes.publish(ChangeKind.CALL, display_id)

    def _bridges(self, lesson_id: LessonId) -> list[BridgeState | None]:
        """The lesson's bridge, and the one before for as long as that goes on: rooms come over one by one."""
        now = self._nodes.state(lesson_id)
        held = [node.bridges.get(lesson_id) for node in self._nodes.fleet.nodes.values()]
        return [now, *(each for each in held if each is not None and each is not now)]

    def _room_changed(self, room_id: RoomId) -> None:
        """A display of this room came, went or said something new; its displays hear of their room, too."""
        self._changes.publish(ChangeKind.ROOM, room_id)
        plan = self._conductor.plan_in(room_id)
        if plan is not None:
            self._changes.publish(ChangeKind.LESSON, plan.lesson.id)
