"""Who takes whose place in a bridge."""

import asyncio

from tests.webrtc.bare import KEYFRAME, bare_client, offer, packet
from tests.webrtc.peers import LESSON, lesson
from tests.webrtc.test_forwarding import KINDS, publisher, viewer
from webrtc.dtls import Certificate
from webrtc.ids import ClientId, ParticipantId


async def test_newcomer_who_never_connects_takes_no_place() -> None:
    async with asyncio.timeout(15), lesson() as here, publisher(here) as (a, _), viewer(here) as (b, older):
        text = offer(Certificate(), "recvonly", KINDS)
        late = await here.plane.subscribe(LESSON, ParticipantId("b"), ClientId("bare"), text)
        later = await here.plane.subscribe(LESSON, ParticipantId("b"), ClientId("bare"), text)
        assert (older.connected, late.id in here.plane.connections, later.id in here.plane.connections) == (
            True,
            False,  # one at a time waits
            True,
        )
        a.send_rtp(packet(1, KEYFRAME))
        assert (await b.packets.get())[16:] == KEYFRAME[4:]


async def test_newcomer_takes_the_place_when_it_has_connected() -> None:
    certificate = Certificate()
    async with (
        asyncio.timeout(15),
        lesson() as here,
        publisher(here) as (a, _),
        viewer(here) as (_, older),
        bare_client(certificate) as again,
    ):
        text = offer(certificate, "recvonly", KINDS)
        newer = await here.plane.subscribe(LESSON, ParticipantId("b"), ClientId("bare"), text)
        assert older.connected
        await again.connect(newer, here.plane.port)
        await here.until(lambda: newer.connected and older.id not in here.plane.connections)
        a.send_rtp(packet(1, KEYFRAME))
        assert (await again.packets.get())[16:] == KEYFRAME[4:]


async def test_all_of_a_participant_go_with_it() -> None:
    async with asyncio.timeout(15), lesson() as here, viewer(here) as (_, older):
        text = offer(Certificate(), "recvonly", KINDS)
        waiting = await here.plane.subscribe(LESSON, ParticipantId("b"), ClientId("bare"), text)
        await here.plane.remove_participant(LESSON, ParticipantId("b"))
        assert not {older.id, waiting.id} & here.plane.connections.keys()
