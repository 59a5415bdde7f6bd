"""Changes on their way to pages: each goes to the pages of the organisations that may see it, and wakes no other.

A page waits at the organisations where its account has roles. A thing is of schools, and a change of it goes to each of
them and to the departments above: some steps, however many pages and schools there are.
"""

import logging
from collections import OrderedDict
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager

from aiohttp import web

from controller.changes import ChangeKind
from controller.web.shared_reads import PageReads
from devices.changes import PENDING_LIMIT, Change, Changes, Subscription
from devices.device import DeviceId
from devices.hub import DeviceHub
from rooms.errors import LessonNotFound, RoomNotFound, RoomsError
from rooms.lesson import Lesson, LessonId
from rooms.organisation_tree import OrganisationTree
from rooms.people.rights import SEES_NOTHING
from rooms.school import OrganisationId

logger = logging.getLogger(__name__)

REMEMBERED = 16_384
"""Lessons of which it is known who was shown them."""
GATHER_S = 0.1
"""A tap changes its lesson several times in a moment, each to be read and sent; pages are sent the last."""
TO_BE_READ = (ChangeKind.LESSON, ChangeKind.ROOM, ChangeKind.WATCH)


def audience(lesson: Lesson) -> frozenset[OrganisationId]:
    """The schools whose people see the lesson."""
    guests = (site.school_id for site in lesson.sites if site.invitation not in SEES_NOTHING)
    return frozenset({OrganisationId(lesson.host_school_id), *guests})


class PageChanges:
    """Its owner runs `run()` in a task."""

    def __init__(self, changes: Changes, hub: DeviceHub, tree: OrganisationTree, reads: PageReads) -> None:
        self._changes = changes
        self._hub = hub
        self._tree = tree
        self._reads = reads
        self._pages: dict[OrganisationId, dict[Subscription, None]] = {}  # none that is empty
        self._shown: OrderedDict[LessonId, frozenset[OrganisationId]] = OrderedDict()
        changes.on_publish(self._device_changed, ChangeKind.DEVICE)

    @contextmanager
    def subscribe(self, homes: Collection[OrganisationId]) -> Iterator[Subscription]:
        """Changes that people with roles at `homes` may see, until the `with` block ends."""
        page = Subscription(limit=PENDING_LIMIT)
        for home in homes:
            self._pages.setdefault(home, {})[page] = None
        try:
            yield page
        finally:
            for home in homes:
                del self._pages[home][page]
                if not self._pages[home]:
                    del self._pages[home]

    def shown(self, lessons: Iterable[Lesson]) -> None:
        """Pages have been given these. Should a lesson be another school's alone later, they hear that it is gone."""
        for each in lessons:
            self._shown[each.id] = audience(each)
            self._shown.move_to_end(each.id)
        while len(self._shown) > REMEMBERED:
            self._shown.popitem(last=False)

    async def run(self) -> None:
        """Until cancelled. What belongs to whom is read here, once; pages then find it read."""
        while True:
            with self._changes.subscribe(*TO_BE_READ) as changes:
                async for batch in changes.batches(GATHER_S):
                    for change in batch if self._pages else ():
                        await self._pass_on(change)
            self._close_all()  # too many came at once: pages read everything again

    def _device_changed(self, change: Change) -> None:
        """Devices report often, and whose they are is known without reading."""
        if self._pages:
            school = self._hub.school_of(DeviceId(change.id))
            if school is not None:
                self._send(change, {OrganisationId(school)})

    async def _pass_on(self, change: Change) -> None:
        try:
            match change.kind:
                case ChangeKind.ROOM:
                    room = await self._reads.room(change)
                    self._send(change, {OrganisationId(room.school_id)})
                case ChangeKind.WATCH if LessonId(change.id) in self._shown:
                    self._send(change, self._shown[LessonId(change.id)])
                case _:
                    await self._lesson_changed(change)
        except (LessonNotFound, RoomNotFound):
            return
        except RoomsError as error:
            logger.warning("pages read everything again: %s %s not read: %s", change.kind, change.id, error)
            self._close_all()

    async def _lesson_changed(self, change: Change) -> None:
        id = LessonId(change.id)
        lesson = (await self._reads.lesson(Change(ChangeKind.LESSON, id))).view.lesson
        before = self._shown.get(id, frozenset())
        self.shown([lesson])
        self._send(change, before | self._shown[id])

    def _send(self, change: Change, schools: Collection[OrganisationId]) -> None:
        places = dict.fromkeys(schools)
        for school in schools:
            places |= dict.fromkeys(each.id for each in self._tree.above(school))
        for place in places:
            for page in self._pages.get(place, ()):
                page.put(change)

    def _close_all(self) -> None:
        for pages in self._pages.values():
            for page in pages:
                page.overflow()


PAGE_CHANGES = web.AppKey("page_changes", PageChanges)
