"""Bridge nodes as the controller sees them: real node processes, killed, lost and found again."""

import asyncio
import json
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from ipaddress import ip_address
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from controller.config.model import Address, BridgeConfig, LocalNodesConfig, RemoteNodeConfig, Secret
from controller.nodes.bridges import SPREAD_S, Nodes
from controller.nodes.errors import NodeNotFound, NodeUnavailable
from controller.nodes.http import node_session
from controller.nodes.local import node_program, own_addresses
from controller.nodes.node import NodeState
from controller.nodes.placement_file import PlacementFile
from controller.processes.hung import Look, look_at
from controller.processes.own_time import own_time
from demo.whip_client import publish
from testing.webrtc.nodes import SECRET, node_process, token
from tests.controller.stage import running
from tests.webrtc.pictures import Picture
from webrtc.shared.ids import ParticipantId
from webrtc.shared.policy import Mode, Policy


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
        await self.until(lambda nodes: {view.name: view.state for view in nodes.fleet.views()} == wanted)

    def signal(self, number: signal.Signals = signal.SIGKILL, *, node: str = "local-0") -> None:
        """Signal the process of a local node."""
        file = self._directory / "bridge" / f"bridge-{node.removeprefix('local-')}.state"
        os.kill(json.loads(file.read_text())["process"]["pid"], number)

    def processes(self) -> dict[str, int]:
        """Local nodes and the ids of their processes."""
        return {
            f"local-{file.stem.removeprefix('bridge-')}": json.loads(file.read_text())["process"]["pid"]
            for file in self._directory.glob("bridge/*.state")
        }

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
    async with node_session(BridgeConfig(nodes=chosen)) as http, own_time() as counted:
        nodes = Nodes(BridgeConfig(nodes=chosen), data_dir=directory, http=http, own_time=counted)
        watched = Watched(nodes, directory)
        async with running(watched.nodes.run()):
            yield watched


@asynccontextmanager
async def serving(events: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> AsyncIterator[str]:
    """A server that is no node, and answers as it likes."""
    app = web.Application()
    app.add_routes([web.get("/v1/events", events)])
    runner = web.AppRunner(app, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


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


async def test_participant_is_reported_and_excluded(watched: Watched) -> None:
    await watched.nodes.ensure("lesson", Policy(order=(ParticipantId("a"),)))
    async with publish(watched.media("lesson"), watched.token("lesson", "a"), [Picture(90)]):
        await watched.until(lambda _: watched.participants("lesson") == ["a"])
        watched.nodes.exclude("lesson", participant="a")
        await watched.until(lambda _: watched.participants("lesson") == [])


async def test_node_that_does_not_answer_is_asked_to_exclude_until_it_does(watched: Watched) -> None:
    await watched.nodes.ensure("lesson", Policy(order=(ParticipantId("a"),)))
    async with publish(watched.media("lesson"), watched.token("lesson", "a"), [Picture(90)]):
        await watched.until(lambda _: watched.participants("lesson") == ["a"])
        watched.signal(signal.SIGSTOP)
        watched.nodes.exclude("lesson", participant="a")
        await watched.until_states({"local-0": NodeState.AWAY})
        watched.signal(signal.SIGCONT)
        await watched.until(lambda nodes: nodes.connected and watched.participants("lesson") == [])


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


@dataclass(frozen=True)
class Pair:
    """Two local nodes; `holder` has got the lesson."""

    watched: Watched
    holder: str
    other: str

    @property
    def bridges(self) -> tuple[int, int]:
        """How many the holder has, and the other."""
        counts = {view.name: view.bridges for view in self.watched.nodes.fleet.views()}
        return counts[self.holder], counts[self.other]

    async def until_states(self, holder: NodeState, other: NodeState) -> None:
        await self.watched.until_states({self.holder: holder, self.other: other})


@pytest.fixture
async def pair(tmp_path: Path) -> AsyncIterator[Pair]:
    async with following(local(2), tmp_path) as watched:
        await watched.until_states({"local-0": NodeState.READY, "local-1": NodeState.READY})
        await watched.nodes.ensure("lesson", Policy())
        holder = watched.holder("lesson")
        yield Pair(watched, holder, "local-1" if holder == "local-0" else "local-0")


async def test_lessons_placed_at_once_are_spread(pair: Pair) -> None:
    async with asyncio.TaskGroup() as tasks:
        for number in range(7):
            tasks.create_task(pair.watched.nodes.ensure(f"another-{number}", Policy()))
    assert pair.bridges == (4, 4)


async def test_lesson_of_a_killed_node_goes_to_the_other_at_once(pair: Pair) -> None:
    before = pair.watched.nodes.epoch("lesson")
    pair.watched.signal(node=pair.holder)
    await pair.watched.until(lambda nodes: nodes.media_url("lesson") is None)
    assert pair.watched.nodes.epoch("lesson") == before
    await pair.watched.nodes.ensure("lesson", Policy())
    assert (pair.watched.holder("lesson"), pair.watched.nodes.epoch("lesson") == before) == (pair.other, False)
    assert pair.watched.nodes.spread_s("lesson") == 0


async def test_killed_node_makes_way_for_others_only_where_they_run(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("controller.nodes.fleet.MAKE_WAY_S", 600.0)
    pair.watched.signal(node=pair.holder)
    await pair.until_states(NodeState.DEAD, NodeState.READY)
    pair.watched.signal(node=pair.other)
    await pair.watched.until(lambda nodes: not nodes.connected)
    await pair.watched.until(lambda nodes: nodes.connected)
    await pair.watched.nodes.ensure("lesson", Policy())
    assert pair.watched.holder("lesson") == pair.other


async def test_lesson_leaves_a_draining_node_make_before_break(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("controller.nodes.bridges.GO_OVER_S", 0.5)
    await pair.watched.nodes.fleet.drain(pair.holder, True)
    await pair.until_states(NodeState.DRAINING, NodeState.READY)
    await pair.watched.nodes.ensure("lesson", Policy())
    assert pair.bridges == (1, 1)
    assert pair.watched.holder("lesson") == pair.other
    assert pair.watched.nodes.spread_s("lesson") == SPREAD_S
    await pair.watched.until(lambda _: pair.bridges == (0, 1))
    await pair.watched.nodes.ensure("lesson", Policy())
    assert pair.watched.holder("lesson") == pair.other


async def test_lesson_may_come_back_to_the_node_that_it_is_leaving(pair: Pair) -> None:
    await pair.watched.nodes.fleet.drain(pair.holder, True)
    await pair.until_states(NodeState.DRAINING, NodeState.READY)
    await pair.watched.nodes.ensure("lesson", Policy())
    await pair.watched.nodes.fleet.drain(pair.holder, False)
    await pair.watched.nodes.fleet.drain(pair.other, True)
    await pair.until_states(NodeState.READY, NodeState.DRAINING)
    await pair.watched.nodes.ensure("lesson", Policy())
    assert pair.watched.holder("lesson") == pair.holder
    await pair.watched.nodes.close("lesson")
    await pair.watched.until(lambda nodes: nodes.held() == frozenset())


async def test_lesson_stays_where_every_node_is_drained(pair: Pair) -> None:
    for name in (pair.holder, pair.other):
        await pair.watched.nodes.fleet.drain(name, True)
    await pair.until_states(NodeState.DRAINING, NodeState.DRAINING)
    await pair.watched.nodes.ensure("lesson", Policy())
    assert pair.watched.holder("lesson") == pair.holder
    await pair.watched.nodes.ensure("another", Policy())  # there is no better place


async def test_signalled_node_ends_once_its_lesson_is_elsewhere(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("controller.nodes.bridges.GO_OVER_S", 0.1)
    pair.watched.signal(signal.SIGTERM, node=pair.holder)
    await pair.until_states(NodeState.DRAINING, NodeState.READY)
    await pair.watched.nodes.ensure("lesson", Policy())
    await pair.until_states(NodeState.DEAD, NodeState.READY)
    assert pair.watched.holder("lesson") == pair.other


async def test_frozen_node_loses_its_lesson_and_closes_it_when_it_comes_back(pair: Pair) -> None:
    pair.watched.signal(signal.SIGSTOP, node=pair.holder)
    try:
        await pair.until_states(NodeState.DEAD, NodeState.READY)
        await pair.watched.nodes.ensure("lesson", Policy())
        assert pair.watched.holder("lesson") == pair.other
    finally:
        pair.watched.signal(signal.SIGCONT, node=pair.holder)
    await pair.until_states(NodeState.READY, NodeState.READY)
    await pair.watched.until(lambda _: pair.bridges == (0, 1))
    assert pair.watched.holder("lesson") == pair.other
    await pair.watched.nodes.ensure("another", Policy())  # the other may have more to do, but did not fail a moment ago
    assert pair.watched.holder("another") == pair.other


async def test_hung_node_is_started_anew(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("controller.nodes.fleet.HUNG_S", 0.5)
    await watched.nodes.ensure("lesson", Policy())
    epoch = watched.nodes.epoch("lesson")
    watched.signal(signal.SIGSTOP)
    await watched.until_states({"local-0": NodeState.DEAD})
    await watched.until_states({"local-0": NodeState.READY})
    await watched.nodes.ensure("lesson", Policy())
    assert watched.nodes.epoch("lesson") != epoch


async def test_nodes_are_not_judged_by_a_controller_that_is_held_up_itself(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"node.SILENCE_S": 1.5, "node.AWAY_S": 0.3, "fleet.HUNG_S": 0.5, "fleet.APART_S": 0.0}.items():
        monkeypatch.setattr(f"controller.{name}", value)
    before, seen = pair.watched.processes(), set[NodeState]()
    pair.watched.nodes.on_change(lambda _: seen.update(view.state for view in pair.watched.nodes.fleet.views()))
    for _ in range(5):
        time.sleep(1.7)  # noqa: ASYNC251  # the stall: longer than the silence of a node that is lost
        await asyncio.sleep(0.2)
    await pair.until_states(NodeState.READY, NodeState.READY)
    assert (pair.watched.processes(), pair.bridges) == (before, (1, 0))
    assert seen <= {NodeState.READY}


async def test_node_that_answers_others_is_never_ended(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("controller.nodes.fleet.HUNG_S", 0.5)
    monkeypatch.setattr("controller.nodes.fleet.BUSY_S", 0.0)
    looked = asyncio.Semaphore(0)

    async def look(pid: int, url: str) -> Look:
        seen = await look_at(pid, url)
        looked.release()
        return seen

    monkeypatch.setattr("controller.nodes.fleet.look_at", look)
    before = pair.watched.processes()
    for node in pair.watched.nodes.fleet.nodes.values():
        node.secret = "another"  # so none talks to us any more, and all of them do to others
    monkeypatch.setattr("controller.nodes.node.SILENCE_S", 0.0)  # the connections of before end
    async with asyncio.timeout(20):
        for _ in range(4):
            await looked.acquire()
    assert pair.watched.processes() == before


async def test_of_all_nodes_that_hang_one_at_a_time_is_ended(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("controller.nodes.fleet.HUNG_S", 0.5)
    monkeypatch.setattr("controller.nodes.fleet.APART_S", 600.0)
    before = pair.watched.processes()
    for name in before:
        pair.watched.signal(signal.SIGSTOP, node=name)
    try:
        await pair.until_states(NodeState.DEAD, NodeState.DEAD)
        await pair.watched.until(lambda nodes: nodes.connected)
        assert len(before.items() & pair.watched.processes().items()) == 1
    finally:
        for pid in before.values():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
    await pair.until_states(NodeState.READY, NodeState.READY)


async def test_new_policy_reaches_the_holder(watched: Watched) -> None:
    await watched.nodes.ensure("lesson", Policy())
    await watched.nodes.ensure("lesson", Policy(mode=Mode.TEACHER))
    await watched.until(lambda nodes: (state := nodes.state("lesson")) is not None and state.mode is Mode.TEACHER)


async def test_node_that_does_not_know_our_secret_is_named_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("controller.nodes.node.WRONG_SECRET_DELAY_S", 0.01)
    asked = asyncio.Semaphore(0)

    async def refuse(request: web.Request) -> web.Response:
        asked.release()
        return web.Response(status=401)

    async with serving(refuse) as url:
        async with following(RemoteNodeConfig(url=url, secret=Secret(SECRET)), tmp_path) as watched:
            async with asyncio.timeout(20):
                for _ in range(3):
                    await asked.acquire()
            assert [view.state for view in watched.nodes.fleet.views()] == [NodeState.STARTING]
    assert caplog.text.count("does not accept our secret") == 1


async def test_node_that_cannot_show_our_secret_by_tls_is_named_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with node_process("--control-tls") as remote:
        config = RemoteNodeConfig(url=remote.node.url, secret=Secret(SECRET[::-1]))
        async with following(config, tmp_path) as watched:
            name = config.name
            await watched.until_states({name: NodeState.DEAD})  # after some attempts
    assert caplog.text.count("does the node there have our secret") == 1


async def test_unknown_node_is_not_drained(watched: Watched) -> None:
    with pytest.raises(NodeNotFound):
        await watched.nodes.fleet.drain("local-7", True)


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


async def test_node_that_drains_is_never_taken_for_ready(tmp_path: Path) -> None:
    async def events(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_str('{"type":"snapshot","node":"n","load":{"draining":true},"bridges":[]}')
        await socket.receive()
        return socket

    async with serving(events) as url:
        async with following(RemoteNodeConfig(url=url, secret=Secret(SECRET)), tmp_path) as watched:
            states: set[NodeState] = set()
            watched.nodes.on_change(lambda _: states.update(view.state for view in watched.nodes.fleet.views()))
            await watched.until(lambda nodes: nodes.connected)
    assert states - {NodeState.STARTING, NodeState.AWAY} == {NodeState.DRAINING}


async def test_node_that_talks_nonsense_is_asked_anew(tmp_path: Path) -> None:
    said = iter(["{", '{"type":"snapshot"}', '{"type":"snapshot","node":"n","bridges":[]}'])

    async def events(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_str(next(said))
        await socket.receive()
        return socket

    async with serving(events) as url:
        async with following(RemoteNodeConfig(url=url, secret=Secret(SECRET)), tmp_path) as watched:
            await watched.until(lambda nodes: nodes.connected)
    assert list(said) == []


@pytest.mark.parametrize("then", ["nonsense", "refusal"])
async def test_node_that_served_and_talks_to_us_no_more_is_dead_at_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, then: str
) -> None:
    monkeypatch.setattr("controller.nodes.node.AWAY_S", 0.5)
    monkeypatch.setattr("controller.nodes.node.WRONG_SECRET_DELAY_S", 0.1)
    said = iter(['{"type":"snapshot","node":"n","bridges":[]}'])

    async def events(request: web.Request) -> web.WebSocketResponse:
        text = next(said, '{"type":"snapshot"}')
        if then == "refusal" and "node" not in text:
            raise web.HTTPUnauthorized
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_str(text)
        await socket.close()
        return socket

    async with serving(events) as url:
        async with following(RemoteNodeConfig(url=url, secret=Secret(SECRET)), tmp_path) as watched:
            await watched.until(lambda nodes: [each.state for each in nodes.fleet.views()] == [NodeState.DEAD])
    assert list(said) == []


async def test_secret_is_kept_private_and_made_again_where_it_was_not_written(tmp_path: Path) -> None:
    async with aiohttp.ClientSession() as http, own_time() as counted:

        def secret() -> str:
            Nodes(BridgeConfig(nodes=local()), data_dir=tmp_path, http=http, own_time=counted)
            return file.read_text()

        file = tmp_path / "bridge" / "secret"
        first = secret()
        assert (secret(), file.stat().st_mode & 0o777) == (first, 0o600)
        file.write_text("")
        assert len(secret()) == len(first)


@pytest.mark.parametrize(
    ("advertise", "said", "fits"),
    [
        ((), ["192.0.2.1"], True),
        ((), ["192.0.2.1", "192.0.2.2"], True),
        ((), ["192.0.2.1", "192.0.2.3"], False),
        (("192.0.2.9",), ["192.0.2.9"], True),
    ],
)
def test_node_stays_while_all_addresses_that_it_advertises_are_there(
    monkeypatch: pytest.MonkeyPatch, advertise: tuple[str, ...], said: list[str], fits: bool
) -> None:
    monkeypatch.setattr("controller.nodes.local.own_addresses", lambda _: ["192.0.2.1", "192.0.2.2"])
    config = replace(local(), advertise=tuple(map(ip_address, advertise)))
    program = node_program(0, config, SECRET)
    assert program.fits({"advertise": said}) is fits
    assert [*program.arguments, *program.found].count("--advertise") == len(advertise or ("192.0.2.1", "192.0.2.2"))


def test_own_addresses_are_those_that_others_reach() -> None:
    assert own_addresses("192.0.2.7") == ["192.0.2.7"]
    both = [ip_address(each) for each in own_addresses("::")]
    assert [str(each) for each in both if each.version == 4] == own_addresses("0.0.0.0") != []
    assert not any(each.is_link_local for each in both)
