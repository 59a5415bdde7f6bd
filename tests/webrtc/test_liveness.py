"""Clients that prove by their packets alone that they are there: no check for longer than any silence may last."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest

from testing.webrtc.bare import KEYFRAME, OTHER_FRAME, BareClient, bare_client, offer, packet
from tests.webrtc.clock import Clock
from tests.webrtc.framed import over_tcp
from tests.webrtc.peers import LESSON, Lesson, lesson
from webrtc.bridge.connection import Connection
from webrtc.rtp import rtcp
from webrtc.shared.ids import ClientId, ParticipantId
from webrtc.shared.state import LinkState
from webrtc.transport.dtls import Certificate
from webrtc.transport.ice import CONSENT_S

MINUTE_AND_MORE_S = 70
STEP_S = 1.01  # more than a second: reports are due at each step

Way = Callable[[int], AbstractAsyncContextManager[int]]  # the node's port -> the one that a client sends to


@asynccontextmanager
async def over_udp(node_port: int) -> AsyncIterator[int]:
    yield node_port


WAYS = pytest.mark.parametrize("way", [over_udp, over_tcp])


@asynccontextmanager
async def sender(here: Lesson, way: Way) -> AsyncIterator[tuple[BareClient, Connection]]:
    certificate = Certificate()
    async with way(here.plane.port) as port, bare_client(certificate) as client:
        text = offer(certificate, "sendonly", ["video"])
        connection = await here.plane.publish(LESSON, ParticipantId("a"), ClientId("c"), text)
        await client.connect(connection, port)
        await here.until(lambda: connection.connected)
        yield client, connection


@asynccontextmanager
async def viewer(here: Lesson, way: Way) -> AsyncIterator[tuple[BareClient, Connection]]:
    certificate = Certificate()
    async with way(here.plane.port) as port, bare_client(certificate) as client:
        text = offer(certificate, "recvonly", ["video"])
        connection = await here.plane.subscribe(LESSON, ParticipantId("b"), ClientId("c"), text)
        await client.connect(connection, port)
        await here.until(lambda: connection.connected)
        yield client, connection


@WAYS
async def test_client_whose_packets_come_is_there_without_a_check(clock: Clock, way: Way) -> None:
    async with asyncio.timeout(30), lesson() as here, sender(here, way) as (a, sends), viewer(here, way) as (b, gets):
        for second in range(1, MINUTE_AND_MORE_S + 1):
            clock.now += STEP_S
            b.send_rtcp(rtcp.ReceiverReport(ssrc=1))
            a.send_rtp(packet(second, KEYFRAME if second == 1 else OTHER_FRAME, timestamp=90_000 * second))
            await b.packets.get()
            await a.report(rtcp.ReceiverReport)  # the plane's own doings were due, too
        links = (sends.link_state(clock.now), gets.link_state(clock.now))
        assert (sends.connected, gets.connected, *links) == (True, True, LinkState.GOOD, LinkState.GOOD)
        clock.now += CONSENT_S + STEP_S
        await here.until(lambda: not here.plane.connections)


async def test_client_that_only_speaks_within_dtls_is_there(clock: Clock) -> None:
    async with asyncio.timeout(30), lesson() as here, viewer(here, over_udp) as (b, gets):
        came, note = asyncio.Event(), gets._dtls.on_record

        def heard() -> None:
            note()
            came.set()

        gets._dtls.on_record = heard
        for _ in range(MINUTE_AND_MORE_S // 10):
            clock.now += 10.0
            assert gets.link_state(clock.now) is not LinkState.GOOD
            came.clear()
            await b.send_data(b"here")
            await came.wait()
            assert gets.link_state(clock.now) is LinkState.GOOD
        assert gets.connected


@WAYS
async def test_silent_client_is_cut_while_another_one_goes_on(clock: Clock, way: Way) -> None:
    async with asyncio.timeout(30), lesson() as here, sender(here, way) as (a, sends), viewer(here, way) as (_, gets):
        for second in range(1, MINUTE_AND_MORE_S + 1):
            clock.now += STEP_S
            a.send_rtp(packet(second, KEYFRAME if second == 1 else OTHER_FRAME, timestamp=90_000 * second))
            await a.report(rtcp.ReceiverReport)
        await here.until(lambda: not gets.connected)
        assert (sends.connected, list(here.plane.connections)) == (True, [sends.id])
