import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from webrtc.forwarding import engines
from webrtc.transport.demux import Demultiplexer
from webrtc.transport.path import Address, Path
from webrtc.transport.receive import ReceiveBuffer
from webrtc.transport.udp import COUNT_S, UdpSocket

pytestmark = pytest.mark.usefixtures("each_engine")

FAULTY = 999  # octets


class Everything:
    """Notes what came, as (kind, octets)."""

    def __init__(self) -> None:
        self.came: asyncio.Queue[tuple[str, int]] = asyncio.Queue()

    def receive_dtls(self, datagram: bytes) -> None:
        self.came.put_nowait(("dtls", len(datagram)))

    def receive_media(self, received: ReceiveBuffer, size: int, now: float) -> None:
        if size == FAULTY:
            raise RuntimeError("a fault of ours")
        self.came.put_nowait(("media", size))

    def receive_stun(self, datagram: bytes, path: Path) -> None:
        self.came.put_nowait(("stun", len(datagram)))


@asynccontextmanager
async def joined(*, known: bool) -> AsyncIterator[tuple[Everything, Demultiplexer, socket.socket]]:
    """What a socket of ours received, and the socket of a client, known to it or not."""
    everything = Everything()
    peers: dict[Address, Everything] = {}
    demultiplexer = Demultiplexer(received=ReceiveBuffer(), peers=peers, receive_stun=everything.receive_stun)
    udp = UdpSocket(
        host="127.0.0.1",
        port=0,
        demultiplexer=demultiplexer,
        inbox=engines.chosen.inbox(),
        outgoing=engines.chosen.forwarder(),
    )
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.connect(("127.0.0.1", udp.port))
        if known:
            peers[client.getsockname()] = everything
        udp.open()
        try:
            yield everything, demultiplexer, client
        finally:
            udp.close()


NONSENSE = (
    b"",
    b"\x00",
    bytes(19),
    b"\x16" + bytes(11),
    b"\x80" + bytes(10),
    b"\x80" + bytes(1500),
    b"\x16" + bytes(1500),
    bytes(1501),
    b"\x40" + bytes(100),
    b"\xff" + bytes(100),
    b"\x05" + bytes(100),
)
LAST = b"\x00" + bytes(63)


async def test_datagrams_are_demultiplexed() -> None:
    async with asyncio.timeout(10), joined(known=True) as (everything, received, client):
        for datagram in (bytes(20), b"\x16" + bytes(12), b"\x80" + bytes(11), b"\xbf" + bytes(1499), *NONSENSE, LAST):
            client.send(datagram)
        came = [await everything.came.get() for _ in range(5)]
        assert came == [("stun", 20), ("dtls", 13), ("media", 12), ("media", 1500), ("stun", 64)]
        assert (received.refused, everything.came.qsize()) == (len(NONSENSE), 0)


async def test_stranger_can_only_send_checks() -> None:
    async with asyncio.timeout(10), joined(known=False) as (everything, received, client):
        for datagram in (b"\x16" + bytes(60), b"\x80" + bytes(60), LAST):
            client.send(datagram)
        assert await everything.came.get() == ("stun", 64)
        assert (received.refused, everything.came.qsize()) == (2, 0)


async def keep_busy(everything: Everything, client: socket.socket) -> None:
    """Send so much for so long that the socket gathers."""
    clock = asyncio.get_running_loop().time
    end = clock() + 3 * COUNT_S
    while clock() < end:
        for size in range(40, 60):
            client.send(b"\x80" + bytes(size))
        assert [await everything.came.get() for _ in range(20)] == [("media", size + 1) for size in range(40, 60)]


async def test_busy_socket_takes_in_everything_and_so_does_one_that_rests_again() -> None:
    async with asyncio.timeout(10), joined(known=True) as (everything, _, client):
        for _ in range(2):
            await keep_busy(everything, client)
            for size in range(20, 220):  # more than one look takes
                client.send(b"\x80" + bytes(size))
            assert [await everything.came.get() for _ in range(200)] == [("media", size + 1) for size in range(20, 220)]
            with pytest.raises(TimeoutError):  # a pause, after which each datagram wakes us again
                async with asyncio.timeout(2 * COUNT_S):
                    await everything.came.get()


async def test_socket_closes_while_it_is_busy() -> None:
    async with asyncio.timeout(10), joined(known=True) as (everything, _, client):
        await keep_busy(everything, client)


async def test_fault_in_one_datagram_leaves_no_socket_unread() -> None:
    faults: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(context["exception"]))
    async with asyncio.timeout(10), joined(known=True) as (everything, _, client):
        await keep_busy(everything, client)
        for _ in range(3):
            client.send(b"\x80" + bytes(FAULTY - 1))
            client.send(b"\x80" + bytes(50))
            await everything.came.get()
        assert len(faults) == 3
