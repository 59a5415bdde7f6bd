"""What goes over the WebSockets, in both directions; the served document has all of it.

What we send is a frozen dataclass with its `type`. What comes in is checked against `FROM_PAGE` or `FROM_DISPLAY`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, StrictBool, TypeAdapter

from controller.displays.call import DisplayState
from controller.displays.report import DisplayReport
from controller.schema import Key, Model
from controller.views.device_json import DeviceJson
from controller.views.lesson_json import LessonJson
from controller.views.room_json import RoomJson
from controller.views.watching import WatchSlots

# --- to pages and displays ---


@dataclass(frozen=True, slots=True, kw_only=True)
class Pong:
    """The answer to `Ping`; displays are sent one every 1.5 s in any case."""

    type: Literal["pong"] = "pong"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A message that was not understood, or what a display asked for and cannot have. Three not understood: we close.

    `code`: of a problem (`/problems/…`), "later", or what is wrong with the message itself; `detail` says where.
    """

    type: Literal["error"] = "error"
    code: str
    detail: str = ""


# --- to pages ---


@dataclass(frozen=True, slots=True, kw_only=True)
class Hello:
    """The first message; `time`: the controller's. What changed before is read by HTTP."""

    type: Literal["hello"] = "hello"
    time: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LessonChanged:
    type: Literal["lesson"] = "lesson"
    lesson: LessonJson


@dataclass(frozen=True, slots=True, kw_only=True)
class LessonRemoved:
    """It is gone, or may no longer be seen."""

    type: Literal["lesson_removed"] = "lesson_removed"
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceChanged:
    type: Literal["device"] = "device"
    device: DeviceJson


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceRemoved:
    type: Literal["device_removed"] = "device_removed"
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomChanged:
    type: Literal["room"] = "room"
    room: RoomJson


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomRemoved:
    type: Literal["room_removed"] = "room_removed"
    id: str


Removed = LessonRemoved | DeviceRemoved | RoomRemoved
ToPage = Annotated[
    Hello | LessonChanged | DeviceChanged | RoomChanged | Removed | WatchSlots | Pong | Refusal,
    Field(discriminator="type"),
]

# --- to displays ---


@dataclass(frozen=True, slots=True, kw_only=True)
class PairingCode:
    """What an unpaired display shows; a technician types it in."""

    type: Literal["pairing"] = "pairing"
    code: str
    expires: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Paired:
    """The display has a room. `token`: to be exchanged for its cookie at `POST /display/credential`."""

    type: Literal["paired"] = "paired"
    token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallChange:
    """What is another in the call of the last state: some of the fields of `DisplayCall`."""

    type: Literal["call"] = "call"
    call: Mapping[str, object]


ToDisplay = Annotated[
    PairingCode | Paired | DisplayState | CallChange | Pong | Refusal,
    Field(discriminator="type"),
]

# --- from pages and displays ---


class Ping(Model):
    """Somebody is there; the answer is `Pong`."""

    type: Literal["ping"]


class DisplaySending(Model):
    """What a room's display is to send in this lesson, as somebody in the room wants it. Left out: as it is."""

    type: Literal["sending"]
    lesson: Key
    muted: StrictBool | None = None
    camera_off: StrictBool | None = None


class DisplayPart(Model):
    """Whether the room takes part in this lesson, as somebody in the room wants it."""

    type: Literal["part"]
    lesson: Key
    present: StrictBool


FromPage = Ping
FromDisplay = Ping | DisplayReport | DisplaySending | DisplayPart
FROM_PAGE: TypeAdapter[FromPage] = TypeAdapter(FromPage)
FROM_DISPLAY: TypeAdapter[FromDisplay] = TypeAdapter(Annotated[FromDisplay, Field(discriminator="type")])
TO_PAGE: TypeAdapter[object] = TypeAdapter(ToPage)
TO_DISPLAY: TypeAdapter[object] = TypeAdapter(ToDisplay)
