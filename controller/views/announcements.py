"""Announces what changed of what pages and displays are shown; each then asks for what it shows.

Pages learn of a followed lesson from the conductor itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from controller.changes import ChangeKind
from controller.displays.presence import Displays
from controller.lessons.conductor import Conductor
from controller.lessons.lesson_run import Plan
from controller.nodes.bridge_report import (
    Received,
    SiteMedia,
    bridge_slots,
    moving_media,
    present_rooms,
    shared_screens,
    speaking_room,
    wanted_layers,
)
from controller.nodes.bridges import Nodes
from devices.changes import Changes
from rooms.lesson import Lesson, LessonId, LessonState
from rooms.room import RoomId


@dataclass(frozen=True, slots=True, kw_only=True)
class _Media:
    """What is told of a lesson's bridge. `common`: what all displays show; the rest is by (participant, client)."""

    sites: list[SiteMedia]
    common: object
    slots: Mapping[tuple[str, str], Received]
    layers: Mapping[tuple[str, str], Mapping[str, bool]]

    def of(self, here: tuple[str, str]) -> object:
        """What that display has to know."""
        return self.common, self.slots.get(here), self.layers.get(here)


class Announcements:
    """Of lessons and their bridges."""

    def __init__(self, *, nodes: Nodes, conductor: Conductor, displays: Displays, changes: Changes) -> None:
        self._nodes = nodes
        self._displays = displays
        self._changes = changes
        self._media: dict[LessonId, _Media] = {}  # as it was last announced
        conductor.on_follow(self._followed)
        conductor.on_bridge_change(self._bridge_changed)

    def _followed(self, lesson: Lesson) -> None:
        """Its displays may be called, sent away, or due for new tokens."""
        if lesson.state is not LessonState.LIVE:
            self._media.pop(lesson.id, None)
        for site in lesson.sites:
            for display_id in self._displays.in_room(site.room_id):
                self._changes.publish(ChangeKind.DISPLAY, display_id)

    def _bridge_changed(self, plan: Plan) -> None:
        """Nodes report every second; what nobody can see of that is not told, and displays hear of their own only."""
        lesson = plan.lesson
        bridges = self._nodes.states(lesson.id)
        state, present = bridges[0], present_rooms(*bridges)
        now = _Media(
            sites=[moving_media(bridges, site.room_id) for site in lesson.accepted],
            common=(self._nodes.epoch(lesson.id), present, speaking_room(state), shared_screens(state)),
            slots=bridge_slots(state),
            layers=wanted_layers(state),
        )
        known = self._media.get(lesson.id)
        if now == known:
            return
        self._media[lesson.id] = now
        self._changes.publish(ChangeKind.LESSON, lesson.id)
        if known is None or (now.common, now.slots) != (known.common, known.slots):
            self._changes.publish(ChangeKind.WATCH, lesson.id)
        for site in lesson.accepted:
            for display_id in self._displays.in_room(site.room_id):
                if known is None or now.of((site.room_id, display_id)) != known.of((site.room_id, display_id)):
                    self._changes.publish(ChangeKind.CALL, display_id)


def announce_room(room_id: RoomId, *, conductor: Conductor, changes: Changes) -> None:
    """A display of this room came, went or said something new; its displays hear of their room, too."""
    changes.publish(ChangeKind.ROOM, room_id)
    plan = conductor.plan_in(room_id)
    if plan is not None:
        changes.publish(ChangeKind.LESSON, plan.lesson.id)
