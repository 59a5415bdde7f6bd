"""What people and displays are shown, as typed values: made by services, rendered by `controller/web/render.py`.

No I/O here and no JSON; times are aware UTC.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from devices.device import CommandState, DeviceId, PropertyName, Value
from rooms.floor import Mode
from rooms.lesson import Lesson, LessonId
from rooms.room import DisplayId, Room, RoomId
from rooms.scene import Importance, StepId, StepState
from rooms.school import Organisation
from webrtc.shared.state import Flow


@dataclass(frozen=True, slots=True, kw_only=True)
class StepView:
    """One step of a scene on its way, with the device it is for and what that device says now."""

    id: StepId
    device_id: DeviceId
    device_name: str  # "" where the device is no longer known
    device_type: str
    property: PropertyName
    value: Value
    importance: Importance
    state: StepState
    lost: bool = False  # it succeeded, and since then its device cannot be reached
    code: str  # why it failed, "" otherwise
    since: datetime
    deadline: timedelta
    reported: Value | None  # what the device has said since the command, None if nothing
    unit: str = ""  # of both values
    command: CommandState | None = None  # how far the command is, while the step runs
    because: StepId | None = None  # the first step that it needs and that has not succeeded


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneView:
    """A scene that was applied, step by step."""

    room_id: RoomId
    name: str
    steps: tuple[StepView, ...]


class SiteDevices(StrEnum):
    """What a site's devices are doing for the lesson, derived from their steps."""

    IDLE = "idle"
    PREPARING = "preparing"
    READY = "ready"
    DEGRADED = "degraded"  # held without something useful
    FAILED = "failed"  # something essential is missing


class SiteDisplay(StrEnum):
    """How far a site's display has come."""

    ABSENT = "absent"
    CONNECTED = "connected"
    JOINING = "joining"
    JOINED = "joined"


class Camera(StrEnum):
    """What a display page says of its camera and microphone."""

    UNKNOWN = "unknown"
    OK = "ok"
    DENIED = "denied"
    MISSING = "missing"


class SiteLink(StrEnum):
    """How well a site's media arrive."""

    NONE = "none"
    GOOD = "good"
    WEAK = "weak"
    LOST = "lost"


class Word(StrEnum):
    """How the lesson is for a site, in one word for the teacher."""

    GOOD = "good"
    WEAK = "weak"
    LOST = "lost"


class Cause(StrEnum):
    """Why it is not good. Uplink: from the site to the bridge."""

    NONE = "none"
    NOT_CONNECTED = "not_connected"  # nothing heard from the site, or it receives nothing
    SILENT = "silent"  # connected, and sends neither picture nor sound
    CAMERA = "camera"  # sends sound, and no picture
    MICROPHONE = "microphone"  # sends a picture, and no sound
    UPLINK_LOSS = "uplink_loss"
    UPLINK_SLOW = "uplink_slow"
    DOWNLINK_LOSS = "downlink_loss"
    DOWNLINK_SLOW = "downlink_slow"
    CPU = "cpu"  # its machine cannot encode or decode all of it
    ROUND_TRIP = "round_trip"
    JITTER = "jitter"
    NODE = "node"


class Side(StrEnum):
    """Where the cause is to be looked for."""

    NONE = "none"
    SITE = "site"
    BRIDGE = "bridge"
    OTHERS = "others"  # what the site receives comes badly from where it is sent


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteQuality:
    """What is said of a site: the word, and for all but good ones the cause and its side."""

    word: Word = Word.GOOD
    cause: Cause = Cause.NONE
    side: Side = Side.NONE


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteMedia:
    """What the bridge node says of a site: is its picture and sound flowing, does it receive the others.

    `on_stage`: large for at least half of the other rooms; `heard`: sent to one of them at least. `sharing`: which of
    its clients' screens is shared (`ScreenGrant.client`).
    """

    video: bool = False
    audio: bool = False
    receiving: bool = False
    link: SiteLink = SiteLink.NONE
    speaking: bool = False
    on_stage: bool = False
    heard: bool = False
    sharing: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteProblem:
    """One thing that is missing at a site; `code` is stable, the page has the words for it."""

    code: str
    importance: Importance
    device: str | None = None  # the device's name


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


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaGrant:
    """Where to publish or play, and the short-lived token for it. The URL is a path on the controller's own address."""

    url: str
    token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ScreenGrant(MediaGrant):
    """To share a screen of a room, over a connection of its own.

    `client`: what the share is known by (`sharing`); `epoch`: of the bridge that it is for.
    """

    client: str
    epoch: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRoom:
    """A room that takes part in a display's call. `here`: something connects it with the bridge.

    `muted`, `camera_off`: its own school keeps its sound, its picture from the others.
    """

    room: Room
    school: Organisation
    here: bool
    muted: bool = False
    camera_off: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotView:
    """What one receive slot carries."""

    room_id: RoomId | None = None
    flow: Flow = Flow.NONE
    slides: bool = False  # a shared screen, not the room's camera


@dataclass(frozen=True, slots=True, kw_only=True)
class CallView:
    """What a display shall be in. A change of (lesson_id, epoch) means: leave and join anew."""

    lesson_id: LessonId
    title: str
    epoch: str
    spread_s: float  # the bridge before goes on: displays go over within this time, each when it likes
    whip: MediaGrant
    whep: MediaGrant
    screen: ScreenGrant
    sharing: str | None  # which client's screen this room shares
    video: int  # receive slots to offer: the stage, then thumbnails
    audio: int
    rooms: tuple[CallRoom, ...]  # the other rooms
    slots: Mapping[str, SlotView]  # by mid of the WHEP connection
    layers: Mapping[str, bool]  # by rid: whether anybody is sent that layer of this display's camera
    mode: Mode
    floor: RoomId | None  # which room has it
    speaking: RoomId | None  # which room speaks now
    muted: bool = False  # the display sends no sound
    camera_off: bool = False  # nor a picture of the room
    may_leave: bool = False  # by the display itself


@dataclass(frozen=True, slots=True, kw_only=True)
class NextLesson:
    """The lesson a display waits for."""

    title: str
    start: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AskingLesson:
    """A live lesson that the room does not take part in: nobody has answered yet, or the display left it."""

    lesson_id: LessonId
    title: str
    host: str
    stepped_out: bool
    reminded_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DisplayState:
    """Everything a paired display shall show and do, sent whole at each change."""

    display_id: DisplayId
    room: Room
    school: Organisation
    next: NextLesson | None = None
    asking: AskingLesson | None = None
    call: CallView | None = None


class SendLimit(StrEnum):
    """Why a display's browser sends a smaller picture than it could (qualityLimitationReason of webrtc-stats)."""

    NONE = "none"
    CPU = "cpu"
    BANDWIDTH = "bandwidth"


@dataclass(frozen=True, slots=True, kw_only=True)
class DisplayReport:
    """What a display page says of itself, every 2 s and at each change."""

    joined: bool
    camera: Camera
    publishing: bool
    playing: int  # elements that show a moving picture
    frames_decoded: int  # since the page joined
    audio_energy: float  # WebRTC's totalAudioEnergy, summed over the received tracks
    weak: bool
    send_round_trip_ms: float | None = None  # None before the node has said it (RTCP receiver reports)
    send_loss: float | None = None  # lost on the way to the node, 0 to 1
    limited: SendLimit = SendLimit.NONE
    freezes: int = 0  # of all received pictures, since the page joined
    concealed: float = 0.0  # share of the sound that was made up by the decoder of late, 0 to 1
    cpu_slow: bool = False  # the machine cannot decode all that it was sent: the page has asked for less


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchGrant:
    """A teacher's own view of a live lesson: play only."""

    whep: MediaGrant
    epoch: str
    video: int
    audio: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchSlots:
    """Whose track each slot of one watch connection carries at present. `view`: which of the login's it is."""

    lesson_id: LessonId
    view: str
    epoch: str
    slots: Mapping[str, SlotView]
