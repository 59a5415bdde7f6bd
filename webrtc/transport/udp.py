"""A node's UDP socket: drained in batches, sent to without waiting."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from time import monotonic
from typing import Protocol

from webrtc.transport.demux import Demultiplexer
from webrtc.transport.receive import HELD, Inbox

BATCH = 64  # datagrams per turn of the event loop, so that timers and signalling get theirs
BUSY_PER_S = 1500  # datagrams a second; a busier socket is read every `GATHER_S` instead of at each datagram
GATHER_S = 0.002  # as in a network card: a wake-up costs more than a packet, and the packets of a frame leave together
COUNT_S = 0.1  # the rate is measured over so long
SOCKET_BUFFER = 4 << 20  # octets, each way; the kernel may grant less


class Outgoing(Protocol):
    """The way out for packets: after `hold` they gather until `flush`."""

    def hold(self) -> None: ...

    def flush(self) -> None: ...


@contextmanager
def sharing(*sockets: socket.socket) -> Iterator[None]:
    """Let `sockets` have one port. The option is off again after that: or another program could take their packets."""
    for each in sockets:
        each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        yield
    finally:
        for each in sockets:
            each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)


class UdpSocket:
    """A bound, non-blocking socket for one family: on "::" it takes IPv6 alone. Raises `OSError` where it cannot bind.

    `beside`: the socket for all addresses of the machine, with which this one, for one of the addresses, shares a port.
    """

    def __init__(
        self,
        *,
        host: str,
        port: int,
        demultiplexer: Demultiplexer,
        inbox: Inbox,
        outgoing: Outgoing,
        beside: "UdpSocket | None" = None,
    ) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        try:
            for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
                self._socket.setsockopt(socket.SOL_SOCKET, option, SOCKET_BUFFER)
            if family == socket.AF_INET6:  # else IPv4 clients would have mapped addresses, which they do not know
                self._socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            with sharing(self._socket, beside._socket) if beside is not None else nullcontext():
                self._socket.bind((host, port))
        except OSError:
            self._socket.close()
            raise
        self._demultiplexer = demultiplexer
        self._outgoing = outgoing
        self._inbox = inbox
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._busy = False
        self._counted, self._counted_since = 0, 0.0
        # Bound once: the first is called for every packet that comes in, the other for every one that goes out.
        self._receive = demultiplexer.receive
        self.sendto = self._socket.sendto

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
        """Read what has come. A busy socket is read again after a while, instead of at each datagram."""
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
        """Take in what has come; whether that was all. What goes out because of it leaves together."""
        count, all_read = 0, False
        while count < BATCH and not all_read:
            self._outgoing.hold()
            try:
                some = self._inbox.receive(self._socket, self._demultiplexer.buffer, self._receive, self.sendto)
            finally:
                self._outgoing.flush()
            count += some
            all_read = some < HELD
        self._counted += count
        now = monotonic()
        if now - self._counted_since >= COUNT_S:
            rate = self._counted / (now - self._counted_since)
            self._busy = rate > (BUSY_PER_S / 2 if self._busy else BUSY_PER_S)
            self._counted, self._counted_since = 0, now
        return all_read
