"""The floor of a live lesson: who may be heard, and which room the teacher has called on."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from rooms import checks
from rooms.room import RoomId

FLOOR_LENGTH = timedelta(minutes=3)
"""How long a room has the floor unless the teacher says otherwise."""
SHORTEST_FLOOR = timedelta(seconds=5)
LONGEST_FLOOR = timedelta(minutes=30)


class Mode(StrEnum):
    """Who is heard, and who is large for the others."""

    TEACHER = "teacher"  # the host speaks to all
    CALLED = "called"  # the host and the room that has the floor
    DISCUSSION = "discussion"  # everybody; whoever speaks is large


@dataclass(frozen=True, slots=True, kw_only=True)
class Floor:
    """A lease: the room is heard, and large for all others, until it ends or the teacher takes it back."""

    room_id: RoomId
    until: datetime  # aware, UTC; the first moment without

    def __post_init__(self) -> None:
        checks.utc(self.until, "the end of a floor")
