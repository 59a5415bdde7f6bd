"""A lesson as its people see it: what is ready at each of its sites. Times are aware UTC.

All of a lesson that is held here is in memory: its row, rooms, scenes, displays and media. Of others the
rooms are read; schools always are in memory.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from controller.displays.presence import Displays
from controller.displays.report import Camera, SiteDisplay
from controller.lessons.conductor import Conductor
from controller.lessons.lesson_run import HeldLesson, Plan, SceneRuns, plan_of
from controller.lessons.steps import StepView
from controller.nodes.bridge_report import SiteMedia, moving_media
from controller.nodes.bridges import Nodes
from controller.quality.verdict import SiteQuality
from controller.quality.watch import QualityWatch
from controller.schema import NamedJson, SchoolJson
from controller.views.readiness import Sending, SiteDevices, SiteProblem, devices_state, is_ready, problems
from rooms.invitation import InvitationState
from rooms.lesson import Lesson, LessonId, LessonState, Site
from rooms.room import Room, RoomId
from store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class DevicesView:
    """What a site's devices are doing for the lesson, step by step."""

    state: SiteDevices = SiteDevices.IDLE
    steps: tuple[StepView, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DisplayView:
    """How far a site's display has come."""

    state: SiteDisplay = SiteDisplay.ABSENT
    camera: Camera = Camera.UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteView:
    """One room's part in a lesson, as it is now and as pages are sent it.

    `own`: whoever is shown it may answer for this room, and decide what it sends. `muted`, `camera_off`: what was
    decided. `quality`: null before the site's first picture and sound, and outside live lessons.
    """

    room: NamedJson
    school: SchoolJson
    invitation: InvitationState
    reminded_at: datetime | None = None
    own: bool = False
    muted: bool = False
    camera_off: bool = False
    ready: bool = False
    devices: DevicesView = field(default_factory=DevicesView)
    display: DisplayView = field(default_factory=DisplayView)
    media: SiteMedia = field(default_factory=SiteMedia)
    quality: SiteQuality | None = None
    problems: tuple[SiteProblem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LessonView:
    """A lesson with what is ready at each of its sites; `sites` has the order of `lesson.sites`."""

    lesson: Lesson
    host: NamedJson
    epoch: str | None  # which bridge of the lesson it is; another one: it goes on there; None: it has none
    sites: tuple[SiteView, ...]
    resumable_until: datetime | None = None  # None: it cannot be resumed
    busy: "BusyRoom | None" = None  # of a scheduled lesson


@dataclass(frozen=True, slots=True, kw_only=True)
class BusyRoom:
    """A room that a lesson needs, and the live lesson that has it."""

    room: Room
    lesson: Lesson


class LessonViews:
    """Makes views from what runs here."""

    def __init__(
        self, *, store: Store, nodes: Nodes, conductor: Conductor, displays: Displays, quality: QualityWatch
    ) -> None:
        self._store = store
        self._nodes = nodes
        self._conductor = conductor
        self._displays = displays
        self._quality = quality

    async def get(self, lesson_id: LessonId) -> LessonView:
        """The lesson as it is now. Raises `LessonNotFound`."""
        held = self._conductor.held(lesson_id)
        return await self.of(held.plan.lesson if held is not None else await self._store.lessons.get(lesson_id))

    async def of(self, lesson: Lesson) -> LessonView:
        """The same of a lesson that has just been read or written."""
        return (await self.of_all([lesson]))[0]

    async def of_all(self, lessons: Sequence[Lesson]) -> list[LessonView]:
        """The same of these lessons; one query at most, however many they are."""
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
        live = lesson.state is LessonState.LIVE
        return LessonView(
            lesson=lesson,
            host=NamedJson(id=lesson.host_school_id, name=plan.schools[lesson.host_school_id].name),
            epoch=self._nodes.epoch(lesson.id) if live else None,
            sites=tuple(self._site_view(site, lesson, plan, scenes, live=live) for site in lesson.sites),
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
        media = moving_media(self._nodes.states(plan.lesson.id), site.room_id) if live else SiteMedia()
        devices = devices_state(steps)
        taking_part = live and site in lesson.accepted
        sending = Sending(muted=site.muted, camera_off=site.camera_off)
        reached = self._conductor.reaches_devices
        return SiteView(
            room=NamedJson(id=site.room_id, name=plan.rooms[site.room_id].name),
            school=SchoolJson.of(plan.schools[site.school_id]),
            invitation=site.invitation,
            reminded_at=site.reminded_at,
            muted=site.muted,
            camera_off=site.camera_off,
            ready=taking_part and is_ready(devices, display, media, sending),
            devices=DevicesView(state=devices, steps=steps),
            display=DisplayView(state=display, camera=camera),
            media=media,
            quality=self._quality.shown(plan.lesson.id, site.room_id) if taking_part else None,
            problems=problems(steps, display, camera, media, sending, devices_reached=reached) if taking_part else (),
        )
