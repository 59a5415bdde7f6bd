"""People's own connections to live lessons: what a teacher watches, and the screens that are shared from elsewhere."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from controller.displays.media_tokens import MOST_VOICES, Grants, MediaGrant, ScreenGrant
from controller.lessons.audience import Guest, guests_in
from controller.lessons.conductor import Conductor
from controller.nodes.bridge_report import Received, bridge_slots, viewer
from controller.nodes.bridges import Nodes
from rooms.errors import InvalidState
from rooms.lesson import Lesson, LessonId, LessonState
from rooms.room import RoomId

MOST_WATCHED = 21  # pictures of a teacher's own view, all of them small
WATCHING = timedelta(minutes=10)
"""A view that is not asked for again for so long is closed: its token has ended, and pages renew theirs sooner."""


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


class _Watcher(NamedTuple):
    """One view of a login: each window has its own."""

    participant: str
    login: str
    view: str

    @property
    def client(self) -> str:
        return f"{self.login}-{self.view}"


class Watching:
    """Gives people their connections, and knows who has asked for one of late."""

    def __init__(self, *, nodes: Nodes, grants: Grants, conductor: Conductor, clock: Callable[[], datetime]) -> None:
        self._nodes = nodes
        self._grants = grants
        self._clock = clock
        self._watchers: dict[LessonId, dict[_Watcher, datetime]] = {}  # of live lessons: who asked for a view, and when
        self._sharers: dict[LessonId, dict[Guest, datetime]] = {}  # the same, of their screens
        conductor.on_follow(self._followed)

    def watch(self, lesson: Lesson, account_id: str, login: str, view: str, *, known: datetime) -> WatchGrant:
        """A teacher's own view; asked again, a younger token for the same. `known`: since when that may be given.

        Raises `InvalidState` where the lesson is not live or has no bridge yet.
        """
        lesson_id, epoch = lesson.id, self._epoch(lesson)
        watcher = _Watcher(viewer(account_id), login, view)
        grant = self._grants.play(lesson_id, watcher.participant, watcher.client, known)
        count = len(lesson.accepted)  # and one slot for a shared screen
        now, asked = self._clock(), self._watchers.get(lesson_id, {})
        self._watchers[lesson_id] = {each: at for each, at in asked.items() if now - at < WATCHING} | {watcher: now}
        return WatchGrant(whep=grant, epoch=epoch, video=min(count + 1, MOST_WATCHED), audio=min(count, MOST_VOICES))

    def screen(self, lesson: Lesson, room_id: RoomId, device: str, *, known: datetime) -> ScreenGrant:
        """To share a screen as the room's, from a device that is no display of it. Raises as `watch`."""
        lesson_id, epoch = lesson.id, self._epoch(lesson)
        grant = self._grants.screen(lesson_id, room_id, device, epoch, known)
        now, asked = self._clock(), self._sharers.get(lesson_id, {})
        sharer = Guest(room_id, grant.client)
        self._sharers[lesson_id] = {each: at for each, at in asked.items() if now - at < WATCHING} | {sharer: now}
        return grant

    def guests(self, lesson_id: LessonId) -> set[Guest]:
        """People with a connection of their own to a live lesson, or a token for one."""
        watchers = {Guest(each.participant, each.client) for each in self._watchers.get(lesson_id, ())}
        there = [guests_in(bridge) for bridge in self._nodes.states(lesson_id)]
        return watchers.union(self._sharers.get(lesson_id, ()), *there)

    def slots(self, lesson_id: LessonId, account_id: str, login: str) -> list[WatchSlots]:
        """Whose track each slot carries, for each view that the login has asked for of late."""
        epoch = self._nodes.epoch(lesson_id)
        if epoch is None:
            return []
        slots = bridge_slots(self._nodes.state(lesson_id))
        return [
            WatchSlots(
                lesson=lesson_id,
                view=each.view,
                epoch=epoch,
                slots=received.slots,
                flows=received.flows,
                slides=received.slides,
            )
            for each in self._watchers.get(lesson_id, ())
            for received in [slots.get((each.participant, each.client), Received())]
            if (each.participant, each.login) == (viewer(account_id), login)
        ]

    def _epoch(self, lesson: Lesson) -> str:
        epoch = self._nodes.epoch(lesson.id)
        if lesson.state is not LessonState.LIVE or epoch is None:
            raise InvalidState(f"lesson {lesson.id} has no bridge now")
        return epoch

    def _followed(self, lesson: Lesson) -> None:
        if lesson.state is not LessonState.LIVE:
            self._watchers.pop(lesson.id, None)
            self._sharers.pop(lesson.id, None)
