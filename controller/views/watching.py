"""A person's own view of a live lesson: what it plays, as pages are sent it."""

from dataclasses import dataclass
from typing import Literal

from controller.displays.media_tokens import MediaGrant
from controller.nodes.bridge_report import Received
from rooms.lesson import LessonId


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchGrant:
    """A teacher's own view of a live lesson: play only. `video`, `audio`: receive slots to offer."""

    whep: MediaGrant
    epoch: str
    video: int
    audio: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchSlots(Received):
    """Whose track each slot of one watch connection carries at present. `view`: which of the login's it is."""

    type: Literal["watch"] = "watch"
    lesson: LessonId
    view: str
    epoch: str
