"""Looks at the media of every live lesson once a second: what is said of each site, and its history.

A history is written every minute and at the lesson's end, so that a restart loses little of it.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

from controller.changes import ChangeKind
from controller.displays.report import DisplayReport
from controller.lessons.conductor import Conductor
from controller.nodes.bridges import Nodes
from controller.quality.history import SAMPLE_S, History, row
from controller.quality.verdict import NODE_LOST, Figures, Freezes, Recent, SiteQuality, Steady, figures, judge_all
from devices.changes import Changes
from rooms.errors import StoreUnavailable
from rooms.lesson import Lesson, LessonId, LessonState
from rooms.room import RoomId
from store import Store
from webrtc.shared.ids import ParticipantId
from webrtc.shared.state import BridgeState

logger = logging.getLogger(__name__)

LOOK_S = 1.0  # as often as a node reports at least
WRITE_S = 60.0
FORGET_S = 6 * 3600.0
MOST_UNWRITTEN = 64  # lessons that ended while the database was away


class _Site:
    """One room of a live lesson, from its first packet on."""

    def __init__(self, history: History, now: float) -> None:
        self.history = history
        self.seen: Figures | None = None
        self.recent = Recent()
        self._steady = Steady(now)
        self._freezes = Freezes()
        self._counted = 0  # freezes at the last row

    @property
    def shown(self) -> SiteQuality | None:
        return self._steady.shown

    def see(self, seen: Figures | None, now: float) -> None:
        self.seen, self.recent = seen, self._freezes.take(seen, now)

    def say(self, quality: SiteQuality, now: float) -> bool:
        """Whether something else is said now than before."""
        return self._steady.shown != self._steady.take(quality, now)

    def note(self, at: datetime) -> None:
        """Add a row to the history."""
        freezes = self.seen.freezes if self.seen else self._counted
        self.history.add(at, row(self.seen, self.shown, max(0, freezes - self._counted)))
        self._counted = freezes


class _Watched:
    """A live lesson. `earlier`: the histories from before our start, and of rooms that have left."""

    def __init__(self, lesson: Lesson, now: float) -> None:
        self.lesson = lesson
        self.sites: dict[RoomId, _Site] = {}
        self.earlier: dict[RoomId, History] | None = None
        self.note_at = now
        self.write_at = now + WRITE_S

    @property
    def histories(self) -> dict[RoomId, History]:
        return {**(self.earlier or {}), **{room_id: site.history for room_id, site in self.sites.items()}}

    def see_off(self) -> None:
        """Rooms that take part no more have a history, but nothing is said of them."""
        for room_id in self.sites.keys() - {each.room_id for each in self.lesson.accepted}:
            self.earlier = {**(self.earlier or {}), room_id: self.sites.pop(room_id).history}


class QualityWatch:
    """Its owner runs `run()` in a task. `said`: the last report of a room's display."""

    def __init__(
        self,
        *,
        store: Store,
        nodes: Nodes,
        conductor: Conductor,
        changes: Changes,
        said: Callable[[RoomId], DisplayReport | None],
        clock: Callable[[], datetime],
    ) -> None:
        self._store = store.quality
        self._nodes = nodes
        self._changes = changes
        self._said = said
        self._clock = clock
        self._clock_believed = conductor.clock_believed
        self._live: dict[LessonId, _Watched] = {}
        self._ended: deque[_Watched] = deque(maxlen=MOST_UNWRITTEN)
        conductor.on_follow(self._followed)

    def shown(self, lesson_id: LessonId, room_id: RoomId) -> SiteQuality | None:
        """What is said of a site now; None before its first picture and sound, and outside live lessons."""
        live = self._live.get(lesson_id)
        site = live.sites.get(room_id) if live else None
        return site.shown if site else None

    def all_shown(self) -> Iterator[SiteQuality]:
        """What is said of all sites of all live lessons."""
        for live in self._live.values():
            yield from (site.shown for site in live.sites.values() if site.shown is not None)

    def seen(self, lesson_id: LessonId) -> Mapping[RoomId, Figures]:
        """The figures of the sites that are connected now."""
        live = self._live.get(lesson_id)
        sites = live.sites if live else {}
        return {room_id: site.seen for room_id, site in sites.items() if site.seen is not None}

    async def histories(self, lesson_id: LessonId) -> Mapping[RoomId, History]:
        """By room; empty where nothing is known, or no longer. Raises `StoreUnavailable`."""
        if lesson_id in self._live:
            return self._live[lesson_id].histories
        for ended in self._ended:
            if ended.lesson.id == lesson_id:
                return ended.histories
        return {id: History.of(each) for id, each in (await self._store.get(lesson_id)).items()}

    async def run(self) -> None:
        """Look until cancelled; what was not yet written is written then."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._keep_looking(), name="look at the links of lessons")
            tasks.create_task(self._keep_writing(), name="write how the links were")

    async def _keep_looking(self) -> None:
        while True:
            for live in list(self._live.values()):
                await self._take_up(live)
                self._look(live, asyncio.get_running_loop().time())
            await asyncio.sleep(LOOK_S)

    async def _keep_writing(self) -> None:
        """In a task of its own: what is said of a link must not wait for a slow database."""
        loop = asyncio.get_running_loop()
        forget_at = loop.time()
        try:
            while True:
                now = loop.time()
                for live in list(self._live.values()):
                    if now >= live.write_at:
                        live.write_at = now + WRITE_S
                        await self._write(live)
                while self._ended and await self._write(self._ended[0]):
                    self._ended.popleft()
                if now >= forget_at and self._clock_believed():
                    forget_at = now + FORGET_S
                    await self._forget()
                await asyncio.sleep(LOOK_S)
        finally:
            for live in [*self._ended, *self._live.values()]:
                await self._write(live)

    def _followed(self, lesson: Lesson) -> None:
        live = self._live.get(lesson.id)
        if lesson.state is LessonState.LIVE:
            if live is None:
                self._live[lesson.id] = watched = _Watched(lesson, asyncio.get_running_loop().time())
                watched.earlier = next((each.histories for each in self._ended if each.lesson.id == lesson.id), None)
            else:
                live.lesson = lesson
                live.see_off()
        elif live is not None:
            self._ended.append(self._live.pop(lesson.id))

    # -- one lesson

    async def _take_up(self, live: _Watched) -> None:
        """Go on with what an earlier controller wrote."""
        if live.earlier is None:
            try:
                stored = await self._store.get(live.lesson.id)
                live.earlier = {id: History.of(each) for id, each in stored.items()}
            except StoreUnavailable as error:
                logger.warning("quality of lesson %s not read: %s", live.lesson.id, error)
                live.earlier = {}

    def _look(self, live: _Watched, now: float) -> None:
        id = live.lesson.id
        bridge = self._nodes.state(id)
        self._see(live, bridge, now)
        if bridge is None:
            said = dict.fromkeys((ParticipantId(room_id) for room_id in live.sites), NODE_LOST)
        else:
            observed = {ParticipantId(room_id): (site.seen, site.recent) for room_id, site in live.sites.items()}
            said = dict(judge_all(observed, node_cpu=self._nodes.cpu(id)))
        # All are told, so no shortcut: each site has to hear what is said of it.
        changed = [site.say(said[ParticipantId(room_id)], now) for room_id, site in live.sites.items()]
        due = now >= live.note_at
        if due:
            live.note_at = max(live.note_at, now - SAMPLE_S) + SAMPLE_S  # after a stall: from now on
        if due or any(changed):
            at = self._clock()
            for site in live.sites.values():
                site.note(at)
        if any(changed):
            self._changes.publish(ChangeKind.LESSON, id)

    def _see(self, live: _Watched, bridge: BridgeState | None, now: float) -> None:
        here = {each.id: each for each in bridge.participants} if bridge else {}
        for each in live.lesson.accepted:
            participant = here.get(ParticipantId(each.room_id))
            site = live.sites.get(each.room_id)
            report = self._said(each.room_id)
            wanted = {"muted": each.muted, "camera_off": each.camera_off}
            seen = None if participant is None else figures(participant, report, **wanted)
            if site is None and seen is not None:
                history = (live.earlier or {}).get(each.room_id) or History(self._clock())
                site = live.sites[each.room_id] = _Site(history, now)
            if site is not None:
                site.see(seen, now)

    async def _write(self, live: _Watched) -> bool:
        """Whether the lesson need not be written again for now."""
        try:
            histories = {id: each.stored() for id, each in live.histories.items()}
            await self._store.put(live.lesson.id, histories, self._clock())
        except StoreUnavailable as error:
            logger.warning("quality of lesson %s not written: %s", live.lesson.id, error)
            return False
        return True

    async def _forget(self) -> None:
        try:
            await self._store.forget(self._clock())
        except StoreUnavailable as error:
            logger.warning("quality of old lessons not deleted: %s", error)
