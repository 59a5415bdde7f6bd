"""Any HTTP server of ours, from those who only hold a connection or send what costs much."""

import asyncio
import ssl
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from time import monotonic

import pytest
from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from webrtc.node.problems import problems
from webrtc.shared.control_tls import server_context
from webrtc.shared.idle_connections import IdleConnections, Limits, listen, no_network
from webrtc.shared.serving import plain_bodies, serving

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]
HEAD = "GET /a HTTP/1.1\r\nHost: x\r\n"
LIMITS = Limits(head_s=10, body_s=20, keep_alive_s=60, most=40, most_per_network=8)


class Noticing(IdleConnections):
    """Says when a connection came."""

    def __init__(self, limits: Limits, network_of: Callable[[RequestHandler], str | None]) -> None:
        super().__init__(limits, network_of)
        self.came = asyncio.Event()

    def accepted(self, server: web.Server) -> None:
        super().accepted(server)
        self.came.set()


class Server:
    """One that says how many bytes of a body reached it; `/slow` waits for `go_on`."""

    def __init__(self, idle: Noticing) -> None:
        self.idle = idle
        self.asked, self.go_on = asyncio.Queue[str](), asyncio.Event()
        self.port = 0
        self.runner: web.AppRunner
        self.stack = AsyncExitStack()

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.put_nowait(request.path)
        if request.path == "/slow":
            await self.go_on.wait()
        if request.path == "/refused":
            raise web.HTTPForbidden
        return web.Response(text=f"done {len(await request.read())}")

    async def connect(self, sent: str = "") -> Connection:
        self.idle.came.clear()
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.stack.callback(writer.close)
        writer.write(sent.encode())
        await self.idle.came.wait()
        await asyncio.sleep(0)  # until it has its transport
        return reader, writer

    @property
    def connections(self) -> list[RequestHandler]:
        assert self.runner.server is not None
        return self.runner.server.connections

    @property
    def connected(self) -> list[RequestHandler]:
        return [each for each in self.connections if each.transport is not None]

    def cut(self, after_s: float) -> None:
        """As the sweep does, so much later than now."""
        self.idle.cut(self.connections, monotonic() + after_s)


@asynccontextmanager
async def serving_here(
    *middlewares: Callable[..., Awaitable[web.StreamResponse]],
    limits: Limits = LIMITS,
    network_of: Callable[[RequestHandler], str | None] = no_network,
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[Server]:
    server = Server(Noticing(limits, network_of))
    app = web.Application(middlewares=middlewares, client_max_size=1000)
    app.router.add_route("*", "/{any}", server.answer)
    async with asyncio.timeout(30), serving(app, listen("127.0.0.1", 0), idle=server.idle, tls=tls) as runner:
        server.runner, server.port = runner, runner.addresses[0][1]
        async with server.stack:
            yield server


async def head_of(reader: asyncio.StreamReader) -> bytes:
    return await reader.readuntil(b"\r\n\r\n")


@pytest.mark.parametrize("encoding", ["deflate", "gzip", "br", "zstd", "identity, deflate"])
async def test_a_compressed_body_is_refused_and_never_inflated(encoding: str) -> None:
    bomb = zlib.compress(bytes(10_000_000))
    async with serving_here(plain_bodies) as server:
        reader, writer = await server.connect(
            f"POST /a HTTP/1.1\r\nHost: x\r\nContent-Encoding: {encoding}\r\nContent-Length: {len(bomb)}\r\n\r\n"
        )
        writer.write(bomb)
        head = await head_of(reader)
        assert head.startswith(b"HTTP/1.1 415")
        assert b"Accept-Encoding: identity" in head
        assert server.asked.empty()


async def test_what_is_sent_reaches_a_handler_as_it_was_sent() -> None:
    """Also where nothing refuses it: the parser below all handlers does not inflate."""
    bomb = zlib.compress(bytes(100_000))
    async with serving_here() as server:
        reader, writer = await server.connect(
            f"POST /a HTTP/1.1\r\nHost: x\r\nContent-Encoding: deflate\r\nContent-Length: {len(bomb)}\r\n\r\n"
        )
        writer.write(bomb)
        assert await reader.readuntil(f"done {len(bomb)}".encode())


@pytest.mark.parametrize("body", ["Content-Length: 2000000000", "Transfer-Encoding: chunked"])
async def test_a_refused_request_whose_body_goes_on_ends_the_connection(body: str) -> None:
    async with serving_here() as server:
        reader, _ = await server.connect(f"POST /refused HTTP/1.1\r\nHost: x\r\n{body}\r\n\r\n")
        head = await head_of(reader)
        assert head.startswith(b"HTTP/1.1 403")
        assert b"Connection: close" in head
        await reader.read()


async def test_connections_on_which_nobody_asks_are_closed_each_in_its_time() -> None:
    """Nothing, half a head, half a body, an answer behind it; one that is being answered stays."""
    async with serving_here(problems) as server:
        silent, _ = await server.connect()
        half_head, _ = await server.connect(HEAD + "X: ")
        answered, _ = await server.connect(HEAD + "\r\n")
        await answered.readuntil(b"done 0")
        half_body, _ = await server.connect("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n1")
        busy, _ = await server.connect("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
        while await server.asked.get() != "/slow":
            pass
        server.cut(0)
        server.cut(9)
        assert len(server.connected) == 5
        server.cut(11)
        assert [await each.read() for each in (silent, half_head)] == [b"", b""]
        assert len(server.connected) == 3
        server.cut(21)
        assert await half_body.read() == b""
        server.cut(59)
        assert len(server.connected) == 2
        server.cut(61)
        assert await answered.read() == b""
        server.cut(1000)
        server.go_on.set()
        assert await busy.readuntil(b"done 0")


async def test_the_oldest_idle_connections_make_room() -> None:
    async with serving_here() as server:
        first, _ = await server.connect()
        server.cut(0)
        for _ in range(LIMITS.most):
            await server.connect()
        server.cut(1)
        assert await first.read() == b""
        assert len(server.connected) == LIMITS.most


async def test_a_flood_makes_room_before_the_next_sweep() -> None:
    async with serving_here() as server:
        for _ in range(3 * LIMITS.most):
            await server.connect()
        assert len(server.connected) <= LIMITS.most + LIMITS.most // 4 + 1


async def test_one_network_takes_no_more_than_its_share() -> None:
    networks: dict[RequestHandler, str] = {}
    async with serving_here(network_of=lambda each: networks.setdefault(each, "crowded")) as server:
        other, _ = await server.connect()
        networks[server.connections[0]] = "other"
        for _ in range(20):
            await server.connect()
        server.cut(0)
        await asyncio.sleep(0)
        assert sorted(networks[each] for each in server.connected) == ["crowded"] * 8 + ["other"]
        assert not other.at_eof()


async def test_answers_do_not_name_the_server() -> None:
    async with serving_here() as server:
        reader, _ = await server.connect(HEAD + "\r\n")
        assert b"Server:" not in await head_of(reader)
        reader, _ = await server.connect("\x00 no HTTP\r\n\r\n")
        head = await head_of(reader)
        assert head.startswith(b"HTTP/1.0 400")
        assert not any(each in head.lower() for each in (b"python", b"aiohttp"))


async def test_a_tls_handshake_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webrtc.shared.serving.HANDSHAKE_S", 0.1)
    async with serving_here(tls=server_context("a secret " * 5, ["127.0.0.1"])) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        assert await reader.read() == b""
        writer.close()
