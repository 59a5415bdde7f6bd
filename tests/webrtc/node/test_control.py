import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from importlib.metadata import version

import aiohttp
import pytest

from testing.webrtc.nodes import CONTROL, Node, node_here, token
from tests.webrtc.sdp.test_offer import OFFERS
from webrtc.forwarding import engines
from webrtc.shared.ids import BridgeId
from webrtc.shared.state import BridgeState

EMPTY = json.loads(json.dumps(BridgeState(id=BridgeId("lesson"), participants=()).to_json()))


@pytest.fixture
async def node() -> AsyncIterator[Node]:
    async with node_here() as node:
        yield node


async def _ask(node: Node, method: str, path: str, body: object = None, data: bytes | None = None) -> tuple[int, str]:
    sent = {"data": data} if data is not None else {"json": body} if body is not None else {}
    async with node.http.request(method, node.url + path, headers=CONTROL, **sent) as response:
        return response.status, await response.text()


async def _publish(node: Node, bridge: str, participant: str) -> str:
    headers = {"Content-Type": "application/sdp", "Authorization": f"Bearer {token(bridge, participant)}"}
    async with node.http.post(node.media("whip", bridge), data=OFFERS["chromium_send"], headers=headers) as response:
        assert response.status == 201, await response.text()
        return response.headers["Location"]


async def _event(socket: aiohttp.ClientWebSocketResponse) -> dict[str, object]:
    """The next event of a bridge."""
    async with asyncio.timeout(5):
        while True:
            event: dict[str, object] = json.loads(await socket.receive_str())
            if event["type"] != "load":
                return event


async def _load(socket: aiohttp.ClientWebSocketResponse) -> dict[str, object]:
    """The next event of the node itself."""
    async with asyncio.timeout(5):
        while True:
            event: dict[str, object] = json.loads(await socket.receive_str())
            if event["type"] == "load":
                return event


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/node"),
        ("POST", "/v1/drain"),
        ("DELETE", "/v1/drain"),
        ("GET", "/v1/bridges"),
        ("PUT", "/v1/bridges/lesson"),
        ("DELETE", "/v1/bridges/lesson"),
        ("POST", "/v1/bridges/lesson/exclusions"),
        ("GET", "/v1/events"),
        ("GET", "/metrics"),
    ],
)
@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "Bearer \xe9"}])
async def test_nothing_is_done_without_the_secret(node: Node, method: str, path: str, headers: dict[str, str]) -> None:
    await node.open_bridge("lesson")
    async with node.http.request(method, node.url + path, headers=headers) as response:
        assert response.status == 401
        assert (await response.json(content_type="application/problem+json"))["type"] == "/problems/token-invalid"
    assert json.loads((await _ask(node, "GET", "/v1/bridges"))[1]) == {"bridges": [EMPTY]}


async def test_token_of_a_lesson_opens_no_control(node: Node) -> None:
    headers = {"Authorization": f"Bearer {token('lesson', 'room-a')}"}
    async with node.http.get(f"{node.url}/v1/bridges", headers=headers) as response:
        assert response.status == 401


async def test_node_lists_what_it_holds(node: Node) -> None:
    await node.open_bridge("lesson")
    await _publish(node, "lesson", "room-a")
    status, text = await _ask(node, "GET", "/v1/node")
    told = json.loads(text)
    assert told.pop("uptime_s") >= 0
    own = {"node": "here", "engine": engines.chosen.name, "udp_port": node.udp_port, "bridges": 1, "connections": 1}
    load = {"cpu": 0.0, "lag_s": 0.0, "packets_in_per_s": 0, "packets_out_per_s": 0}
    assert (status, told) == (200, own | load | {"draining": False, "capacity": 0, "version": version("nhipcau")})


async def test_bridge_is_opened_once_and_closed_for_good(node: Node) -> None:
    path = "/v1/bridges/lesson"
    answers = [await _ask(node, "PUT", path, {"order": ["room-a"]}) for _ in range(2)]
    assert answers == [(201, '{"id": "lesson"}'), (200, '{"id": "lesson"}')]
    assert [(await _ask(node, "DELETE", path))[0] for _ in range(2)] == [204, 204]
    assert json.loads((await _ask(node, "GET", "/v1/bridges"))[1]) == {"bridges": []}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b'{"order": "room-a"}',
        b'{"order": [1]}',
        b'{"order": ["a b"]}',
        b'{"order": [], "muted": "room-a"}',
        b'{"order": [], "dark": [1]}',
        b"[" * 100_000,
        b"\xff",
    ],
)
async def test_bridge_with_a_bad_body_is_not_opened(node: Node, body: bytes) -> None:
    assert (await _ask(node, "PUT", "/v1/bridges/lesson", data=body))[0] == 400
    assert json.loads((await _ask(node, "GET", "/v1/bridges"))[1]) == {"bridges": []}


async def test_bridge_with_a_bad_name_is_not_opened(node: Node) -> None:
    assert (await _ask(node, "PUT", "/v1/bridges/a%20b", {"order": []}))[0] == 400
    assert (await _ask(node, "PUT", f"/v1/bridges/{'x' * 129}", {"order": []}))[0] == 400


async def test_what_is_taken_back_ends_and_cannot_be_used_again(node: Node) -> None:
    await node.open_bridge("lesson")
    for participant in ("room-a", "room-b"):
        await _publish(node, "lesson", participant)
    old = token("lesson", "room-a")
    now = datetime.now(UTC).timestamp()
    body = {"participant": "room-a", "client": None, "before": now, "until": now + 300}
    assert [(await _ask(node, "POST", "/v1/bridges/lesson/exclusions", body))[0] for _ in range(2)] == [204, 204]
    assert json.loads((await _ask(node, "GET", "/v1/node"))[1])["connections"] == 1
    assert await _status(node, old) == 401
    assert await _status(node, token("lesson", "room-b")) == 400  # that is no offer
    assert await _status(node, token("lesson", "room-a")) == 400  # let in again since


async def test_what_is_taken_back_is_kept_although_the_bridge_is_not_there(node: Node) -> None:
    old, now = token("lesson", "room-a"), datetime.now(UTC).timestamp()
    body = {"client": "display", "before": now, "until": now + 300}
    assert (await _ask(node, "POST", "/v1/bridges/lesson/exclusions", body))[0] == 204
    await node.open_bridge("lesson")
    assert await _status(node, old) == 401


async def test_who_is_taken_back_while_the_offer_comes_is_not_let_in(node: Node) -> None:
    await node.open_bridge("lesson")
    begun, proceed = asyncio.Event(), asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        yield b"v=0"
        begun.set()
        await proceed.wait()
        yield b"\r\n"

    headers = {"Authorization": f"Bearer {token('lesson', 'room-a')}", "Content-Type": "application/sdp"}
    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:

        async def come() -> int:
            async with node.http.post(f"{node.url}/whip/lesson", data=slowly(), headers=headers) as response:
                return response.status

        coming = tasks.create_task(come())
        await begun.wait()
        now = datetime.now(UTC).timestamp()
        await _ask(node, "POST", "/v1/bridges/lesson/exclusions", {"before": now, "until": now + 300})
        proceed.set()
        assert await coming == 401


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"before": 1}',
        b'{"before": "1", "until": 2}',
        b'{"before": true, "until": 2}',
        b'{"before": -1, "until": 2}',
        b'{"before": NaN, "until": 2}',
        b'{"before": 1e300, "until": 2}',
        b'{"before": 1, "until": 2, "client": ""}',
        b'{"before": 1, "until": 2, "participant": 7}',
    ],
)
async def test_exclusion_with_a_bad_body_is_refused(node: Node, body: bytes) -> None:
    assert (await _ask(node, "POST", "/v1/bridges/lesson/exclusions", data=body))[0] == 400


async def _status(node: Node, token: str) -> int:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/sdp"}
    async with node.http.post(f"{node.url}/whip/lesson", data="no offer", headers=headers) as response:
        return response.status


async def test_events_begin_with_a_snapshot_and_tell_every_change(node: Node) -> None:
    await node.open_bridge("early")
    async with node.events() as socket:
        snapshot = await _event(socket)
        assert isinstance(load := snapshot.pop("load"), dict)
        assert (load["draining"], load["capacity"]) == (False, 0)
        assert snapshot == {"type": "snapshot", "node": "here", "bridges": [EMPTY | {"id": "early"}]}
        await node.open_bridge("lesson", ["room-a"])
        assert await _event(socket) == {"type": "bridge", "bridge": EMPTY}
        await _publish(node, "lesson", "room-a")
        participants = [each["id"] for each in (await _state(socket, "lesson"))["participants"]]
        assert participants == ["room-a"]
        await _ask(node, "DELETE", "/v1/bridges/lesson")
        while (event := await _event(socket))["type"] == "bridge":
            pass
        assert event == {"type": "closed", "bridge": "lesson"}


async def test_node_is_drained_and_used_again(node: Node) -> None:
    async with node.events() as socket:
        assert [(await _ask(node, "POST", "/v1/drain"))[0] for _ in range(2)] == [204, 204]
        assert (await _load(socket))["draining"] is True
        assert json.loads((await _ask(node, "GET", "/v1/node"))[1])["draining"] is True
        assert (await _ask(node, "DELETE", "/v1/drain"))[0] == 204
        assert (await _load(socket))["draining"] is False


async def test_events_repeat_a_bridge_in_use_each_second(node: Node) -> None:
    await node.open_bridge("lesson")
    await _publish(node, "lesson", "room-a")
    loop = asyncio.get_running_loop()
    async with node.events() as socket:
        assert (await _event(socket))["type"] == "snapshot"
        times = []
        for _ in range(3):
            assert (await _event(socket))["type"] == "bridge"
            times.append(loop.time())
    assert times[-1] - times[0] < 3.0


async def test_burst_of_changes_is_sent_at_most_ten_times_a_second(node: Node) -> None:
    async with node.events() as socket:
        assert (await _event(socket))["type"] == "snapshot"
        started = asyncio.get_running_loop().time()
        for _ in range(30):
            await node.open_bridge("lesson")
            await _ask(node, "PUT", "/v1/bridges/lesson", {"order": ["room-a"]})
        await node.open_bridge("end")
        told = []
        while "end" not in told:
            told.append((await _event(socket))["bridge"]["id"])  # type: ignore[index]
        elapsed = asyncio.get_running_loop().time() - started
    assert told.count("lesson") <= 2 + elapsed / 0.1


async def test_metrics_are_for_prometheus(node: Node) -> None:
    await node.open_bridge("lesson")
    await _publish(node, "lesson", "room-a")
    status, text = await _ask(node, "GET", "/metrics")
    values = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    assert status == 200
    assert (
        values
        | {
            "nhipcau_node_bridges": "1.0",
            "nhipcau_node_connections": "1.0",
            "nhipcau_node_draining": "0.0",
            'nhipcau_node_participants{link="lost"}': "1.0",
            "nhipcau_node_tracks_flowing": "0.0",
            'nhipcau_node_slots{flow="live",role="stage"}': "0.0",
            'nhipcau_node_subscribers_loss_ratio_bucket{le="+Inf"}': "0.0",
        }
        == values
    )


async def _state(socket: aiohttp.ClientWebSocketResponse, bridge: str) -> dict[str, list[dict[str, object]]]:
    """The next state of `bridge` with someone in it."""
    while True:
        event = await _event(socket)
        state = event.get("bridge")
        if isinstance(state, dict) and state["id"] == bridge and state["participants"]:
            return state
