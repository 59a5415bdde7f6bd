"""How each HTTP server of ours is run: the node's, the controller's, that for operators at a shell.

What a client sends is never inflated: some kilobytes of it could be gigabytes, and each of them costs CPU.
"""

import asyncio
import logging
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web, web_response
from aiohttp.log import server_logger
from aiohttp.typedefs import Handler
from aiohttp.web_protocol import RequestHandler

from webrtc.shared.idle_connections import IdleConnections

HANDSHAKE_S = 10.0  # of TLS
LINGER_S = 1.0  # for a client to read why its body is not read, before the connection ends
BACKLOG = 128

# Clients need not learn which versions answer. `drop_server` removes the header; this is for the answers that aiohttp
# gives by itself, to bytes that are no HTTP.
vars(web_response)["SERVER_SOFTWARE"] = "nhipcau"


@web.middleware
async def plain_bodies(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuses a body that is compressed: 415, with what is taken instead (RFC 9110 15.5.16). Goes after `problems`."""
    if request.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
        raise web.HTTPUnsupportedMediaType(headers={"Accept-Encoding": "identity"})
    return await handler(request)


async def drop_server(request: web.Request, response: web.StreamResponse) -> None:
    """An `on_response_prepare` signal."""
    response.headers.pop("Server", None)


@asynccontextmanager
async def serving(
    app: web.Application,
    listener: socket.socket,
    *,
    idle: IdleConnections,
    tls: ssl.SSLContext | None = None,
    shutdown_timeout_s: float = 2.0,
    logger: logging.Logger = server_logger,
) -> AsyncIterator[web.AppRunner]:
    """Serve `app`, which is not running yet, at `listener` until the block ends."""
    app.middlewares.insert(0, idle.watch)
    app.on_response_prepare.append(drop_server)
    runner = web.AppRunner(
        app,
        access_log=None,
        logger=logger,
        shutdown_timeout=shutdown_timeout_s,
        auto_decompress=False,
        lingering_time=LINGER_S,
        keepalive_timeout=idle.limits.keep_alive_s,
    )
    await runner.setup()
    server = runner.server
    assert server is not None  # after `setup`
    cutting = asyncio.create_task(idle.run(server), name="cut idle HTTP connections")
    try:
        await _Site(runner, listener, idle, tls).start()
        yield runner
    finally:
        cutting.cancel()
        await asyncio.wait([cutting])
        await runner.cleanup()


class _Site(web.BaseSite):
    """aiohttp's site, with a limit to the time of a TLS handshake, and an eye on floods of connections."""

    __slots__ = ("_idle", "_listener")

    def __init__(
        self, runner: web.AppRunner, listener: socket.socket, idle: IdleConnections, tls: ssl.SSLContext | None
    ) -> None:
        super().__init__(runner, ssl_context=tls, backlog=BACKLOG)
        self._listener = listener
        self._idle = idle

    @property
    def name(self) -> str:
        return str(self._listener.getsockname())

    async def start(self) -> None:
        await super().start()
        self._server = await asyncio.get_running_loop().create_server(
            self._accept,
            sock=self._listener,
            ssl=self._ssl_context,
            backlog=self._backlog,
            ssl_handshake_timeout=None if self._ssl_context is None else HANDSHAKE_S,
        )

    def _accept(self) -> RequestHandler:
        server = self._runner.server
        assert server is not None
        self._idle.accepted(server)
        return server()
