"""People's own connections to live lessons, views and shared screens, for as long as they may have them.

A token lasts minutes and a connection a whole lesson, while a login, a role or a school's consent can end at any time.
So whoever was let in is looked at again whenever one of these changed, and put out of the bridge.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from controller.changes import ChangeKind
from controller.lessons.conductor import Conductor
from controller.nodes.bridge_report import VIEWER, is_viewer
from controller.nodes.bridges import Nodes
from devices.changes import Changes
from rooms.errors import DisplayNotFound, StoreUnavailable
from rooms.lesson import Lesson, LessonId, LessonState
from rooms.people.account import Account
from rooms.people.rights import Rights
from rooms.room import DisplayId
from store import Store
from webrtc.shared.state import BridgeState

logger = logging.getLogger(__name__)

RETRY_S = 1.0
LOOK_AGAIN = timedelta(minutes=1)
"""A lesson in which nothing changed is looked at as seldom as this: logins expire, other processes change accounts."""


class Guest(NamedTuple):
    """`participant`: a viewer, or the room whose screen is shared. `client`: of its token."""

    participant: str
    client: str

    @property
    def login(self) -> str:
        """`Identity.client` of whoever asked for it."""
        return self.client.partition("-")[0]

    @property
    def account_id(self) -> str | None:
        """None: not told by its name."""
        return self.participant.removeprefix(VIEWER) if is_viewer(self.participant) else None


class People(Protocol):
    """Who is let in, and what they may do."""

    async def holder(self, client: str) -> Account | None:
        """Whose login or token that is; None: it has ended."""

    def rights(self, account: Account) -> Rights:
        """In the tree of organisations as it is whenever they are asked."""


class Audience:
    """Its owner runs `run()` in a task. `guests`: of a lesson, those who have been let in of late or are there."""

    def __init__(
        self,
        people: People,
        *,
        store: Store,
        conductor: Conductor,
        nodes: Nodes,
        changes: Changes,
        guests: Callable[[LessonId], Iterable[Guest]],
        clock: Callable[[], datetime],
    ) -> None:
        self._people = people
        self._store = store
        self._conductor = conductor
        self._nodes = nodes
        self._changes = changes
        self._guests = guests
        self._clock = clock
        self._looked: dict[LessonId, tuple[datetime, Lesson]] = {}  # when, and at what
        self._lessons: set[LessonId] = set()  # to be looked at
        self._accounts: set[str] = set()  # to be looked at in every lesson
        self._wake = asyncio.Event()
        conductor.on_follow(self._followed)

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._hear(), name="audience: changes of accounts")
            while True:
                await self._wake.wait()
                self._wake.clear()
                try:
                    await self._look_at_due()
                except StoreUnavailable as error:
                    logger.warning("who may stay in lessons is not known now: %s", error)
                    await asyncio.sleep(RETRY_S)
                    self._wake.set()

    async def look_again(self, lesson: Lesson, account_id: str) -> None:
        """Put this account out of the lesson if it may not be there any more. Raises `StoreUnavailable`."""
        await self._look(lesson, {account_id})

    async def _hear(self) -> None:
        while True:
            with self._changes.subscribe(ChangeKind.ACCOUNT) as changes:
                async for change in changes:
                    self._accounts.add(change.id)
                    self._wake.set()
            self._lessons.update(lesson.id for lesson in self._conductor.live())  # too many to be told of each
            self._wake.set()

    async def _look_at_due(self) -> None:
        lessons, accounts = set(self._lessons), set(self._accounts)
        for lesson in self._conductor.live():
            if accounts or lesson.id in lessons:
                await self._look(lesson, None if lesson.id in lessons else accounts)
        self._lessons -= lessons
        self._accounts -= accounts

    async def _look(self, lesson: Lesson, accounts: Collection[str] | None) -> None:
        """At the guests of these accounts, or of any; whose account is not known is always meant."""
        for guest in list(self._guests(lesson.id)):
            meant = accounts is None or guest.account_id is None or guest.account_id in accounts
            if meant and not await self._may_stay(guest, lesson):
                logger.info("lesson %s: %s may not stay, put out", lesson.id, guest.participant)
                self._nodes.exclude(lesson.id, participant=guest.participant, client=guest.login)

    async def _may_stay(self, guest: Guest, lesson: Lesson) -> bool:
        account = await self._people.holder(guest.login)
        if account is None:
            return await self._is_display(guest)
        rights = self._people.rights(account)
        if is_viewer(guest.participant):
            return guest.account_id == account.id and rights.may_watch(lesson)
        site = rights.sharing_site(lesson)
        return site is not None and site.room_id == guest.participant

    async def _is_display(self, guest: Guest) -> bool:
        """Whether it is the room's own display that shares its screen."""
        try:
            display = await self._store.displays.get(DisplayId(guest.client.removesuffix("-screen")))
        except DisplayNotFound:
            return False
        return display.room_id == guest.participant

    def _followed(self, lesson: Lesson) -> None:
        if lesson.state is not LessonState.LIVE:
            self._looked.pop(lesson.id, None)
            return
        at, before = self._looked.get(lesson.id, (None, None))
        if at is None or before is None or before.sites != lesson.sites or self._clock() - at >= LOOK_AGAIN:
            self._looked[lesson.id] = self._clock(), lesson
            self._lessons.add(lesson.id)
            self._wake.set()


def guests_in(bridge: BridgeState | None) -> set[Guest]:
    """Viewers, and those who share a screen."""
    found: set[Guest] = set()
    for participant in bridge.participants if bridge else ():
        if is_viewer(participant.id):
            found |= {Guest(participant.id, each.client) for each in participant.subscriptions}
        else:
            found |= {Guest(participant.id, each.client) for each in participant.tracks if each.content == "slides"}
    return found
