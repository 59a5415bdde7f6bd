"""A house whose lessons are conducted, and how tests look at it."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import ExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta

import aiohttp

from controller.config.model import Address, BridgeConfig, LocalNodesConfig
from controller.displays.call import DisplayCall
from controller.displays.report import Camera, DisplayReport
from controller.lessons.conductor import Conductor
from controller.nodes.bridges import Nodes
from controller.processes.own_time import own_time
from controller.views.lesson_view import LessonView, SiteView
from controller.views.views import Views
from devices.changes import Changes
from rooms.invitation import InvitationState
from rooms.lesson import Lesson, LessonId, LessonState
from rooms.room import Display, DisplayId, Room
from rooms.scene import StepState
from store import Store
from testing.clock import AheadClock
from tests.controller.stage import Stage, running
from tests.rooms.samples import LOI_ROOM, MINUTE, XUAN_ROOM, lesson

GRACE = timedelta(seconds=0.5)
LESSON = LessonId("lesson-1")


@dataclass
class House:
    """A store, bridge nodes, and one conductor after the other."""

    stage: Stage
    nodes: Nodes
    http: aiohttp.ClientSession
    _pages: dict[DisplayId, ExitStack] = field(default_factory=dict)

    @property
    def store(self) -> Store:
        return self.stage.store

    @property
    def clock(self) -> AheadClock:
        return self.stage.clock

    @property
    def changes(self) -> Changes:
        return self.stage.changes

    @asynccontextmanager
    async def conducted(
        self, *, clock_believed: Callable[[], bool] = lambda: True
    ) -> AsyncIterator[tuple[Conductor, Views]]:
        """A conductor that takes up what there was, and what shows its lessons."""
        conductor = Conductor(
            store=self.store,
            hub=self.stage.hub,
            nodes=self.nodes,
            changes=self.changes,
            grace=GRACE,
            clock=self.clock,
            clock_believed=clock_believed,
        )
        views = Views.of(
            store=self.store, nodes=self.nodes, conductor=conductor, changes=self.changes, clock=self.clock
        )
        async with running(conductor.run()):
            yield conductor, views

    async def plan(self, *rooms: Room, id: str = LESSON, begins: timedelta = -MINUTE, minutes: int = 35) -> Lesson:
        """A lesson of the first room's school, accepted by all."""
        rooms = rooms or (XUAN_ROOM, LOI_ROOM)
        planned = lesson(id, *rooms, start=self.clock() + begins, minutes=minutes, host=rooms[0].school_id)
        await self.store.lessons.add(planned)
        for room in rooms[1:]:
            await self.store.lessons.set_invitation(planned.id, room.id, InvitationState.ACCEPTED)
        return await self.store.lessons.get(planned.id)

    async def pair(self, views: Views, room: Room, id: str, *, minutes_ago: int = 0) -> DisplayId:
        """A display whose page is connected."""
        paired_at = self.clock() - minutes_ago * MINUTE
        display = Display(id=DisplayId(id), room_id=room.id, name=id, paired_at=paired_at)
        await self.store.displays.add(display, f"hash of {id}")
        self._pages[display.id] = pages = ExitStack()
        pages.enter_context(views.displays.open(display.id))
        await views.display_states.state(display.id)
        return display.id

    def leave(self, id: DisplayId) -> None:
        """The display's page goes."""
        self._pages.pop(id).close()

    async def state(self, id: LessonId = LESSON) -> LessonState:
        return (await self.store.lessons.get(id)).state

    async def audited(self) -> list[tuple[str, str]]:
        """Actor and action of what was done to lessons, oldest first."""
        return [(each.actor, each.action) for each in reversed(await self.store.audit.list(object_kind="lesson"))]

    async def until_audited(self, expected: list[tuple[str, str]]) -> None:
        """Until the audit log holds exactly these: it announces nothing. Raises `AssertionError` after 20 s."""
        with suppress(TimeoutError):
            async with asyncio.timeout(20):
                while await self.audited() != expected:  # noqa: ASYNC110  # there is no event
                    await asyncio.sleep(0.02)
        assert await self.audited() == expected

    def held(self) -> bool:
        return self.nodes.epoch(LESSON) is not None

    async def until(self, holds: Callable[[], bool]) -> None:
        """Look again at each change that is told to pages."""
        with self.changes.subscribe() as changes:
            async with asyncio.timeout(20):
                if holds():
                    return
                async for _ in changes:
                    if holds():
                        return

    async def until_view(self, views: Views, holds: Callable[[LessonView], bool], id: LessonId = LESSON) -> LessonView:
        with self.changes.subscribe() as changes:
            async with asyncio.timeout(20):
                view = await views.lessons.get(id)
                stream = aiter(changes)
                while not holds(view):
                    await anext(stream)
                    view = await views.lessons.get(id)
                return view

    async def until_bridges(self, wanted: Collection[str]) -> None:
        """Until the nodes hold exactly these."""
        await self.until_nodes(lambda: self.nodes.held() == wanted)

    async def until_nodes(self, holds: Callable[[], bool]) -> None:
        woken = asyncio.Event()
        self.nodes.on_change(lambda _: woken.set())
        async with asyncio.timeout(20):
            while not holds():
                woken.clear()
                await woken.wait()

    def media(self, url: str) -> str:
        base = self.nodes.media_url(LESSON)
        assert base is not None
        return base + url

    def kill_node(self) -> None:
        (file,) = self.stage.directory.glob("bridge/*.state")
        os.kill(json.loads(file.read_text())["process"]["pid"], signal.SIGKILL)


@asynccontextmanager
async def open_house(stage: Stage, *, nodes: int = 1) -> AsyncIterator[House]:
    """Its bridge nodes are children of the test, and may still be starting."""
    config = BridgeConfig(nodes=LocalNodesConfig(udp_listen=Address("127.0.0.1", 0), count=nodes))
    async with aiohttp.ClientSession() as http, own_time() as counted:
        held = Nodes(config, data_dir=stage.directory, http=http, own_time=counted, clock=stage.clock)
        house = House(stage, held, http)
        async with running(house.nodes.run()):
            yield house


def site(view: LessonView, room: Room) -> SiteView:
    return next(each for each in view.sites if each.room.id == room.id)


def states(view: LessonView, room: Room) -> dict[str, StepState]:
    """What was done to which type of device -> state."""
    return {f"{each.id.rsplit('-', 1)[0]} {each.device.type}": each.state for each in site(view, room).devices.steps}


def confirmed(room: Room, *done: str) -> Callable[[LessonView], bool]:
    """All steps of the room, or these, are confirmed."""

    def holds(view: LessonView) -> bool:
        found = states(view, room)
        return bool(found) and all(found.get(name) is StepState.CONFIRMED for name in done or found)

    return holds


async def call(views: Views, display: DisplayId) -> DisplayCall:
    state = await views.display_states.state(display)
    assert state.call is not None
    return state.call


def report(*, joined: bool = True) -> DisplayReport:
    return DisplayReport(
        joined=joined,
        camera=Camera.OK,
        publishing=joined,
        playing=1,
        frames_decoded=1,
        audio_energy=0.1,
        weak=False,
    )
