import asyncio
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager

import pytest

from tests.webrtc.framed import frame, read_frame
from tests.webrtc.transport.test_ice import check
from webrtc.transport.demux import Demultiplexer
from webrtc.transport.ice import IceLite, IceSession
from webrtc.transport.path import Address, Path
from webrtc.transport.receive import ReceiveBuffer
from webrtc.transport.tcp import (
    CHECK_TIMEOUT_S,
    MAX_QUEUED,
    MAX_UNVERIFIED,
    MAX_UNVERIFIED_PER_SOURCE,
    RESERVE,
    STALL_TIMEOUT_S,
    TcpServer,
)

MEDIA = b"\x80" + bytes(99)
DTLS = b"\x16" + bytes(99)


class Server:
    """A TCP server with one ICE session, whose peer it is. `came`: what came for it; `paths`: those chosen for it."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self.ice = IceLite()
        self.came: asyncio.Queue[bytes] = asyncio.Queue()
        self.paths: list[Path] = []
        self.ended: asyncio.Queue[Address] = asyncio.Queue()
        self.session = IceSession(peer=self, moved=self.paths.append, now=0.0)
        self.ice.add(self.session)
        demultiplexer = Demultiplexer(received=ReceiveBuffer(), peers=self.ice.peers, receive_stun=self.ice.receive)
        self.tcp = TcpServer(hosts=["127.0.0.1"], port=0, demultiplexer=demultiplexer, ended=self._end)

    def receive_dtls(self, datagram: bytes) -> None:
        self.came.put_nowait(datagram)

    def receive_media(self, received: ReceiveBuffer, size: int, now: float) -> None:
        self.came.put_nowait(bytes(received.view[:size]))

    def check(self) -> bytes:
        return frame(check(self.session.credentials, nominate=True))

    async def connect(
        self, limit: int = 1 << 16, source: str = "127.0.0.1"
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.tcp.port, limit=limit, local_addr=(source, 0))
        self._stack.callback(writer.close)
        return reader, writer

    async def join(self, limit: int = 1 << 16) -> tuple[asyncio.StreamReader, asyncio.StreamWriter, Path]:
        """A stream with a good check."""
        reader, writer = await self.connect(limit)
        writer.write(self.check())
        assert (await read_frame(reader))[:2] == b"\x01\x01"  # a binding response
        return reader, writer, self.paths[-1]

    async def close(self) -> None:
        self._stack.close()
        await self.tcp.close()

    def _end(self, address: Address) -> None:
        self.ice.forget(address)
        self.ended.put_nowait(address)


@asynccontextmanager
async def serving() -> AsyncIterator[Server]:
    server = Server()
    async with asyncio.timeout(20):
        await server.tcp.open()
        try:
            yield server
        finally:
            await server.close()


async def _end_of(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.read()
    except ConnectionResetError:
        return b""


def _fill(path: Path, datagram: bytes) -> int:
    """Send until no more is taken; returns how many were."""
    for count in range(20_000):
        try:
            path.sendto(datagram, path.address)
        except BlockingIOError:
            return count
    raise AssertionError("there is no limit")


async def test_frames_go_both_ways_however_they_are_cut() -> None:
    async with serving() as server:
        reader, writer, path = await server.join()
        assert path.address == (*writer.get_extra_info("sockname"), "tcp")
        sent = [MEDIA, DTLS, MEDIA + bytes(1400)] * 20
        octets = b"".join(map(frame, sent))
        for at in range(0, len(octets), 777):
            writer.write(octets[at : at + 777])
            await writer.drain()
        assert [await server.came.get() for _ in sent] == sent
        for datagram in sent:
            path.sendto(memoryview(datagram), path.address)
        assert [await read_frame(reader) for _ in sent] == sent
        writer.close()
        assert await server.ended.get() == path.address
        assert server.ice.peers == {}
        with pytest.raises(BrokenPipeError):
            path.sendto(MEDIA, path.address)


@pytest.mark.parametrize(
    "nonsense", [frame(MEDIA), frame(DTLS), frame(b""), b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01"]
)
async def test_stranger_that_begins_otherwise_than_with_a_check_is_cut(nonsense: bytes) -> None:
    async with serving() as server:
        reader, writer = await server.connect()
        writer.write(nonsense)
        assert await _end_of(reader) == b""
        assert (server.tcp.refused, server.came.qsize(), server.paths) == (1, 0, [])


async def test_overlong_frame_ends_the_stream_and_nothing_behind_it_is_read() -> None:
    async with serving() as server:
        reader, writer, path = await server.join()
        writer.write(frame(bytes(1501)) + frame(MEDIA))
        assert await _end_of(reader) == b""
        assert await server.ended.get() == path.address
        assert server.came.empty()


async def test_stream_without_a_good_check_is_closed() -> None:
    async with serving() as server:
        _, member, _ = await server.join()
        reader, stranger = await server.connect()
        stranger.write(frame(check(type(server.session.credentials).new())))
        await server.join()  # by now the stranger's check was read, too
        now = asyncio.get_running_loop().time()
        server.tcp.cut(now + CHECK_TIMEOUT_S - 1)
        assert server.ended.empty()
        server.tcp.cut(now + CHECK_TIMEOUT_S + 1)
        assert await _end_of(reader) == b""
        assert await server.ended.get() == (*stranger.get_extra_info("sockname"), "tcp")
        member.write(frame(MEDIA))
        assert await server.came.get() == MEDIA


async def test_client_that_never_reads_costs_a_bounded_queue_and_is_cut() -> None:
    async with serving() as server:
        reader, _, path = await server.join(limit=1)
        large = MEDIA + bytes(1100)
        taken = _fill(path, large)
        path.sendto(DTLS, path.address)  # there is room for what keeps the connection
        with pytest.raises(BlockingIOError):
            path.sendto(large, path.address)
        assert MAX_QUEUED < taken * len(frame(large)) < 8 << 20  # with the kernel's buffers on both sides
        now = asyncio.get_running_loop().time()
        server.tcp.cut(now)
        server.tcp.cut(now + CHECK_TIMEOUT_S)  # it waits as long as a dead link may last
        assert server.ended.empty()
        server.tcp.cut(now + STALL_TIMEOUT_S + 1)
        assert await server.ended.get() == path.address
        assert RESERVE < MAX_QUEUED
        assert await read_frame(reader) == large


async def test_what_was_dropped_leaves_the_frames_whole() -> None:
    async with serving() as server:
        reader, _, path = await server.join(limit=1)
        taken = 0
        for number in range(20_000):
            try:
                path.sendto(b"\x80" + number.to_bytes(4, "big") + bytes(number % 1200), path.address)
                taken += 1
            except BlockingIOError:
                pass
        path.sendto(DTLS, path.address)
        got: list[bytes] = []
        while (datagram := await read_frame(reader)) != DTLS:
            got.append(datagram)
        numbers = [int.from_bytes(datagram[1:5], "big") for datagram in got]
        assert numbers == sorted(numbers)
        assert [len(datagram) - 5 for datagram in got] == [number % 1200 for number in numbers]
        assert len(got) == taken < 20_000


async def test_stream_without_a_check_makes_way_for_a_newer_one_where_they_are_too_many() -> None:
    async with serving() as server:
        _, member, _ = await server.join()
        oldest, _ = await server.connect()
        for _ in range(MAX_UNVERIFIED_PER_SOURCE - 1):
            await server.connect()
        await server.join()  # as another room of that school does
        assert await _end_of(oldest) == b""
        assert server.tcp.refused == 1
        member.write(frame(MEDIA))
        assert await server.came.get() == MEDIA


async def test_sources_that_fill_all_places_make_way_for_another() -> None:
    async with serving() as server:
        early, writer = await server.connect(source="127.0.0.2")
        for number in range(MAX_UNVERIFIED - 1):
            await server.connect(source=f"127.0.0.{3 + number % 3}")
        await server.join()
        writer.write(server.check())
        assert (await read_frame(early))[:2] == b"\x01\x01"
        assert server.tcp.refused == 1
