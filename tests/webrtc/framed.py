"""Clients of UDP, brought to a node over TCP: each datagram becomes a frame (RFC 4571), and back."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from webrtc.transport.path import Address


class _Carrier(asyncio.DatagramProtocol):
    """Takes the client's datagrams to the stream, and knows where to send what comes back."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self.client: Address | None = None
        self._writer = writer

    def datagram_received(self, data: bytes, addr: Address) -> None:
        self.client = addr
        self._writer.write(frame(data))


def frame(datagram: bytes) -> bytes:
    return len(datagram).to_bytes(2, "big") + datagram


async def read_frame(reader: asyncio.StreamReader) -> bytes:
    """Raises `asyncio.IncompleteReadError` at the end of the stream."""
    return await reader.readexactly(int.from_bytes(await reader.readexactly(2), "big"))


@asynccontextmanager
async def over_tcp(node_port: int) -> AsyncIterator[int]:
    """A UDP port on loopback that leads to the TCP port of a node, for one client."""
    reader, writer = await asyncio.open_connection("127.0.0.1", node_port)
    carrier_socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    carrier_socket.bind(("127.0.0.1", 0))
    transport, carrier = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: _Carrier(writer), sock=carrier_socket
    )

    async def return_frames() -> None:
        while True:
            datagram = await read_frame(reader)
            transport.sendto(datagram, carrier.client)

    returning = asyncio.create_task(return_frames(), name="frames from the node")
    try:
        yield carrier_socket.getsockname()[1]
    finally:
        returning.cancel()
        await asyncio.wait([returning])
        transport.close()
        writer.close()
        await asyncio.wait([asyncio.ensure_future(writer.wait_closed())])
