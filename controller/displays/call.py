"""What a paired display shall show and do, as it is sent to its page."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from controller.displays.media_tokens import MediaGrant, ScreenGrant
from controller.nodes.bridge_report import Received
from controller.schema import NamedJson, SchoolJson
from rooms.floor import Mode
from rooms.lesson import LessonId
from rooms.room import DisplayId, RoomId


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRoom:
    """A room that takes part in a display's call. `here`: something connects it with the bridge.

    `school`, `province`: names. `muted`, `camera_off`: its own school keeps its sound, its picture from the others.
    """

    id: RoomId
    name: str
    school: str
    province: str
    here: bool
    muted: bool = False
    camera_off: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DisplayCall(Received):
    """What a display shall be in. A change of (lesson, epoch) means: leave, and join again.

    `spread_ms`: the bridge before goes on for a while, and displays go over within this time, each when it likes; 0:
    at once. `sharing`: which client's screen this room shares. `video`, `audio`: receive slots to offer; the first of
    `video` is the stage. `rooms`: the other rooms. `layers`: by rid, whether anybody is sent that layer of this
    display's camera. `floor`: which room has it; `speaking`: which room speaks now. `muted`, `camera_off`: what the
    display does not send. `may_leave`: the room may leave by this display.
    """

    lesson: LessonId
    title: str
    epoch: str
    spread_ms: int
    whip: MediaGrant
    whep: MediaGrant
    screen: ScreenGrant
    sharing: str | None
    video: int
    audio: int
    rooms: tuple[CallRoom, ...]
    layers: Mapping[str, bool]
    mode: Mode
    floor: RoomId | None
    speaking: RoomId | None
    muted: bool = False
    camera_off: bool = False
    may_leave: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NextLesson:
    """The lesson a display waits for."""

    title: str
    start: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AskingLesson:
    """A live lesson that the room does not take part in: nobody has answered yet, or the display left it.

    `host`: the school's name. `stepped_out`: the room left by its display, and may come back by it.
    """

    lesson: LessonId
    title: str
    host: str
    stepped_out: bool
    reminded_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DisplayState:
    """Everything a paired display shall show and do. `time`: the controller's when it was read."""

    type: Literal["state"] = "state"
    time: datetime
    display: DisplayId
    room: NamedJson
    school: SchoolJson
    next: NextLesson | None = None
    asking: AskingLesson | None = None
    call: DisplayCall | None = None
