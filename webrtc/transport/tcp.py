"""ICE over TCP for clients that cannot use UDP: passive candidates (RFC 6544), datagrams in frames (RFC 4571).

TCP never loses a packet: it delays all that come after. So packets that do not fit a small buffer are dropped here, in
whole frames, as a full network would drop them.
"""

import asyncio
import logging
import socket
from collections import Counter
from collections.abc import Callable, Sequence
from typing import cast

from webrtc.transport.demux import MAX_DATAGRAM, Demultiplexer
from webrtc.transport.path import Address

logger = logging.getLogger(__name__)

LENGTH = 2  # octets before each frame
READ_SIZE = 16 << 10  # octets taken from one stream per turn of the event loop
MAX_QUEUED = 256 << 10  # octets of media waiting in one stream; more is dropped
RESERVE = 16 << 10  # octets kept for STUN and DTLS beyond that
UNSENT = 16 << 10  # octets that the kernel queues and has not sent: most of the queue is ours, which is bounded
MAX_STREAMS = 768  # of a node; well below the 1024 files that a process may open
MAX_UNVERIFIED = 256  # streams without a good check yet
MAX_UNVERIFIED_PER_SOURCE = 128  # streams without a good check yet from one IP, which may be a school's
CHECK_TIMEOUT_S = 10.0  # a stream without a good check for so long is closed
STALL_TIMEOUT_S = 30.0  # a stream whose client takes nothing of what waits is closed; a link may be dead for so long
SWEEP_S = 1.0


class TcpServer:
    """Listens on `port` of each of `hosts`. `ended`: called with the address of each stream that has ended.

    Raises `OSError` where it cannot listen. `open` it, and `close` it in any case.
    """

    def __init__(
        self, *, hosts: Sequence[str], port: int, demultiplexer: Demultiplexer, ended: Callable[[Address], None]
    ) -> None:
        self.refused = 0  # streams that were too many, stalled, or broke the protocol
        self.demultiplexer = demultiplexer
        self.shared = memoryview(bytearray(LENGTH + MAX_DATAGRAM + READ_SIZE))  # what the streams read into, in turns
        self._ended = ended
        self._streams: dict[Address, Stream] = {}
        self._sockets: list[socket.socket] = []
        self._servers: list[asyncio.Server] = []
        self._sweeping: asyncio.TimerHandle | None = None
        try:
            for host in hosts:
                family = socket.AF_INET6 if ":" in host else socket.AF_INET
                self._sockets.append(socket.create_server((host, port), family=family, backlog=256))
        except OSError:
            self._close_sockets()
            raise

    @property
    def port(self) -> int:
        port: int = self._sockets[0].getsockname()[1]
        return port

    async def open(self) -> None:
        loop = asyncio.get_running_loop()
        for listening in self._sockets:
            self._servers.append(await loop.create_server(lambda: Stream(self), sock=listening))
        self._sweep()

    async def close(self) -> None:
        if self._sweeping is not None:
            self._sweeping.cancel()
        for server in self._servers:
            server.close()
        for stream in list(self._streams.values()):
            stream.abort()
        for server in self._servers:
            await server.wait_closed()
        self._close_sockets()

    def _close_sockets(self) -> None:
        for listening in self._sockets:
            listening.close()

    def admit(self, stream: "Stream") -> bool:
        """Whether `stream` has a place. Where there is none, the oldest stream without a good check is ended for it.

        A client sends a good check within a round trip or two. Streams that only fill places cannot shut it out.
        """
        unverified = [each for each in self._streams if each not in self.demultiplexer.peers]  # oldest first
        by_source = Counter(each[0] for each in unverified)
        crowded = None
        if by_source[stream.address[0]] >= MAX_UNVERIFIED_PER_SOURCE:
            crowded = stream.address[0]
        elif unverified and (len(unverified) >= MAX_UNVERIFIED or len(self._streams) >= MAX_STREAMS):
            [(crowded, _)] = by_source.most_common(1)
        elif len(self._streams) >= MAX_STREAMS:
            self.refused += 1
            return False
        if crowded is not None:
            oldest = self._streams[next(each for each in unverified if each[0] == crowded)]
            self.refused += 1
            self.remove(oldest)  # at once: the end of its socket takes a turn of the event loop
            oldest.abort()
        self._streams[stream.address] = stream
        return True

    def remove(self, stream: "Stream") -> None:
        if self._streams.pop(stream.address, None) is not None:
            self._ended(stream.address)

    def cut(self, now: float) -> None:
        """End the streams that no longer live. `now`: on the event loop's clock."""
        for stream in list(self._streams.values()):
            if not stream.lives(now):
                self.refused += 1
                stream.abort()

    def _sweep(self) -> None:
        loop = asyncio.get_running_loop()
        self._sweeping = loop.call_later(SWEEP_S, self._sweep)
        self.cut(loop.time())


class Stream(asyncio.BufferedProtocol):
    """One client's TCP connection. `address`: its key among all addresses of clients."""

    address: Address = ("", 0, "tcp")

    def __init__(self, server: TcpServer) -> None:
        self._server = server
        self._demultiplexer = server.demultiplexer
        self._transport: asyncio.Transport | None = None
        self._rest = b""  # the beginning of a frame
        self._written = 0  # octets, in all
        self._taken = 0  # octets of these that had left us at the last sweep
        self._moving_at = self._verified_at = asyncio.get_running_loop().time()

    def lives(self, now: float) -> bool:
        """Whether the client is there: its checks come in, and it takes what is sent."""
        if self.address in self._demultiplexer.peers:
            self._verified_at = now
        queued = self._transport.get_write_buffer_size() if self._transport is not None else 0
        if queued == 0 or self._written - queued != self._taken:
            self._taken, self._moving_at = self._written - queued, now
        return now - self._verified_at < CHECK_TIMEOUT_S and now - self._moving_at < STALL_TIMEOUT_S

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def sendto(self, datagram: memoryview | bytes, address: Address) -> None:
        """A frame with `datagram`; see `path.SendTo`. Raises `BlockingIOError` where it does not fit."""
        transport = self._transport
        if transport is None or transport.is_closing():
            raise BrokenPipeError
        limit = MAX_QUEUED if datagram[0] & 0x80 else MAX_QUEUED + RESERVE
        if transport.get_write_buffer_size() > limit:
            raise BlockingIOError
        transport.write(len(datagram).to_bytes(LENGTH, "big") + datagram)
        self._written += LENGTH + len(datagram)

    # -- asyncio.BufferedProtocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        host, port = transport.get_extra_info("peername")[:2]
        self.address = (host, port, "tcp")
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT)
        if not self._server.admit(self):
            self.abort()

    def get_buffer(self, sizehint: int) -> memoryview:
        begun = len(self._rest)
        self._server.shared[:begun] = self._rest
        return self._server.shared[begun : begun + READ_SIZE]

    def buffer_updated(self, nbytes: int) -> None:
        came, buffer = self._server.shared, self._demultiplexer.buffer
        receive, peers, address, sendto = (
            self._demultiplexer.receive,
            self._demultiplexer.peers,
            self.address,
            self.sendto,
        )
        at, end = 0, len(self._rest) + nbytes
        while end - at >= LENGTH:
            size = came[at] << 8 | came[at + 1]
            if size > MAX_DATAGRAM:
                self._refuse()
                return
            start, at_next = at + LENGTH, at + LENGTH + size
            if at_next > end:
                break
            if address not in peers and (size == 0 or came[start] > 3):  # a stranger must begin with a check (RFC 7983)
                self._refuse()
                return
            buffer[:size] = came[start:at_next]
            receive(size, address, sendto)
            at = at_next
        self._rest = bytes(came[at:end])

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._server.remove(self)

    def _refuse(self) -> None:
        self._rest = b""
        self._server.refused += 1
        self.abort()
