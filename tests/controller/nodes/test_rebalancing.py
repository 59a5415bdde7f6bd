"""A node that has too much to do is relieved: real nodes, one of them really busy."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from controller.nodes.node import NodeState
from controller.nodes.placement import Candidate, LessonLoad
from controller.nodes.rebalancing import Relief
from demo.whip_client import publish
from tests.controller.nodes.test_bridges import Watched, following, local
from tests.controller.stage import running
from tests.webrtc.pictures import Picture
from webrtc.shared.policy import Policy


def test_one_move_in_half_a_minute_and_none_back() -> None:
    relief = Relief()

    def moved(busy: str, room: str, now: float) -> str | None:
        """The lesson that is moved from one node to another."""
        nodes = [Candidate(name=busy, cpu=0.9, strained_s=10.0), Candidate(name=room, cpu=0.1)]
        lessons = [LessonLoad(bridge=each, node=busy, cpu=0.2) for each in ("first", "second")]
        move = relief.next_move(nodes, lessons, now)
        return move.bridge if move else None

    assert [moved("a", "b", now) for now in (0, 1, 29)] == ["first", None, None]
    assert [moved("b", "a", now) for now in (30, 31, 60, 599)] == ["second", None, None, None]
    assert [moved("b", "a", now) for now in (600, 629, 630)] == ["first", None, "second"]


@pytest.fixture
def low_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """A share of a core that a test can have on a machine that it shares, soon, and in any case enough."""
    for name, value in {"STRAINED_CPU": 0.05, "STRAINED_FOR_S": 1.0, "RELIEVED_CPU": 0.95, "ROOMY_CPU": 5.0}.items():
        monkeypatch.setattr(f"controller.nodes.placement.{name}", value)
    monkeypatch.setattr(
        "controller.nodes.placement.STRAINED_LAG_S", 60.0
    )  # what it shares the machine with says nothing here
    monkeypatch.setattr("controller.nodes.bridges.GO_OVER_S", 0.5)


async def ask_without_end(url: str, secret: str) -> None:
    """Keep a node busy with a part of its own work."""
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {secret}"}) as http:
        while True:
            async with http.get(f"{url}/metrics") as answer:
                await answer.read()


@asynccontextmanager
async def owned(watched: Watched, *bridges: str) -> AsyncIterator[None]:
    """Ask for bridges as the conductor does: anew at each change of them."""
    changed = asyncio.Queue[str]()
    watched.nodes.on_change(changed.put_nowait)

    async def ask() -> None:
        while True:
            bridge = await changed.get()
            if bridge in bridges:
                await watched.nodes.ensure(bridge, Policy())

    async with running(ask()):
        yield


async def test_smallest_lesson_leaves_a_busy_node_once(tmp_path: Path, low_limits: None) -> None:
    async with AsyncExitStack() as stack:
        watched = await stack.enter_async_context(following(local(2), tmp_path))
        nodes = watched.nodes
        await watched.until_states({"local-0": NodeState.READY, "local-1": NodeState.READY})
        await nodes.fleet.drain("local-1", True)
        await watched.until_states({"local-0": NodeState.READY, "local-1": NodeState.DRAINING})
        for bridge, rooms in (("small", ("a",)), ("large", ("a", "b", "c"))):
            await nodes.ensure(bridge, Policy())
            for room in rooms:
                media, token = watched.media(bridge), watched.token(bridge, room)
                await stack.enter_async_context(publish(media, token, [Picture(90)]))
        await watched.until(lambda _: {len(watched.participants(each)) for each in ("small", "large")} == {1, 3})
        await nodes.fleet.drain("local-1", False)
        await watched.until_states({"local-0": NodeState.READY, "local-1": NodeState.READY})
        holder = nodes.fleet.nodes["local-0"]
        assert holder.url is not None
        await stack.enter_async_context(owned(watched, "small", "large"))
        await stack.enter_async_context(running(ask_without_end(holder.url, holder.secret)))

        together: list[frozenset[str]] = []
        nodes.on_change(lambda _: together.append(frozenset(holder.bridges)))
        await watched.until(lambda _: watched.holder("small") == "local-1")
        assert together[-1] == {"small", "large"}  # make before break
        await watched.until(lambda _: set(holder.bridges) == {"large"})
        assert holder.load.cpu >= 0.05
        assert (watched.holder("small"), watched.holder("large")) == ("local-1", "local-0")
