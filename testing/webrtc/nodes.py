"""Real nodes to test against: in this process, or as the process that the controller starts."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import aiohttp

from webrtc.bridge.media_plane import MediaPlane
from webrtc.node.arguments import SECRET_VARIABLE
from webrtc.node.events import Events
from webrtc.node.server import make_app
from webrtc.node.status import NodeStatus
from webrtc.shared.control_tls import client_context
from webrtc.shared.idle_connections import IdleConnections, listen
from webrtc.shared.ids import BridgeId, ClientId, ParticipantId
from webrtc.shared.serving import serving
from webrtc.shared.token import Claims, issue
from webrtc.shared.turn import Relays, TurnServers

SECRET = "the secret of a node in a test, long enough"
CONTROL = {"Authorization": f"Bearer {SECRET}"}
ROOT = Path(__file__).parents[2]

Protocol = Literal["whip", "whep"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    url: str
    udp_port: int
    name: str
    http: aiohttp.ClientSession

    def media(self, protocol: Protocol, bridge: str) -> str:
        return f"{self.url}/{protocol}/{bridge}"

    async def open_bridge(self, bridge: str, order: Sequence[str] = (), *, floor: str | None = None) -> None:
        body = {"order": list(order), "floor": floor}
        async with self.http.put(f"{self.url}/v1/bridges/{bridge}", json=body, headers=CONTROL) as response:
            assert response.status in (200, 201), await response.text()

    @asynccontextmanager
    async def events(self) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        async with self.http.ws_connect(f"{self.url}/v1/events", headers=CONTROL) as socket:
            yield socket


def token(
    bridge: str,
    participant: str,
    *,
    client: str = "display",
    publish: bool = True,
    subscribe: bool = True,
    lifetime_s: float = 3600,
    secret: str = SECRET,
) -> str:
    claims = Claims(
        bridge=BridgeId(bridge),
        participant=ParticipantId(participant),
        client=ClientId(client),
        publish=publish,
        subscribe=subscribe,
    )
    return issue(claims, secret=secret, now=datetime.now(UTC), lifetime=timedelta(seconds=lifetime_s))


@asynccontextmanager
async def node_here(host: str = "127.0.0.1", turn: TurnServers | None = None) -> AsyncIterator[Node]:
    """A node in this process and event loop, with media at `host`."""
    status = NodeStatus("here")
    events = Events(status)
    async with (
        MediaPlane(hosts=[host], port=0, advertise=[host], changed=events.changed) as plane,
        aiohttp.ClientSession() as http,
    ):
        app, listener = make_app(plane, events, SECRET, status, Relays(turn)), listen("127.0.0.1", 0)
        async with serving(app, listener, idle=IdleConnections(), shutdown_timeout_s=1.0) as runner:
            port = runner.addresses[0][1]
            yield Node(url=f"http://127.0.0.1:{port}", udp_port=plane.port, name="here", http=http)


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeProcess:
    process: asyncio.subprocess.Process
    node: Node

    async def log(self) -> str:
        """All that it wrote to stderr. Only after its end."""
        assert self.process.stderr is not None
        return (await self.process.stderr.read()).decode()


@asynccontextmanager
async def node_process(*arguments: str) -> AsyncIterator[NodeProcess]:
    """`python -m webrtc.node`, after its ready line."""
    where = () if "--udp" in arguments else ("--udp", "127.0.0.1:0")
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "webrtc.node", *where, "--advertise", "127.0.0.1", *arguments),
        cwd=ROOT,
        env={**os.environ, SECRET_VARIABLE: SECRET},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(20):
            ready = json.loads(await process.stdout.readline())
        connector = aiohttp.TCPConnector(ssl=client_context([SECRET]))
        async with aiohttp.ClientSession(connector=connector) as http:
            node = Node(url=ready["control"], udp_port=ready["udp_port"], name=ready["node"], http=http)
            yield NodeProcess(process=process, node=node)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
