"""A person's own view of a live lesson: what it plays. Values only."""

from collections.abc import Mapping
from dataclasses import dataclass

from controller.displays.media_tokens import MediaGrant
from controller.nodes.bridge_report import SlotView
from rooms.lesson import LessonId


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
