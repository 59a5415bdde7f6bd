"""Nodes of other machines that make themselves known to a controller: real node processes, the real API."""

import asyncio
import hmac
import json
import re
import time
from base64 import b64encode
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from controller.config.model import BridgeConfig, Secret, TurnConfig
from controller.nodes.bridges import Nodes
from controller.nodes.errors import RegistrationRefused
from controller.nodes.http import node_session
from controller.nodes.lease import Registration
from controller.nodes.node import NodeState
from controller.processes.own_time import own_time
from demo.whip_client import publish
from testing.webrtc.nodes import CONTROL, SECRET, Node, node_process, token
from tests.controller.nodes.test_bridges import Watched
from tests.controller.stage import running
from tests.controller.web.house import House, open_house
from tests.webrtc.pictures import Picture
from webrtc.shared.policy import Policy


@asynccontextmanager
async def registering(directory: Path, turn: TurnConfig | None = None) -> AsyncIterator[tuple[Watched, House]]:
    """Nodes that let others register, and the API through which they do."""
    config = BridgeConfig(nodes=(), registration=Secret(SECRET), turn=turn)
    async with node_session(config) as http, own_time() as counted:
        nodes = Nodes(config, data_dir=directory, http=http, own_time=counted)
        async with (
            running(nodes.run()),
            open_house(directory, nodes=nodes, node_http=http) as house,
        ):
            yield Watched(nodes, directory), house


def listed(answer: Mapping[str, object]) -> list[dict[str, object]]:
    nodes = answer["nodes"]
    assert isinstance(nodes, list)
    return nodes


def told(node: Mapping[str, object]) -> tuple[object, ...]:
    return tuple(node[key] for key in ("name", "state", "url", "lessons"))


async def test_node_registers_takes_lessons_and_is_shown_to_the_operator(tmp_path: Path) -> None:
    async with registering(tmp_path) as (watched, house):
        arguments = ("--controller", house.url, "--name", "north", "--capacity", "80")
        async with node_process(*arguments) as remote:
            await watched.until_states({"north": NodeState.READY})
            assert watched.nodes.fleet.views()[0].load.capacity == 80
            await watched.nodes.ensure("lesson", Policy())
            assert watched.nodes.media_url("lesson") == remote.node.url
            operator = await house.operator()
            status, answer = await operator.ask("GET", "/nodes")
            assert status == 200
            assert [told(each) for each in listed(answer)] == [("north", "ready", remote.node.url, 1)]


async def test_display_reaches_a_registered_node_through_the_controller_and_tls(tmp_path: Path) -> None:
    async with registering(tmp_path) as (watched, house):
        async with node_process("--controller", house.url, "--name", "north") as remote:
            await watched.until_states({"north": NodeState.READY})
            assert remote.node.url.startswith("https://")
            await watched.nodes.ensure("lesson", Policy())
            async with publish(f"{house.url}/whip/lesson", watched.token("lesson", "a"), [Picture(90)]) as call:
                async with asyncio.timeout(20):
                    await call.connected()
                await watched.until(lambda _: watched.participants("lesson") == ["a"])


async def test_operator_drains_a_node(tmp_path: Path) -> None:
    async with registering(tmp_path) as (watched, house):
        async with node_process("--controller", house.url, "--name", "north") as remote:
            await watched.until_states({"north": NodeState.READY})
            operator = await house.operator()
            assert await operator.ask("PUT", "/nodes/north", {"draining": True}) == (204, {})
            await watched.until_states({"north": NodeState.DRAINING})
            async with remote.node.http.get(f"{remote.node.url}/v1/node", headers=CONTROL) as response:
                assert (await response.json())["draining"] is True
            assert await operator.ask("PUT", "/nodes/north", {"draining": False}) == (204, {})
            await watched.until_states({"north": NodeState.READY})
            actions = [entry.action for entry in await house.store.audit.list()]
            assert actions[:2] == ["node.use", "node.drain"]


async def relays_of(node: Node) -> list[str]:
    """The `Link` headers that a display gets."""
    headers = {"Authorization": f"Bearer {token('lesson', 'a')}"}
    async with node.http.options(node.media("whip", "lesson"), headers=headers) as response:
        assert response.status == 200
        return response.headers.getall("Link", [])


async def test_registered_node_hands_out_what_the_controllers_turn_server_takes(tmp_path: Path) -> None:
    url = "turn:turn.example.edu.vn:3478?transport=udp"
    turn = TurnConfig(urls=(url,), secret=Secret("shared with coturn"), lifetime=timedelta(hours=2))
    async with registering(tmp_path, turn) as (watched, house):
        async with node_process("--controller", house.url, "--name", "north") as remote:
            await watched.until_states({"north": NodeState.READY})
            async with asyncio.timeout(20):
                while not (links := await relays_of(remote.node)):  # it reads our answer as it pleases
                    pass
    [(found, expiry, credential)] = re.findall(
        r'<(.+)>; rel="ice-server"; username="(\d+):a"; credential="(.+?)"', links[0]
    )
    assert (found, len(links)) == (url, 1)
    assert abs(int(expiry) - time.time() - 7200) < 60
    assert credential == b64encode(hmac.digest(b"shared with coturn", f"{expiry}:a".encode(), "sha1")).decode()


async def test_turn_secret_goes_to_nobody_who_lacks_that_of_nodes(tmp_path: Path) -> None:
    turn = TurnConfig(urls=("turn:a",), secret=Secret("shared with coturn"), lifetime=timedelta(hours=2))
    async with registering(tmp_path, turn) as (_, house):
        body = {"name": "north", "url": "http://127.0.0.1:1"}
        strangers = [await house.visitor(), await house.operator()]
        answers = [await each.ask("POST", "/nodes", body) for each in strangers]
        assert await strangers[0].ask("POST", "/nodes", body, headers=CONTROL) == (
            200,
            {"lease_s": 15.0, "turn": {"urls": ["turn:a"], "secret": "shared with coturn", "lifetime_s": 7200.0}},
        )
        answers.append(await strangers[1].ask("GET", "/nodes"))
        assert [status for status, _ in answers] == [403, 403, 200]
        assert "coturn" not in str(answers)


async def test_next_controller_knows_a_registered_node_at_once(tmp_path: Path) -> None:
    async with registering(tmp_path / "a") as (watched, house):
        async with node_process("--controller", house.url, "--name", "north"):
            await watched.until_states({"north": NodeState.READY})
            await watched.nodes.ensure("lesson", Policy())
            epoch = watched.nodes.epoch("lesson")
            config = BridgeConfig(nodes=(), registration=Secret(SECRET))
            async with node_session(config) as http, own_time() as counted:
                nodes = Nodes(config, data_dir=tmp_path / "a", http=http, own_time=counted)
                again = Watched(nodes, tmp_path / "a")
                assert again.nodes.epoch("lesson") == epoch
                async with running(again.nodes.run()):
                    await again.until_states({"north": NodeState.READY})


async def test_node_that_is_not_heard_of_is_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("controller.nodes.lease.LEASE_S", 0.5)  # a test has no quarter of a minute
    async with registering(tmp_path) as (watched, _):
        watched.nodes.fleet.register(Registration(name="north", url="http://127.0.0.1:1"), SECRET)
        await watched.until_states({})
    assert json.loads((tmp_path / "bridge" / "placements.json").read_text())["registered"] == {}


async def test_node_that_is_not_heard_of_keeps_its_lesson_while_that_is_nowhere_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("controller.nodes.lease.LEASE_S", 0.5)
    async with registering(tmp_path) as (watched, house):
        nodes = watched.nodes
        async with node_process("--controller", house.url, "--name", "north") as remote:
            await watched.until_states({"north": NodeState.READY})
            await nodes.ensure("lesson", Policy())
            epoch = nodes.epoch("lesson")
            remote.process.kill()
            await watched.until_states({"north": NodeState.DEAD})
        nodes.fleet.register(Registration(name="nobody", url="http://127.0.0.1:1"), SECRET)
        await watched.until(lambda nodes: len(nodes.fleet.views()) == 2)
        await watched.until_states({"north": NodeState.DEAD})  # the younger one is forgotten
        assert nodes.epoch("lesson") == epoch
        async with node_process("--controller", house.url, "--name", "south"):
            await watched.until_states({"north": NodeState.DEAD, "south": NodeState.READY})
            await nodes.ensure("lesson", Policy())
            await watched.until_states({"south": NodeState.READY})
            assert nodes.epoch("lesson") not in (None, epoch)


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Bearer {SECRET}x"}])
async def test_nobody_registers_without_the_secret(tmp_path: Path, headers: dict[str, str]) -> None:
    async with registering(tmp_path) as (watched, house):
        visitor = await house.visitor()
        body = {"name": "north", "url": "http://127.0.0.1:1"}
        status, problem = await visitor.ask("POST", "/nodes", body, headers=headers)
        assert (status, problem["type"]) == (403, "/problems/registration-refused")
        assert watched.nodes.fleet.views() == []


async def test_secret_that_is_no_text_is_refused_as_any_other(tmp_path: Path) -> None:
    async with registering(tmp_path) as (watched, _):
        with pytest.raises(RegistrationRefused):  # as aiohttp gives an octet that is no UTF-8
            watched.nodes.fleet.register(Registration(name="north", url="http://127.0.0.1:1"), "\udce9")


async def test_nobody_registers_where_no_secret_is_configured(house: House) -> None:
    visitor = await house.visitor()
    body = {"name": "north", "url": "http://127.0.0.1:1"}
    status, _ = await visitor.ask("POST", "/nodes", body, headers=CONTROL)
    assert status == 403


@pytest.mark.parametrize("url", ["", "ftp://a", "http://a/b", "http://a b", "file:///etc/passwd", "http://u@a"])
async def test_address_that_is_none_is_refused(house: House, url: str) -> None:
    visitor = await house.visitor()
    status, _ = await visitor.ask("POST", "/nodes", {"name": "north", "url": url}, headers=CONTROL)
    assert status == 422


async def test_name_of_a_node_that_is_there_is_not_given_twice(tmp_path: Path) -> None:
    async with registering(tmp_path) as (watched, house):
        async with node_process("--controller", house.url, "--name", "north") as first:
            await watched.until_states({"north": NodeState.READY})
            visitor = await house.visitor()
            body = {"name": "north", "url": "http://127.0.0.1:1"}
            status, problem = await visitor.ask("POST", "/nodes", body, headers=CONTROL)
            assert (status, problem["type"]) == (409, "/problems/node-name-taken")
            first.process.kill()
            await watched.until_states({"north": NodeState.DEAD})
            async with node_process("--controller", house.url, "--name", "north") as second:
                await watched.until_states({"north": NodeState.READY})
                assert watched.nodes.fleet.views()[0].url == second.node.url


async def test_node_says_once_that_it_is_refused(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        async with node_process("--controller", house.url) as remote:
            assert remote.process.stderr is not None
            async for line in remote.process.stderr:
                if b"refuses this node: 403" in line:
                    break
            remote.process.terminate()
            await remote.process.wait()
            assert b"refuses" not in await remote.process.stderr.read()
