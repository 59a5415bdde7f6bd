"""A bare client of a plane: ICE checks, DTLS and SRTP packet by packet, for what no well-behaved peer does."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Literal

from aioice import stun

from webrtc.bridge.connection import Connection
from webrtc.forwarding.engine import PURE
from webrtc.rtp import rtcp
from webrtc.rtp.packet import HEADER, is_rtcp
from webrtc.transport.demux import Demultiplexer
from webrtc.transport.dtls import Certificate, DtlsTransport
from webrtc.transport.path import Address
from webrtc.transport.receive import ReceiveBuffer
from webrtc.transport.srtp import (
    PacketBuffer,
    SrtpKeys,
    Transform,
    protect_rtcp,
    protect_rtp,
    unprotect_rtcp,
    unprotect_rtp,
)
from webrtc.transport.udp import UdpSocket

SSRC = 0xCAFE
VP8, OPUS = 96, 111
MEDIA = {"video": (VP8, "VP8/90000"), "audio": (OPUS, "opus/48000/2")}
Kind = Literal["video", "audio"]


def offer(certificate: Certificate, direction: Literal["sendonly", "recvonly"], kinds: Sequence[Kind]) -> str:
    lines = ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0"]
    lines.append("a=group:BUNDLE " + " ".join(str(mid) for mid in range(len(kinds))))
    for mid, kind in enumerate(kinds):
        payload_type, codec = MEDIA[kind]
        lines += [
            f"m={kind} 9 UDP/TLS/RTP/SAVPF {payload_type}",
            "c=IN IP4 0.0.0.0",
            f"a=mid:{mid}",
            f"a={direction}",
            "a=ice-ufrag:theirs",
            "a=ice-pwd:theirstheirstheirstheirs",
            f"a=fingerprint:sha-256 {certificate.fingerprint}",
            "a=setup:actpass",
            "a=rtcp-mux",
            f"a=rtpmap:{payload_type} {codec}",
            *(f"a=rtcp-fb:{payload_type} {each}" for each in ("nack", "nack pli", "ccm fir", "goog-remb")),
        ]
        if direction == "sendonly":
            lines.append(f"a=ssrc:{SSRC + mid} cname:bare")
    return "".join(f"{line}\r\n" for line in lines)


def packet(sequence: int, payload: bytes, *, timestamp: int = 0, ssrc: int = SSRC, payload_type: int = VP8) -> bytes:
    return HEADER.pack(0x80, 0x80 | payload_type, sequence, timestamp, ssrc) + payload


KEYFRAME = bytes.fromhex("90808001") + b"\x00key"  # VP8 with a picture id of 15 bits
OTHER_FRAME = bytes.fromhex("90808002") + b"\x01other"


class BareClient:
    """`packets` and `reports`: what came from the node, decrypted. `lose`: so many RTP packets will get lost.

    `host`: the loopback address that it has, and expects the node at.
    """

    def __init__(self, certificate: Certificate, host: str = "127.0.0.1") -> None:
        self.packets: asyncio.Queue[bytes] = asyncio.Queue()
        self.reports: asyncio.Queue[rtcp.Packet] = asyncio.Queue()
        self.lose = 0
        self._answered = asyncio.Event()
        self._udp: UdpSocket | None = None
        self._host = host
        self._node: Address = ("", 0)
        self._dtls = DtlsTransport(certificate=certificate, send=self.send)
        self._receiving: SrtpKeys | None = None
        self._sending: SrtpKeys | None = None

    async def connect(self, connection: Connection, node_port: int, *, role: str = "client") -> None:
        """`role`: in the DTLS association."""
        if self._udp is None:
            await self.move(connection, node_port)
        fingerprint = next(
            line.split(" ", 1)[1] for line in connection.answer_text.splitlines() if line.startswith("a=fingerprint:")
        )
        self._receiving, self._sending = await self._dtls.connect(role=role, fingerprints=[("sha-256", fingerprint)])

    async def move(self, connection: Connection, node_port: int | None = None) -> None:
        """Go to another port, and have the node send there."""
        if node_port is not None:
            self._node = (self._host, node_port, 0, 0) if ":" in self._host else (self._host, node_port)
        if self._udp is not None:
            self._udp.close()
        self._udp = UdpSocket(
            host=self._host,
            port=0,
            demultiplexer=Demultiplexer(
                received=ReceiveBuffer(),
                peers={self._node: self},
                receive_stun=lambda datagram, path: self._answered.set(),
            ),
            inbox=PURE.inbox(),
            outgoing=PURE.forwarder(),
        )
        self._udp.open()
        self._answered.clear()
        request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
        request.attributes["USERNAME"] = f"{_line(connection, 'ice-ufrag')}:theirs"
        request.attributes["USE-CANDIDATE"] = None
        request.add_message_integrity(_line(connection, "ice-pwd").encode())
        self.send(bytes(request))
        await self._answered.wait()

    def send(self, datagram: bytes) -> None:
        assert self._udp is not None
        self._udp.sendto(datagram, self._node)

    def send_rtp(self, plain: bytes) -> None:
        self.send(self._protect(plain, protect_rtp))

    def send_rtcp(self, *packets: rtcp.Packet) -> None:
        self.send(self._protect(rtcp.compound(packets), protect_rtcp))

    async def send_data(self, data: bytes) -> None:
        """Within DTLS, as a data channel would."""
        await self._dtls._dtls._send_data(data)

    async def report(self, kind: type[rtcp.Packet]) -> rtcp.Packet:
        """The next report of that kind."""
        while not isinstance(report := await self.reports.get(), kind):
            pass
        return report

    async def close(self) -> None:
        await self._dtls.close()
        if self._udp is not None:
            self._udp.close()

    def receive_dtls(self, datagram: bytes) -> None:
        self._dtls.receive(datagram)

    def receive_media(self, received: ReceiveBuffer, size: int, now: float) -> None:
        assert self._receiving is not None
        received.length[0] = size
        control = is_rtcp(received.view)
        if self.lose and not control:
            self.lose -= 1
            return
        unprotect = unprotect_rtcp if control else unprotect_rtp
        if unprotect(self._receiving.context, received.memory, received.length):
            return  # a repetition: SRTP takes each packet once
        plain = bytes(received.view[: received.length[0]])
        if control:
            for report in rtcp.parse(plain):
                self.reports.put_nowait(report)
        else:
            self.packets.put_nowait(plain)

    def _protect(self, plain: bytes, protect: Transform) -> bytes:
        assert self._sending is not None
        buffer = PacketBuffer()
        buffer.view[: len(plain)] = plain
        buffer.length[0] = len(plain)
        assert protect(self._sending.context, buffer.memory, buffer.length) == 0
        return bytes(buffer.view[: buffer.length[0]])


@asynccontextmanager
async def bare_client(certificate: Certificate, host: str = "127.0.0.1") -> AsyncIterator[BareClient]:
    client = BareClient(certificate, host)
    try:
        yield client
    finally:
        await client.close()


def _line(connection: Connection, name: str) -> str:
    return next(line.split(":", 1)[1] for line in connection.answer_text.splitlines() if line.startswith(f"a={name}:"))
