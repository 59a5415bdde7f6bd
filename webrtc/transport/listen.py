"""The sockets for a node's media: one port number, over UDP and TCP, for each address that it listens on."""

import errno
import logging
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

from webrtc.transport.demux import Demultiplexer
from webrtc.transport.path import Address
from webrtc.transport.receive import Inbox
from webrtc.transport.tcp import TcpServer
from webrtc.transport.udp import Outgoing, UdpSocket

logger = logging.getLogger(__name__)

EVERY_ADDRESS = ("0.0.0.0", "::")  # of one family, as sockets take it
NO_IPV6 = (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL)
ATTEMPTS = 20  # to find a port that is free for all sockets, where any port will do


class MediaPort:
    """All sockets of a node. An async context manager; raises `OSError` where the port is taken.

    `hosts`: IP addresses to listen on; "::" is all of the machine, of both families. `port`: 0 is any free one.
    `advertise`: the addresses in candidates. A check must be answered from the address that it was sent to (RFC 8445
    7.2.5.2.1); a socket for all addresses would leave the choice to the kernel. So each of them that is the machine's
    has a socket of its own.
    `tcp`: whether to take TCP as well. `ended`: see `TcpServer`. `inbox`: makes one for each UDP socket. `outgoing`:
    gathers what is sent because of the datagrams that are taken in at once.
    """

    def __init__(
        self,
        *,
        hosts: Sequence[str],
        port: int,
        advertise: Sequence[str] = (),
        tcp: bool,
        demultiplexer: Demultiplexer,
        inbox: Callable[[], Inbox],
        outgoing: Outgoing,
        ended: Callable[[Address], None],
    ) -> None:
        self._hosts = tuple(each for host in hosts for each in (EVERY_ADDRESS if host == "::" else (host,)))
        self._advertise = tuple(advertise)
        self._tcp_wanted = tcp
        self._demultiplexer = demultiplexer
        self._inbox = inbox
        self._outgoing = outgoing
        self._ended = ended
        self._udp: list[UdpSocket] = []
        self._tcp: TcpServer | None = None
        self._stack = AsyncExitStack()
        self.port = port

    async def __aenter__(self) -> Self:
        asked, attempts = self.port, 1 if self.port else ATTEMPTS
        while True:
            attempts -= 1
            try:
                self._bind(asked)
                break
            except OSError:
                self._close_udp()
                if attempts == 0:
                    raise
        async with AsyncExitStack() as stack:
            stack.callback(self._close_udp)
            for socket in self._udp:
                socket.open()
            if self._tcp is not None:
                stack.push_async_callback(self._tcp.close)
                await self._tcp.open()
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._stack.__aexit__(kind, error, traceback)

    @property
    def refused(self) -> int:
        """Datagrams of no use, and TCP streams that were cut."""
        return self._demultiplexer.refused + (self._tcp.refused if self._tcp is not None else 0)

    def _bind(self, port: int) -> None:
        taken = []
        for host in self._hosts:
            try:
                udp = self._udp_socket(host, port)
            except OSError as error:
                if host != "::" or error.errno not in NO_IPV6:
                    raise
                logger.warning("media port: this machine has no IPv6")
                continue
            self._udp.append(udp)
            taken.append(host)
            port = self._udp[0].port
            if host in EVERY_ADDRESS:
                self._bind_advertised(udp, host, port)
        if self._tcp_wanted:
            self._tcp = TcpServer(hosts=taken, port=port, demultiplexer=self._demultiplexer, ended=self._ended)
        self.port = port

    def _bind_advertised(self, every: UdpSocket, host: str, port: int) -> None:
        for address in self._advertise:
            if (":" in address) == (":" in host):
                try:
                    self._udp.append(self._udp_socket(address, port, beside=every))
                except OSError as error:
                    if error.errno != errno.EADDRNOTAVAIL:  # else it is that of a router or a cloud, which translate it
                        raise

    def _udp_socket(self, host: str, port: int, beside: UdpSocket | None = None) -> UdpSocket:
        return UdpSocket(
            host=host,
            port=port,
            demultiplexer=self._demultiplexer,
            inbox=self._inbox(),
            outgoing=self._outgoing,
            beside=beside,
        )

    def _close_udp(self) -> None:
        for socket in self._udp:
            socket.close()
        self._udp.clear()
