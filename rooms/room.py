"""Rooms, and the displays that stand in them."""

from dataclasses import dataclass
from datetime import datetime
from typing import NewType

from rooms import checks
from rooms.school import SchoolId

RoomId = NewType("RoomId", str)
DisplayId = NewType("DisplayId", str)


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """A physical classroom of one school. `version` counts its edits, from 1."""

    id: RoomId
    school_id: SchoolId
    name: str
    version: int = 1

    def __post_init__(self) -> None:
        checks.key(self.id, "room id")
        checks.slug(self.school_id, "school id")
        checks.text(self.name, "room name", at_most=100)


@dataclass(frozen=True, slots=True, kw_only=True)
class Display:
    """The browser on a room's PC or panel, paired to the room once."""

    id: DisplayId
    room_id: RoomId
    name: str
    paired_at: datetime  # aware, UTC
    last_seen: datetime | None = None  # aware, UTC; None: never since it was paired

    def __post_init__(self) -> None:
        checks.key(self.id, "display id")
        checks.text(self.name, "display name", at_most=100)
        checks.utc(self.paired_at, "paired_at")
        if self.last_seen is not None:
            checks.utc(self.last_seen, "last_seen")
