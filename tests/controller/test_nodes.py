"""Bridge nodes as the controller sees them: real node processes, killed, lost and found again."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from controller.config import Address, BridgeConfig, LocalNodesConfig, RemoteNodeConfig, Secret
from controller.errors import NodeUnavailable
from controller.local_nodes import own_addresses
from controller.node import NodeState
from controller.nodes import Nodes
from controller.placement_file import PlacementFile
from tests.controller.stage import running
from tests.webrtc.nodes import SECRET, node_process, token
from tests.webrtc.pictures import Picture
from webrtc.client import publish
from webrtc.ids import ParticipantId
from webrtc.policy import Policy


class Watched:
    """Nodes, and what they tell."""

    def __init__(self, nodes: Nodes, directory: Path) -> None:
        self.nodes = nodes
        self.told: list[str] = []
        self._directory = directory
        self._woken = asyncio.Event()
        nodes.on_change(self._note)

    def _note(self, bridge: str) -> None:
        self.told.append(bridge)
        self._woken.set()

    async def until(self, holds: Callable[[Nodes], bool]) -> None:
        async with asyncio.timeout(20):
            while not holds(self.nodes):
                self._woken.clear()
                await self._woken.wait()

    async def until_states(self, wanted: Mapping[str, NodeState]) -> None:
        await self.until(lambda nodes: {view.name: view.state for view in nodes.views()} == wanted)

    def signal(self, number: signal.Signals = signal.SIGKILL, *, node: str = "local-0") -> None:
        """Signal the process of a local node."""
        file = self._directory / "bridge" / f"bridge-{node.removeprefix('local-')}.state"
        os.kill(json.loads(file.read_text())["process"]["pid"], number)

    def holder(self, bridge: str) -> str:
        """The name of the node with this bridge."""
        placement = PlacementFile(self._directory / "bridge" / "placements.json").of(bridge)
        assert placement is not None
        return placement.node

    def token(self, bridge: str, participant: str) -> str:
        secret = self.nodes.secret(bridge)
        assert secret is not None
        return token(bridge, participant, secret=secret)

    def media(self, bridge: str) -> str:
        return f"{self.nodes.media_url(bridge)}/whip/{bridge}"

    def participants(self, bridge: str) -> list[str]:
        state = self.nodes.state(bridge)
        return [each.id for each in state.participants] if state else []


@asynccontextmanager
async def following(config: LocalNodesConfig | RemoteNodeConfig, directory: Path) -> AsyncIterator[Watched]:
    chosen = config if isinstance(config, LocalNodesConfig) else (config,)
    async with aiohttp.ClientSession() as http:
        watched = Watched(Nodes(BridgeConfig(nodes=chosen), data_dir=directory, http=http), directory)
        async with running(watched.nodes.run()):
            yield watched


def local(count: int = 1) -> LocalNodesConfig:
    return LocalNodesConfig(count=count, udp_listen=Address("127.0.0.1", 0))


@pytest.fixture
async def watched(tmp_path: Path) -> AsyncIterator[Watched]:
    async with following(local(), tmp_path) as watched:
        await watched.until(lambda nodes: nodes.connected)
        yield watched


async def test_bridge_is_opened_once_and_closed(watched: Watched) -> None:
    nodes = watched.nodes
    assert (nodes.epoch("lesson"), nodes.media_url("lesson"), nodes.secret("lesson")) == (None, None, None)
    await nodes.ensure("lesson", Policy(order=(ParticipantId("a"), ParticipantId("b"))))
    epoch = nodes.epoch("lesson")
    await nodes.ensure("lesson", Policy(order=(ParticipantId("a"), ParticipantId("b"))))
    assert epoch is not None
    assert (nodes.epoch("lesson"), set(nodes.held())) == (epoch, {"lesson"})
    await nodes.close("lesson")
    await nodes.close("lesson")
    assert nodes.held() == frozenset()


async def test_participant_is_reported_and_removed(watched: Watched) -> None:
    await watched.nodes.ensure("lesson", Policy(order=(ParticipantId("a"),)))
    async with publish(watched.media("lesson"), watched.token("lesson", "a"), [Picture(90)]):
        await watched.until(lambda _: watched.participants("lesson") == ["a"])
        await watched.nodes.remove("lesson", "a")
        await watched.until(lambda _: watched.participants("lesson") == [])


async def test_killed_node_loses_its_bridges_and_comes_back_as_another(watched: Watched) -> None:
    await watched.nodes.ensure("lesson", Policy())
    before = watched.nodes.epoch("lesson")
    watched.signal()
    await watched.until(lambda nodes: nodes.media_url("lesson") is None)
    assert watched.nodes.epoch("lesson") == before  # until there is another
    with pytest.raises(NodeUnavailable):
        await watched.nodes.ensure("lesson", Policy())
    await watched.until(lambda nodes: nodes.connected)
    await watched.nodes.ensure("lesson", Policy())
    assert watched.nodes.epoch("lesson") not in (None, before)


async def test_bridge_goes_to_the_node_with_least_to_do(tmp_path: Path) -> None:
    async with following(local(2), tmp_path) as watched:
        nodes = watched.nodes
        await watched.until_states({"local-0": NodeState.READY, "local-1": NodeState.READY})
        await nodes.ensure("first", Policy())
        async with publish(watched.media("first"), watched.token("first", "a"), [Picture(90)]):
            await watched.until(lambda _: watched.participants("first") == ["a"])
            await nodes.ensure("second", Policy())
            assert nodes.epoch("second") != nodes.epoch("first")


async def test_what_a_lost_node_reported_stands(tmp_path: Path) -> None:
    async with node_process() as remote:
        config = RemoteNodeConfig(url=remote.node.url, secret=Secret(SECRET))
        async with following(config, tmp_path) as watched:
            await watched.until(lambda nodes: nodes.connected)
            await watched.nodes.ensure("lesson", Policy())
            epoch = watched.nodes.epoch("lesson")
            remote.process.kill()
            await watched.until(lambda nodes: not nodes.connected)
            assert watched.nodes.epoch("lesson") == epoch
            with pytest.raises(NodeUnavailable):
                await watched.nodes.close("lesson")


async def test_bridges_of_a_node_that_was_there_before_us_are_known(tmp_path: Path) -> None:
    async with node_process() as remote:
        await remote.node.open_bridge("lesson")
        config = RemoteNodeConfig(url=remote.node.url, secret=Secret(SECRET))
        async with following(config, tmp_path) as watched:
            await watched.until(lambda nodes: nodes.held() == {"lesson"})
            assert watched.nodes.epoch("lesson") == remote.node.name
            assert watched.told == ["", "lesson"]


async def test_node_that_talks_nonsense_is_asked_anew(tmp_path: Path) -> None:
    said = iter(["{", '{"type":"snapshot"}', '{"type":"snapshot","node":"n","bridges":[]}'])

    async def events(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_str(next(said))
        await socket.receive()
        return socket

    app = web.Application()
    app.add_routes([web.get("/v1/events", events)])
    runner = web.AppRunner(app, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        config = RemoteNodeConfig(url=f"http://127.0.0.1:{runner.addresses[0][1]}", secret=Secret(SECRET))
        async with following(config, tmp_path) as watched:
            await watched.until(lambda nodes: nodes.connected)
    finally:
        await runner.cleanup()
    assert list(said) == []


async def test_secret_is_kept_private_and_made_again_where_it_was_not_written(tmp_path: Path) -> None:
    async with aiohttp.ClientSession() as http:

        def secret() -> str:
            Nodes(BridgeConfig(nodes=local()), data_dir=tmp_path, http=http)
            return file.read_text()

        file = tmp_path / "bridge" / "secret"
        first = secret()
        assert (secret(), file.stat().st_mode & 0o777) == (first, 0o600)
        file.write_text("")
        assert len(secret()) == len(first)


def test_own_addresses_are_those_that_others_reach() -> None:
    assert own_addresses("192.0.2.7") == ["192.0.2.7"]
    assert own_addresses("0.0.0.0") != []
