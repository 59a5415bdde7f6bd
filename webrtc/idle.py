"""HTTP connections on which nobody asks anything are closed: each holds a file, and a process may open only so many.

aiohttp waits for the first request, and for the end of its head, as long as the client likes.
"""

import asyncio
from collections.abc import Collection
from time import monotonic

from aiohttp import web
from aiohttp.typedefs import Middleware
from aiohttp.web_protocol import RequestHandler

from webrtc.problems import Handler

IDLE_S = 30.0  # a client that comes back later connects again
MAX_IDLE = 128  # the youngest of them stay
SWEEP_S = 1.0


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
