"""A node's UDP socket: drained in batches, sent to without waiting."""

import asyncio
import logging
import socket
from time import monotonic

from webrtc.demux import Demultiplexer
from webrtc.forward import Forwarder

logger = logging.getLogger(__name__)

BATCH = 64  # datagrams per turn of the event loop, so that timers and signalling get theirs
# From so many datagrams a second on they gather for a while, as in a network card: a wake-up costs more than a packet,
# and the packets of a frame leave together.
BUSY_PER_S, GATHER_S = 1500, 0.002
COUNT_S = 0.1  # the rate is taken over so long
HELD = 16  # datagrams at most, until what goes out because of them leaves: or it would be late, and look like a queue
SOCKET_BUFFER = 4 << 20  # octets, each way; the kernel may grant less


class UdpSocket:
    """A bound, non-blocking socket for one family: on "::" it takes IPv6 alone. Raises `OSError` where it cannot be."""

    def __init__(self, *, host: str, port: int, demultiplexer: Demultiplexer, forwarder: Forwarder) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        try:
            for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
                self._socket.setsockopt(socket.SOL_SOCKET, option, SOCKET_BUFFER)
            if family == socket.AF_INET6:  # IPv4 clients would have addresses here that they do not know
                self._socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            self._socket.bind((host, port))
        except OSError:
            self._socket.close()
            raise
        self._demultiplexer = demultiplexer
        self._forwarder = forwarder
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._busy = False
        self._counted, self._counted_since = 0, 0.0
        self.sendto = self._socket.sendto  # bound once: it is called for every packet that goes out

    @property
    def port(self) -> int:
        port: int = self._socket.getsockname()[1]
        return port

    def open(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._socket.fileno(), self._readable)

    def close(self) -> None:
        if self._loop is not None:
            self._loop.remove_reader(self._socket.fileno())
            self._loop = None
        if self._timer is not None:
            self._timer.cancel()
        self._socket.close()

    def _readable(self) -> None:
        """Something has come. Where that is often, look again after a while instead of being woken each time."""
        assert self._loop is not None
        all_read = self._drain()
        if self._busy:
            self._loop.remove_reader(self._socket.fileno())
            self._timer = self._loop.call_later(GATHER_S if all_read else 0.0, self._look)

    def _look(self) -> None:
        if self._loop is None:
            return
        all_read = False
        try:
            all_read = self._drain()
        finally:  # a fault in one datagram must not leave the socket unread
            if self._busy:
                self._timer = self._loop.call_later(GATHER_S if all_read else 0.0, self._look)
            else:
                self._loop.add_reader(self._socket.fileno(), self._readable)

    def _drain(self) -> bool:
        """Take in what has come, and whether that is all; what goes out because of it leaves together."""
        self._forwarder.hold()
        try:
            count = self._receive()
        finally:
            self._forwarder.flush()
        self._counted += count
        now = monotonic()
        if now - self._counted_since >= COUNT_S:
            rate = self._counted / (now - self._counted_since)
            self._busy = rate > (BUSY_PER_S / 2 if self._busy else BUSY_PER_S)
            self._counted, self._counted_since = 0, now
        return count < BATCH

    def _receive(self) -> int:
        """How many datagrams there were."""
        recvfrom_into, buffer = self._socket.recvfrom_into, self._demultiplexer.buffer
        receive, sendto = self._demultiplexer.receive, self.sendto
        for count in range(BATCH):
            try:
                size, address = recvfrom_into(buffer)
            except BlockingIOError:
                return count
            except OSError as error:  # the ICMP answer to something sent earlier; the socket itself is well
                logger.debug("udp: %s", error)
                continue
            receive(size, address, sendto)
            if count % HELD == HELD - 1:
                self._forwarder.flush()
                self._forwarder.hold()
        return BATCH
