"""HTTP from those who may ask, and from those who only hold a connection: resources, layouts, slow heads and bodies."""

import asyncio
import json
import random
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from testing.webrtc.nodes import Node, node_here, token
from tests.webrtc.sdp.test_offer import OFFERS
from tests.webrtc.test_hostile import SDP, _goes_on, _lesson, _status
from webrtc.shared.idle_connections import listen

FRAGMENT = {"Content-Type": "application/trickle-ice-sdpfrag", "If-Match": "*"}
JSON = {"Content-Type": "application/json"}


@asynccontextmanager
async def _resource(node: Node, protocol: str, offer: str) -> AsyncIterator[tuple[str, dict[str, str]]]:
    """The path of a member's own resource, and the header that opens it."""
    authorization = {"Authorization": f"Bearer {token('lesson', 'room-c')}"}
    async with node.http.post(f"{node.url}/{protocol}/lesson", data=offer, headers=SDP | authorization) as response:
        assert response.status == 201
        yield response.headers["Location"], authorization


async def test_fragments_of_nonsense_are_refused() -> None:
    chance = random.Random(21)
    async with node_here() as node, _lesson(node) as video:
        async with _resource(node, "whip", OFFERS["chromium_send"]) as (path, authorization):
            good = (
                "a=ice-ufrag:abcd\r\na=ice-pwd:" + "x" * 24 + "\r\nm=audio 9 RTP/AVP 0\r\na=mid:0\r\na=candidate:1\r\n"
            )
            for number in range(200):
                at = chance.randrange(len(good))
                damaged = good[:at].encode() + chance.randbytes(chance.randrange(30)) + good[at + 10 :].encode()
                body = damaged if number % 3 else chance.randbytes(2000)
                status = await _status(node, "PATCH", path, data=body, headers=FRAGMENT | authorization)
                assert status in (200, 204, 400, 422)
        await _goes_on(video)


async def test_layouts_of_nonsense_are_refused() -> None:
    chance = random.Random(22)
    wrong = [
        0,
        "",
        [],
        {"slots": []},
        {"slots": {"0": 5}},
        {"slots": {"0": {"height": -1}}},
        {"slots": {"0": {"height": 1e9}}},
    ]
    async with node_here() as node, _lesson(node) as video:
        async with _resource(node, "whep", OFFERS["chromium_recv"]) as (path, authorization):
            headers = JSON | authorization
            bodies = [json.dumps(each).encode() for each in wrong]
            bodies += [
                b"[" * 100_000,
                b'{"slots": ' * 20_000,
                chance.randbytes(3000),
                b'{"slots":{"0":{"height":NaN}}}',
            ]
            for body in bodies:
                assert await _status(node, "PUT", f"{path}/layout", data=body, headers=headers) == 400
            for number in range(300):
                body = json.dumps({"slots": {str(chance.randrange(100)): {"height": number % 7 * 100}}}).encode()
                assert await _status(node, "PUT", f"{path}/layout", data=body, headers=headers) == 204
        await _goes_on(video)


async def test_slow_bodies_are_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webrtc.node.whip.BODY_TIMEOUT_S", 0.2)
    async with node_here() as node, _lesson(node) as video:
        port = int(node.url.rpartition(":")[2])
        head = f"POST /whip/lesson HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token('lesson', 'room-c')}\r\n"
        head += "Content-Type: application/sdp\r\nContent-Length: 5000\r\n\r\nv=0"
        slow = [await asyncio.open_connection("127.0.0.1", port) for _ in range(50)]
        async with asyncio.timeout(30):
            for _, writer in slow:
                writer.write(head.encode())
            for reader, writer in slow:
                assert (await reader.readline()).startswith(b"HTTP/1.1 408")
                writer.close()
        await _goes_on(video)


async def test_client_who_reads_nothing_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the kernel: a transport with something left to write stays open for ever, also once it was closed."""
    monkeypatch.setattr("webrtc.shared.idle_connections.UNREAD_S", 0.5)
    gone = asyncio.Event()

    async def events(request: web.Request) -> web.WebSocketResponse:
        listener = web.WebSocketResponse()
        await listener.prepare(request)
        try:
            while True:
                await listener.send_str("x" * 65536)
        finally:
            gone.set()

    app = web.Application()
    app.router.add_get("/", events)
    runner = web.AppRunner(app)
    await runner.setup()
    silent = socket.socket()
    silent.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    try:
        await web.SockSite(runner, listen("127.0.0.1", 0)).start()
        silent.connect(runner.addresses[0][:2])
        upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        silent.send(f"GET / HTTP/1.1\r\nHost: x\r\n{upgrade}Sec-WebSocket-Key: {'A' * 22}==\r\n\r\n".encode())
        async with asyncio.timeout(20):
            await gone.wait()
    finally:
        silent.close()
        await runner.cleanup()
