"""One WebRTC connection to a node, as cheap as Python has it: a socket of its own, ICE checks, DTLS, SRTP in place.

Connecting runs on the event loop. Media do not: afterwards the socket belongs to the thread that reads and sends.
"""

import asyncio
import fcntl
import re
import socket
import struct
from contextlib import suppress

from aioice import stun

from webrtc.transport.dtls import Certificate, DtlsTransport
from webrtc.transport.srtp import (
    PacketBuffer,
    SrtpKeys,
    Transform,
    protect_rtcp,
    protect_rtp,
    unprotect_rtcp,
    unprotect_rtp,
)

UFRAG, PWD = "load", "loadloadloadloadloadload"
CHECK_AGAIN_S = 0.25
DATAGRAM = 2048
SOCKET_BUFFER = 4 << 20  # so that a moment in which the load does not run is no loss
SIOCGSTAMPNS = 0x8907  # linux/sockios.h: when the packet read last came in, seconds and nanoseconds since 1970
STAMP = struct.Struct("qq")


class Connection:
    """`host`: the address to come from, one per room, as the node limits checks by source."""

    # Of all connections, once they are up: only one thread touches them.
    outgoing = PacketBuffer()
    incoming = PacketBuffer()
    _stamp = bytearray(STAMP.size)

    def __init__(self, certificate: Certificate, host: str) -> None:
        self.broken = 0  # packets that libsrtp refused: altered, or repeated
        self.refused = 0  # packets that the kernel did not take
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SOCKET_BUFFER)
        self.socket.bind((host, 0))
        self._answered = asyncio.Event()
        self._dtls = DtlsTransport(certificate=certificate, send=self._send)
        self._check = b""
        self._receiving: SrtpKeys | None = None
        self._sending: SrtpKeys | None = None

    async def connect(self, answer: str) -> None:
        """Come up as the answer says: we are the controlling agent and the DTLS client."""
        address, port = _find(r"a=candidate:\S+ 1 udp \d+ (\S+) (\d+) ", answer)
        self.socket.connect((address, int(port)))
        request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
        [ufrag], [pwd] = _find(r"a=ice-ufrag:(\S+)", answer), _find(r"a=ice-pwd:(\S+)", answer)
        request.attributes["USERNAME"] = f"{ufrag}:{UFRAG}"
        request.attributes["USE-CANDIDATE"] = None
        request.add_message_integrity(pwd.encode())
        self._check = bytes(request)
        loop = asyncio.get_running_loop()
        loop.add_reader(self.socket, self._read)
        try:
            while not self._answered.is_set():
                self.check(0.0)
                with suppress(TimeoutError):
                    async with asyncio.timeout(CHECK_AGAIN_S):
                        await self._answered.wait()
            [fingerprint] = _find(r"a=fingerprint:sha-256 (\S+)", answer)
            self._receiving, self._sending = await self._dtls.connect(
                role="client", fingerprints=[("sha-256", fingerprint)]
            )
        finally:
            loop.remove_reader(self.socket)

    def check(self, now: float) -> None:
        """Send a check; again and again, it is our consent (RFC 7675). An action of a `Timetable`."""
        self._send(self._check)

    def send_rtp(self, size: int) -> bytes:
        """Protect and send what is in `outgoing`; the datagram."""
        return self._protect(size, protect_rtp)

    def send_rtcp(self, compound: bytes) -> None:
        self.outgoing.view[: len(compound)] = compound
        self._protect(len(compound), protect_rtcp)

    def receive(self) -> int:
        """Read a datagram into `incoming`; its size, 0 where there is none."""
        try:
            return self.socket.recv_into(self.incoming.view)
        except (BlockingIOError, ConnectionRefusedError):
            return 0

    def received_ns(self) -> int:
        """When the kernel took in the datagram read last, in ns since 1970."""
        fcntl.ioctl(self.socket, SIOCGSTAMPNS, self._stamp)
        seconds, nanoseconds = STAMP.unpack(self._stamp)
        return int(seconds) * 1_000_000_000 + int(nanoseconds)

    def unprotect_rtp(self, size: int) -> int:
        """Decrypt what is in `incoming`; the size of the plain packet, 0 if it is not authentic or was there before."""
        return self._unprotect(size, unprotect_rtp)

    def unprotect_rtcp(self, size: int) -> int:
        return self._unprotect(size, unprotect_rtcp)

    async def close(self) -> None:
        await self._dtls.close()
        self.socket.close()

    def _protect(self, size: int, protect: Transform) -> bytes:
        assert self._sending is not None
        buffer = self.outgoing
        buffer.length[0] = size
        if protect(self._sending.context, buffer.memory, buffer.length):
            raise RuntimeError("libsrtp does not protect a packet of the load")
        datagram = bytes(buffer.view[: buffer.length[0]])
        self._send(datagram)
        return datagram

    def _unprotect(self, size: int, unprotect: Transform) -> int:
        assert self._receiving is not None
        buffer = self.incoming
        buffer.length[0] = size
        if unprotect(self._receiving.context, buffer.memory, buffer.length):
            self.broken += 1
            return 0
        return buffer.length[0]

    def _send(self, datagram: bytes) -> None:
        try:
            self.socket.send(datagram)
        except OSError:
            self.refused += 1

    def _read(self) -> None:
        """While connecting: checks answered, and DTLS. Others may be up already, so theirs is not what is read into."""
        with suppress(BlockingIOError, ConnectionRefusedError):
            while datagram := self.socket.recv(DATAGRAM):
                if datagram[0] < 4:
                    self._answered.set()
                elif 20 <= datagram[0] < 64:
                    self._dtls.receive(datagram)


def _find(pattern: str, text: str) -> tuple[str, ...]:
    found = re.search(pattern, text)
    assert found is not None, pattern
    return found.groups()
