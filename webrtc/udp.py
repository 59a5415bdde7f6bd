"""The node's one UDP socket: drained in batches, told apart by the first octet (RFC 7983), sent to without waiting."""

import asyncio
import logging
import socket
from collections.abc import Callable, Mapping
from time import monotonic

from webrtc.path import Address, Path, Peer

logger = logging.getLogger(__name__)

MAX_DATAGRAM = 1500  # what DTLS and SRTP take; a longer one would end aiortc's DTLS transport
MIN_STUN, MIN_DTLS, MIN_MEDIA = 20, 13, 12  # octets; an SRTCP packet is never shorter than an RTP header either
BATCH = 64  # datagrams per turn of the event loop, so that timers and signalling get theirs
SOCKET_BUFFER = 4 << 20  # octets, each way; the kernel may grant less


class UdpSocket:
    """A bound, non-blocking socket that receives into `buffer` (longer than `MAX_DATAGRAM`).

    `peers` is looked up for each datagram, so its owner may change it at any time. Everything else than STUN is taken
    from these addresses only; empty, short, oversized and unknown datagrams are dropped and counted in `refused`.
    """

    def __init__(
        self,
        *,
        host: str,
        port: int,
        buffer: memoryview,
        peers: Mapping[Address, Peer],
        receive_stun: Callable[[bytes, Path], None],
    ) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        try:
            for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
                self._socket.setsockopt(socket.SOL_SOCKET, option, SOCKET_BUFFER)
            self._socket.bind((host, port))
        except OSError:
            self._socket.close()
            raise
        self._buffer = buffer
        self._peers = peers
        self._receive_stun = receive_stun
        self._loop: asyncio.AbstractEventLoop | None = None
        self.sendto = self._socket.sendto  # bound once: it is called for every packet that goes out
        self.refused = 0

    @property
    def port(self) -> int:
        port: int = self._socket.getsockname()[1]
        return port

    def open(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._socket, self._drain)

    def close(self) -> None:
        if self._loop is not None:
            self._loop.remove_reader(self._socket)
            self._loop = None
        self._socket.close()

    def _drain(self) -> None:
        recvfrom_into, buffer, find = self._socket.recvfrom_into, self._buffer, self._peers.get
        for _ in range(BATCH):
            try:
                size, address = recvfrom_into(buffer)
            except BlockingIOError:
                return
            except OSError as error:  # the ICMP answer to something sent earlier; the socket itself is well
                logger.debug("udp: %s", error)
                continue
            first = buffer[0] if 0 < size <= MAX_DATAGRAM else 255
            if 128 <= first < 192:
                if size >= MIN_MEDIA and (peer := find(address)) is not None:
                    peer.receive_media(size, monotonic())
                    continue
            elif first < 4:
                if size >= MIN_STUN:
                    self._receive_stun(bytes(buffer[:size]), Path(self.sendto, address))
                    continue
            elif 20 <= first < 64 and size >= MIN_DTLS and (peer := find(address)) is not None:
                peer.receive_dtls(bytes(buffer[:size]))
                continue
            self.refused += 1
