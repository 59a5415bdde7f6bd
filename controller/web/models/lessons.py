"""JSON of lessons and their sites."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import Field, StrictBool

from controller.displays.report import Camera, SiteDisplay
from controller.quality.verdict import Cause, Side, Word
from controller.views.readiness import SiteDevices
from controller.nodes.bridge_report import SiteLink
from controller.web.models.people import NamedJson, SchoolJson
from controller.web.models.scenes import StepJson
from controller.web.models.paging import PageJson, SearchQuery
from controller.schema import Count, Key, Model, Moment, OptionalText, Slug, Text
from rooms.floor import FLOOR_LENGTH, LONGEST_FLOOR, SHORTEST_FLOOR, Mode
from rooms.invitation import InvitationState
from rooms.lesson import MAX_SITES, EndReason, LessonKind, LessonState
from rooms.scene import Importance

RoomKeys = Annotated[list[Key], Field(min_length=1, max_length=MAX_SITES)]
FloorSeconds = Annotated[Count, Field(ge=int(SHORTEST_FLOOR.total_seconds()), le=int(LONGEST_FLOOR.total_seconds()))]


class SiteDevicesJson(Model):
    state: SiteDevices
    steps: list[StepJson]


class SiteDisplayJson(Model):
    state: SiteDisplay
    camera: Camera


class SiteMediaJson(Model):
    video: bool
    audio: bool
    receiving: bool
    link: SiteLink
    speaking: bool
    on_stage: bool
    heard: bool
    sharing: str | None


class SiteQualityJson(Model):
    """`side`: where the cause is: at the site, the bridge, or the others that it receives."""

    word: Word
    cause: Cause
    side: Side


class SiteProblemJson(Model):
    code: str
    importance: Importance
    device: str | None


class SiteJson(Model):
    """`own`: the account may answer for this room, and decide what it sends. `muted`, `camera_off`: what was decided."""

    room: NamedJson
    school: SchoolJson
    invitation: InvitationState
    reminded_at: datetime | None
    own: bool
    muted: bool
    camera_off: bool
    ready: bool
    devices: SiteDevicesJson
    display: SiteDisplayJson
    media: SiteMediaJson
    quality: SiteQualityJson | None
    problems: list[SiteProblemJson]


class StartBlockCode(StrEnum):
    """Why the account cannot start a scheduled lesson now; the first of these that holds."""

    NOT_YOURS = "not_yours"  # the host's people start it
    NO_ROLE = "no_role"  # `who` of the host's people start it
    TOO_EARLY = "too_early"  # before `at`
    TOO_LATE = "too_late"
    NO_ROOM = "no_room"  # no room has accepted
    ROOM_BUSY = "room_busy"  # `lesson` has `room`


class StartBlockJson(Model):
    """`who`: names of people of the account's own school, some of `count`. `lesson`: its title where it may be seen."""

    code: StartBlockCode
    who: list[str] = []
    count: int = 0
    at: datetime | None = None
    room: str | None = None
    lesson: str | None = None


class CanJson(Model):
    """`share`: the room whose screen may be shared now. `resume`: until when the lesson may be resumed.

    `start_block`: why a scheduled lesson cannot be started; null where it can, and of other lessons.
    """

    start: bool
    start_block: StartBlockJson | None
    end: bool
    resume: datetime | None
    share: str | None
    diagnose: bool


class FloorJson(Model):
    room: str
    until: datetime


class LessonJson(Model):
    """`epoch`: of its bridge; another one: it goes on at another bridge; null: it has none."""

    id: str
    title: str
    subject: str
    kind: LessonKind
    state: LessonState
    start: datetime
    end: datetime
    started_at: datetime | None
    ended_at: datetime | None
    end_reason: EndReason
    version: int
    host: NamedJson
    can: CanJson
    mode: Mode
    floor: FloorJson | None
    epoch: str | None
    sites: list[SiteJson]


class LessonsQuery(SearchQuery):
    from_: Annotated[Moment | None, Field(alias="from")] = None
    to: Moment | None = None


class LessonsJson(PageJson):
    lessons: list[LessonJson]


class NewLessonJson(Model):
    title: Text
    subject: OptionalText = ""
    kind: LessonKind = LessonKind.LESSON
    host: Slug
    start: Moment
    end: Moment
    rooms: RoomKeys


class LessonEditJson(Model):
    """What is left out stays as it is."""

    title: Text | None = None
    subject: OptionalText | None = None
    kind: LessonKind | None = None
    start: Moment | None = None
    end: Moment | None = None
    rooms: RoomKeys | None = None


class ModeJson(Model):
    mode: Mode


class SendingJson(Model):
    """What is left out stays as it is."""

    muted: StrictBool | None = None
    camera_off: StrictBool | None = None


class FloorGrantJson(Model):
    """`room`: null takes the floor back. `seconds`: from now on."""

    room: Key | None
    seconds: FloorSeconds = int(FLOOR_LENGTH.total_seconds())


class GrantJson(Model):
    url: str
    token: str


class ScreenGrantJson(GrantJson):
    """`client`: what the share is known by in `sharing` of a site. `epoch`: of the bridge that it is for."""

    client: str
    epoch: str


class ScreenJson(Model):
    """`share`: names one share among all of this login, the same as long as it lasts."""

    share: Slug


class ViewJson(Model):
    """`view`: names one among all of this login, as each window has its own."""

    view: Slug


class WatchJson(Model):
    whep: GrantJson
    epoch: str
    video: int
    audio: int
