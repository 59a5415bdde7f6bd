"""HTTP connections on which nobody asks anything are closed: each holds a file, and a process may open only so many.

aiohttp waits for the first request, and for the end of its head, as long as the client likes; and for one that does not
take its answer, also after the connection was closed. The former is ended here, the latter by the kernel.
"""

import asyncio
import socket
from collections.abc import Collection
from time import monotonic

from aiohttp import web
from aiohttp.typedefs import Middleware
from aiohttp.web_protocol import RequestHandler

from webrtc.problems import Handler

IDLE_S = 30.0  # a client that comes back later connects again
MAX_IDLE = 128  # the youngest of them stay
SWEEP_S = 1.0
UNREAD_S = 20.0  # a client that takes nothing for so long is cut off


def listen(host: str, port: int) -> socket.socket:
    """A socket to serve HTTP at. Raises `OSError`."""
    listening = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(UNREAD_S * 1000))  # RFC 5482; inherited
    return listening


class IdleConnections:
    """`watch` goes before all other middlewares; `run` closes what is idle."""

    def __init__(self) -> None:
        self.watch: Middleware = self._middleware()
        self._asking: set[RequestHandler] = set()
        self._since: dict[RequestHandler, float] = {}

    async def run(self, server: web.Server) -> None:
        """Without end."""
        while True:
            self.cut(server.connections, monotonic())
            await asyncio.sleep(SWEEP_S)

    def cut(self, connections: Collection[RequestHandler], now: float) -> None:
        """Close those of `connections` that are idle for too long, and the oldest where they are too many."""
        idle = {each: self._since.get(each, now) for each in connections if each not in self._asking}
        self._since = idle
        oldest_first = sorted(idle, key=idle.__getitem__)
        for place, connection in enumerate(oldest_first):
            if now - idle[connection] >= IDLE_S or place < len(idle) - MAX_IDLE:
                connection.force_close()

    def _middleware(self) -> Middleware:
        @web.middleware
        async def watch(request: web.Request, handler: Handler) -> web.StreamResponse:
            connection = request.protocol
            self._asking.add(connection)
            try:
                return await handler(request)
            finally:
                self._asking.discard(connection)
                self._since.pop(connection, None)

        return watch
