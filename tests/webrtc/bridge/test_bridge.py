"""Who takes whose place in a bridge."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import monotonic

import pytest

from testing.webrtc.bare import KEYFRAME, OPUS, OTHER_FRAME, SSRC, bare_client, offer, packet
from tests.webrtc.peers import LESSON, Lesson, lesson
from tests.webrtc.test_forwarding import KINDS, publisher, viewer
from webrtc.bridge.connection import LOST_S, Connection
from webrtc.bridge.participant import Participant
from webrtc.bridge.publication import Publication
from webrtc.errors import BridgeFull
from webrtc.forwarding.layers import GONE_S
from webrtc.forwarding.track import FLOWING_S
from webrtc.shared.ids import ClientId, ParticipantId
from webrtc.shared.state import LinkState
from webrtc.transport.dtls import Certificate


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


async def test_full_bridge_still_takes_who_has_a_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webrtc.bridge.bridge.MAX_CONNECTIONS", 2)
    async with asyncio.timeout(15), lesson() as here, publisher(here), viewer(here) as (_, older):
        text = offer(Certificate(), "recvonly", KINDS)
        for _ in range(3):  # the older one still counts as connected: this one waits
            await here.plane.subscribe(LESSON, ParticipantId("b"), ClientId("bare"), text)
        assert older.connected
        with pytest.raises(BridgeFull):
            await here.plane.subscribe(LESSON, ParticipantId("c"), ClientId("bare"), text)


async def test_all_of_a_participant_go_with_it() -> None:
    async with asyncio.timeout(15), lesson() as here, viewer(here) as (_, older):
        text = offer(Certificate(), "recvonly", KINDS)
        waiting = await here.plane.subscribe(LESSON, ParticipantId("b"), ClientId("bare"), text)
        await here.put_out("b")
        assert not {older.id, waiting.id} & here.plane.connections.keys()


async def test_room_is_as_well_as_the_display_that_does_all_of_it() -> None:
    async with asyncio.timeout(15), lesson() as here, publisher(here) as (_, sends):
        room, panel = ParticipantId("a"), ClientId("panel")
        participant = here.plane.bridges[LESSON].participants[room]
        await here.plane.publish(LESSON, room, panel, offer(Certificate(), "sendonly", KINDS))
        await here.plane.subscribe(LESSON, room, panel, offer(Certificate(), "recvonly", KINDS))
        assert sends.connected
        assert participant.link_state(monotonic()) is LinkState.LOST  # one only sends, the other one is not there
        async with viewer(here, "a"):
            assert participant.link_state(monotonic()) is LinkState.GOOD
            assert participant.link_state(monotonic() + LOST_S + 1) is LinkState.LOST


async def test_of_two_shared_screens_the_newest_is_shown_until_its_machine_is_lost() -> None:
    async with asyncio.timeout(15), lesson() as here, viewer(here), sharing(here, "tv") as older:
        participant = here.plane.bridges[LESSON].participants[ParticipantId("a")]
        async with sharing(here, "laptop") as newer:
            now = monotonic()
            assert _shared(participant, now) == "laptop"
            assert participant.link_state(now) is LinkState.GOOD
            later = now + LOST_S + 1
            older.tick(later)  # nobody is heard then
            assert (_shared(participant, later), participant.link_state(later)) == (None, LinkState.LOST)
            told = asyncio.Event()
            newer.changed = told.set
            newer.tick(later + 2)
            assert told.is_set()
        await here.until(lambda: newer.id not in here.plane.connections)
        assert _shared(participant, monotonic()) == "tv"


async def test_room_is_heard_by_its_other_microphone_when_nothing_comes_from_the_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with (
        asyncio.timeout(15),
        lesson() as here,
        viewer(here),
        speaking(here, "panel") as older,
        speaking(here, "laptop") as newer,
    ):
        watching = here.plane.bridges[LESSON].participants[ParticipantId("b")].subscriptions[ClientId("bare")]

        def heard() -> list[str]:
            return [source.client for source in watching.selection.sources.values()]

        await here.until(lambda: heard() == ["panel"])
        later = monotonic() + FLOWING_S + 1
        monkeypatch.setattr("webrtc.bridge.bridge.monotonic", lambda: later)
        newer.receive_rtp(packet(2, b"\x78sound", ssrc=SSRC, payload_type=OPUS), {}, later)
        older.tick(later)
        assert heard() == ["laptop"]


async def test_room_whose_camera_is_gone_while_it_is_heard_has_no_picture() -> None:
    async with asyncio.timeout(15), lesson() as here, publisher(here) as (a, connection):
        a.send_rtp(packet(1, KEYFRAME))
        a.send_rtp(packet(1, b"\x78sound", ssrc=SSRC + 1, payload_type=OPUS))
        participant = here.plane.bridges[LESSON].participants[ParticipantId("a")]
        await here.until(lambda: len(list(participant.sources)) == 2)
        later = monotonic() + GONE_S + 1
        assert participant.offering(later).picture  # nothing comes: that is the link
        connection.receive_rtp(packet(2, b"\x78sound", ssrc=SSRC + 1, payload_type=OPUS), {}, later)
        assert not participant.offering(later).picture
        connection.receive_rtp(packet(2, OTHER_FRAME), {}, later)
        assert participant.offering(later).picture


@asynccontextmanager
async def speaking(here: Lesson, client: str) -> AsyncIterator[Connection]:
    """A machine of participant a sends sound."""
    certificate = Certificate()
    async with bare_client(certificate) as machine:
        text = offer(certificate, "sendonly", ["audio"])
        connection = await here.plane.publish(LESSON, ParticipantId("a"), ClientId(client), text)
        await machine.connect(connection, here.plane.port)
        await here.until(lambda: connection.connected)
        machine.send_rtp(packet(1, b"\x78sound", payload_type=OPUS))
        assert isinstance(connection, Publication)
        await here.until(lambda: len(list(connection.sources)) == 1)
        yield connection


@asynccontextmanager
async def sharing(here: Lesson, client: str) -> AsyncIterator[Connection]:
    """A machine of participant a shares its screen."""
    certificate = Certificate()
    async with bare_client(certificate) as machine:
        text = offer(certificate, "sendonly", ["video"]).replace("a=mid:0", "a=mid:0\r\na=content:slides")
        connection = await here.plane.publish(LESSON, ParticipantId("a"), ClientId(client), text)
        await machine.connect(connection, here.plane.port)
        await here.until(lambda: connection.connected)
        machine.send_rtp(packet(1, KEYFRAME))
        await here.until(
            lambda: _shared(here.plane.bridges[LESSON].participants[ParticipantId("a")], monotonic()) == client
        )
        yield connection
        connection.end()


def _shared(participant: Participant, now: float) -> str | None:
    source = participant.slides(now)
    return source.client if source is not None else None
