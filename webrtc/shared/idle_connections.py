"""Closes HTTP connections that bring no request: each holds a file, and a process may open only so many.

aiohttp waits without limit for a request, for the end of its head, and for the end of its body. `IdleConnections` ends
that. aiohttp also waits without limit for a client that does not read its answer. The kernel ends that.
"""

import asyncio
import socket
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from time import monotonic

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from aiohttp.web_protocol import RequestHandler

SWEEP_S = 1.0
UNREAD_S = 20.0  # a client that reads nothing for so long is cut off


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long a connection may wait, and how many may. Of too many, the oldest are closed."""

    head_s: float = 10.0  # from the connection to the end of the first request's head
    body_s: float = 20.0  # from there to the end of its body
    keep_alive_s: float = 60.0  # from an answer to the next request; a client that comes back later connects again
    most: int = 128
    most_per_network: int | None = None  # None: as many as in all


def listen(host: str, port: int) -> socket.socket:
    """A socket to serve HTTP at. Raises `OSError`."""
    listening = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    cut_off_unread(listening)
    return listening


def cut_off_unread(listening: socket.socket) -> None:
    """Have the kernel end each connection that comes in there and whose client reads nothing (RFC 5482)."""
    if listening.family in (socket.AF_INET, socket.AF_INET6):
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(UNREAD_S * 1000))  # inherited


def no_network(connection: RequestHandler) -> str | None:
    """For servers whose clients are all one: the controller, or this machine."""
    return None


class IdleConnections:
    """`watch` goes before all other middlewares; `run` closes what is idle.

    `network_of`: the network in whose share a connection counts; None where the other end is a proxy for many.
    """

    def __init__(
        self, limits: Limits = Limits(), network_of: Callable[[RequestHandler], str | None] = no_network
    ) -> None:
        self.limits = limits
        self.watch: Middleware = self._middleware()
        self._network_of = network_of
        self._asking: dict[RequestHandler, tuple[web.Request, float]] = {}
        self._connected: dict[RequestHandler, float] = {}
        self._answered: dict[RequestHandler, float] = {}
        self._new = 0

    async def run(self, server: web.Server) -> None:
        """Without end."""
        while True:
            self.cut(server.connections, monotonic())
            await asyncio.sleep(SWEEP_S)

    def accepted(self, server: web.Server) -> None:
        """Count a new connection; of a flood, the oldest are closed before the next sweep."""
        self._new += 1
        if self._new > self.limits.most // 4:
            self.cut(server.connections, monotonic())

    def cut(self, connections: Collection[RequestHandler], now: float) -> None:
        """Close those of `connections` that wait for too long, and the oldest where they are too many."""
        self._new = 0
        waiting = dict(self._waiting(connections, now))
        for each in _late_or_too_many(waiting, now, self.limits, self._network_of):
            each.force_close()

    def _waiting(
        self, connections: Collection[RequestHandler], now: float
    ) -> Iterator[tuple[RequestHandler, tuple[float, float]]]:
        """The connections that have no complete request: since when each waits, and until when it may."""
        connected, answered = {}, {}
        for each in connections:
            if each in self._asking:
                request, since = self._asking[each]
                if not request.content.is_eof():
                    yield each, (since, since + self.limits.body_s)
            elif each in self._answered:
                since = answered[each] = self._answered[each]
                yield each, (since, since + self.limits.keep_alive_s)
            else:
                since = connected[each] = self._connected.get(each, now)
                yield each, (since, since + self.limits.head_s)
        self._connected, self._answered = connected, answered

    def _middleware(self) -> Middleware:
        @web.middleware
        async def watch(request: web.Request, handler: Handler) -> web.StreamResponse:
            connection = request.protocol
            self._asking[connection] = request, monotonic()
            try:
                response = await handler(request)
            except web.HTTPException as error:
                _end_unread(request, error)
                raise
            finally:
                del self._asking[connection]
                self._answered[connection] = monotonic()
            _end_unread(request, response)
            return response

        return watch


def _end_unread(request: web.Request, response: web.StreamResponse) -> None:
    """Have the connection end with the answer where that refuses a body: the rest of it is not read for nothing."""
    if response.status >= 400 and not request.content.is_eof():
        response.force_close()


def _late_or_too_many(
    waiting: dict[RequestHandler, tuple[float, float]],
    now: float,
    limits: Limits,
    network_of: Callable[[RequestHandler], str | None],
) -> list[RequestHandler]:
    networks = {each: network_of(each) for each in waiting}
    left, left_of = len(waiting), Counter(networks.values())
    per_network = limits.most if limits.most_per_network is None else limits.most_per_network
    found = []
    for each in sorted(waiting, key=lambda each: waiting[each][0]):
        network = networks[each]
        crowded = network is not None and left_of[network] > per_network
        if now >= waiting[each][1] or left > limits.most or crowded:
            found.append(each)
            left -= 1
            left_of[network] -= 1
    return found
