"""A room as pages are sent it, with everything in it. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from controller.schema import PageJson, SchoolJson
from controller.views.device_json import DeviceJson
from rooms.lesson import LessonId
from rooms.room import Display, DisplayId, Room, RoomId


@dataclass(frozen=True, slots=True, kw_only=True)
class DisplayJson:
    """A display that is paired to the room. `connected`: its page is open."""

    id: DisplayId
    name: str
    paired_at: datetime
    last_seen: datetime | None
    connected: bool

    @classmethod
    def of(cls, each: Display, *, connected: bool) -> "DisplayJson":
        return cls(id=each.id, name=each.name, paired_at=each.paired_at, last_seen=each.last_seen, connected=connected)


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomJson:
    """`scenes`: their names. `in_use_by`: the live lesson that has the room."""

    id: RoomId
    name: str
    version: int
    school: SchoolJson
    devices: list[DeviceJson]
    displays: list[DisplayJson]
    scenes: list[str]
    in_use_by: LessonId | None

    @classmethod
    def of(
        cls,
        each: Room,
        school: SchoolJson,
        *,
        devices: Iterable[DeviceJson],
        displays: Iterable[DisplayJson],
        scenes: Iterable[str],
        in_use_by: LessonId | None,
    ) -> "RoomJson":
        return cls(
            id=each.id,
            name=each.name,
            version=each.version,
            school=school,
            devices=list(devices),
            displays=list(displays),
            scenes=list(scenes),
            in_use_by=in_use_by,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomsJson(PageJson):
    rooms: list[RoomJson]
