"""The relay carries datagrams both ways, as a link does."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from testing.links.conditions import Conditions
from testing.links.relay import HOST, Relay, relay

Address = tuple[str, int]


class End(asyncio.DatagramProtocol):
    """A socket that keeps what it gets; `echo`: and sends it back."""

    def __init__(self, *, echo: bool = False) -> None:
        self.received: asyncio.Queue[tuple[bytes, Address]] = asyncio.Queue()
        self._echo = echo

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self.transport = transport

    def datagram_received(self, data: bytes, addr: Address) -> None:
        self.received.put_nowait((data, addr))
        if self._echo:
            self.transport.sendto(data, addr)


@asynccontextmanager
async def ends() -> AsyncIterator[tuple[Relay, End, End]]:
    """A relay, the client before it and the echo behind it."""
    loop = asyncio.get_running_loop()
    echo_transport, echo = await loop.create_datagram_endpoint(lambda: End(echo=True), local_addr=(HOST, 0))
    with relay(echo_transport.get_extra_info("sockname")[1]) as between:
        client_transport, client = await loop.create_datagram_endpoint(End, remote_addr=(HOST, between.port))
        try:
            async with asyncio.timeout(20):
                yield between, client, echo
        finally:
            client_transport.close()
            echo_transport.close()


async def test_carries_both_ways_and_delays() -> None:
    async with ends() as (between, client, _):
        between.set(Conditions(delay_s=0.05))
        sent_at = asyncio.get_running_loop().time()
        client.transport.sendto(b"hello")
        assert (await client.received.get())[0] == b"hello"
        assert asyncio.get_running_loop().time() - sent_at >= 0.1


async def test_cut_loses_what_is_on_its_way_and_mend_lets_through() -> None:
    async with ends() as (between, client, echo):
        between.set(Conditions(delay_s=0.05))
        client.transport.sendto(b"lost at the cut")
        client.transport.sendto(b"lost too")
        while between.up.packets < 2:  # noqa: ASYNC110  # until the relay has read them
            await asyncio.sleep(0)
        between.cut()
        between.mend()
        client.transport.sendto(b"through")
        assert (await client.received.get())[0] == b"through"
        assert echo.received.qsize() == 1


async def test_move_changes_the_address_that_the_node_sees() -> None:
    async with ends() as (between, client, echo):
        addresses = []
        for _ in range(2):
            client.transport.sendto(b"where am I")
            addresses.append((await echo.received.get())[1])
            await client.received.get()
            between.move()
        assert addresses[0] != addresses[1]


async def test_answer_leads_to_the_relay_only() -> None:
    async with ends() as (between, _, _):
        udp = "a=candidate:1 1 udp 1 10.0.0.1 7881 typ host\r\n"
        tcp = "a=candidate:2 1 tcp 1 10.0.0.1 7881 typ host tcptype passive\r\n"
        led = between.lead_here(f"a=setup:passive\r\n{udp}{tcp}a=rtcp-mux\r\n")
        ours = f"a=candidate:1 1 udp 2130706431 {HOST} {between.port} typ host\r\n"
        assert led == f"a=setup:passive\r\n{ours}a=rtcp-mux\r\n"
