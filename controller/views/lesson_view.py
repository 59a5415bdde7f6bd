"""A lesson as its people see it: what is ready at each of its sites. Values only; times are aware UTC."""

from dataclasses import dataclass, field
from datetime import datetime

from controller.displays.report import Camera, SiteDisplay
from controller.lessons.steps import StepView
from controller.nodes.bridge_report import SiteMedia
from controller.quality.verdict import SiteQuality
from controller.views.readiness import SiteDevices, SiteProblem
from rooms.lesson import Lesson
from rooms.room import Room
from rooms.school import Organisation


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteView:
    """One room's part in a lesson, as it is now. The invitation is in `LessonView.lesson.sites`."""

    room: Room
    school: Organisation
    ready: bool
    devices: SiteDevices = SiteDevices.IDLE
    steps: tuple[StepView, ...] = ()
    display: SiteDisplay = SiteDisplay.ABSENT
    camera: Camera = Camera.UNKNOWN
    media: SiteMedia = field(default_factory=SiteMedia)
    quality: SiteQuality | None = None  # None before its first picture and sound, and outside live lessons
    problems: tuple[SiteProblem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LessonView:
    """A lesson with what is ready at each of its sites; `sites` has the order of `lesson.sites`."""

    lesson: Lesson
    host: Organisation
    epoch: str | None  # of its bridge; another one: it goes on at another bridge; None: it has none
    sites: tuple[SiteView, ...]
    resumable_until: datetime | None = None  # None: it cannot be resumed
    busy: "BusyRoom | None" = None  # of a scheduled lesson


@dataclass(frozen=True, slots=True, kw_only=True)
class BusyRoom:
    """A room that a lesson needs, and the live lesson that has it."""

    room: Room
    lesson: Lesson
