import asyncio
import errno
import socket
from collections.abc import Sequence

import pytest
from aioice import stun

from testing.webrtc.bare import KEYFRAME, bare_client, offer, packet
from tests.webrtc.framed import frame, read_frame
from tests.webrtc.peers import LESSON, lesson
from tests.webrtc.transport.test_ice import check
from webrtc.forwarding.engine import PURE
from webrtc.shared.ids import ClientId, ParticipantId
from webrtc.transport.demux import Demultiplexer
from webrtc.transport.dtls import Certificate
from webrtc.transport.ice import IceLite, IceSession
from webrtc.transport.listen import MediaPort
from webrtc.transport.path import Path
from webrtc.transport.receive import ReceiveBuffer


class Client:
    def __init__(self, ice: IceLite) -> None:
        self.paths: list[Path] = []
        self.session = IceSession(peer=self, moved=self.paths.append, now=0.0)
        ice.add(self.session)

    def receive_dtls(self, datagram: bytes) -> None: ...
    def receive_media(self, received: ReceiveBuffer, size: int, now: float) -> None: ...


def media_port(ice: IceLite, hosts: list[str], port: int = 0, advertise: Sequence[str] = ()) -> MediaPort:
    demultiplexer = Demultiplexer(received=ReceiveBuffer(), peers=ice.peers, receive_stun=ice.receive)
    return MediaPort(
        hosts=hosts,
        port=port,
        advertise=advertise,
        tcp=True,
        demultiplexer=demultiplexer,
        inbox=PURE.inbox,
        outgoing=PURE.forwarder(),
        ended=ice.forget,
    )


async def _ask_udp(host: str, port: int, request: bytes) -> tuple[bytes, object]:
    """The answer, and the address that it was asked from."""
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.setblocking(False)
        asking.connect((host, port))
        await loop.sock_sendall(asking, request)
        return await loop.sock_recv(asking, 2048), asking.getsockname()[:2]


async def _ask_tcp(host: str, port: int, request: bytes) -> tuple[bytes, object]:
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(frame(request))
    answer, asker = await read_frame(reader), writer.get_extra_info("sockname")[:2]
    writer.close()
    await writer.wait_closed()
    return answer, asker


@pytest.mark.parametrize("hosts", [["::"], ["127.0.0.1", "::1"]])
async def test_one_port_serves_both_families_over_both_transports(hosts: list[str]) -> None:
    ice = IceLite()
    client = Client(ice)
    request = check(client.session.credentials, nominate=True)
    async with asyncio.timeout(10), media_port(ice, hosts) as media:
        for host in ("127.0.0.1", "::1"):
            for ask in (_ask_udp, _ask_tcp):
                answer, asker = await ask(host, media.port, request)
                assert stun.parse_message(answer).attributes["XOR-MAPPED-ADDRESS"] == asker
    assert [path.address[0] for path in client.paths] == ["127.0.0.1", "127.0.0.1", "::1", "::1"]


async def test_answer_comes_from_the_address_that_was_asked_though_the_port_is_for_all() -> None:
    ice = IceLite()
    request = check(Client(ice).session.credentials, nominate=True)
    advertise = ["192.0.2.7", "127.0.0.2", "::1"]  # one of them is a router's
    async with asyncio.timeout(10), media_port(ice, ["::"], advertise=advertise) as media:
        for host in ("127.0.0.2", "127.0.0.1", "::1"):
            answer, asker = await _ask_udp(host, media.port, request)  # which hears only whom it asked
            assert stun.parse_message(answer).attributes["XOR-MAPPED-ADDRESS"] == asker
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as thief:
            thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with pytest.raises(OSError, match="in use"):
                thief.bind(("127.0.0.2", media.port))


@pytest.mark.parametrize("kind", [socket.SOCK_DGRAM, socket.SOCK_STREAM])
async def test_taken_port_is_an_error_and_leaves_nothing_open(kind: socket.SocketKind) -> None:
    with socket.socket(socket.AF_INET, kind) as other:
        other.bind(("127.0.0.1", 0))
        port = other.getsockname()[1]
        if kind is socket.SOCK_STREAM:
            other.listen()
        with pytest.raises(OSError) as raised:  # noqa: PT011  # which one says its number
            await media_port(IceLite(), ["127.0.0.1"], port).__aenter__()
        assert raised.value.errno == errno.EADDRINUSE
    async with media_port(IceLite(), ["127.0.0.1"], port) as media:
        assert media.port == port


async def test_ipv4_and_ipv6_meet_in_one_lesson() -> None:
    certificates = Certificate(), Certificate()
    async with (
        asyncio.timeout(10),
        lesson(hosts=["127.0.0.1", "::1"]) as here,
        bare_client(certificates[0]) as a,
        bare_client(certificates[1], "::1") as b,
    ):
        text = offer(certificates[0], "sendonly", ["video"])
        sending = await here.plane.publish(LESSON, ParticipantId("a"), ClientId("bare"), text)
        text = offer(certificates[1], "recvonly", ["video"])
        receiving = await here.plane.subscribe(LESSON, ParticipantId("b"), ClientId("bare"), text)
        await a.connect(sending, here.plane.port)
        await b.connect(receiving, here.plane.port)
        await here.until(lambda: sending.connected and receiving.connected)
        a.send_rtp(packet(1, KEYFRAME))
        assert (await b.packets.get())[16:] == KEYFRAME[4:]


async def test_every_address_is_a_candidate_and_udp_comes_first() -> None:
    async with lesson(hosts=["127.0.0.1", "::1"]) as here:
        text = offer(Certificate(), "recvonly", ["video"])
        connection = await here.plane.subscribe(LESSON, ParticipantId("b"), ClientId("bare"), text)
        candidates = [line.split() for line in connection.answer_text.splitlines() if line.startswith("a=candidate:")]
        assert [(each[2], each[4], each[8:]) for each in candidates] == [
            ("udp", "127.0.0.1", []),
            ("udp", "::1", []),
            ("tcp", "127.0.0.1", ["tcptype", "passive"]),
            ("tcp", "::1", ["tcptype", "passive"]),
        ]
        assert sorted(candidates, key=lambda each: -int(each[3])) == candidates
