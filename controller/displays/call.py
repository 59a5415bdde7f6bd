"""What a paired display shall show and do. Values only."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from controller.displays.media_tokens import MediaGrant, ScreenGrant
from controller.nodes.bridge_report import SlotView
from rooms.floor import Mode
from rooms.lesson import LessonId
from rooms.room import DisplayId, Room, RoomId
from rooms.school import Organisation


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
class DisplayCall:
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
    call: DisplayCall | None = None
