"""A lesson as its people see it: what is ready at each of its sites. Values only; times are aware UTC."""

from dataclasses import dataclass, field
from datetime import datetime

from controller.displays.report import Camera, SiteDisplay
from controller.lessons.steps import StepView
from controller.nodes.bridge_report import SiteMedia
from controller.quality.verdict import SiteQuality
from controller.schema import NamedJson, SchoolJson
from controller.views.readiness import SiteDevices, SiteProblem
from rooms.invitation import InvitationState
from rooms.lesson import Lesson
from rooms.room import Room


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
