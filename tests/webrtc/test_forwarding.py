"""A bare publisher and a bare viewer of one plane, packet by packet."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from testing.webrtc.bare import KEYFRAME, OPUS, OTHER_FRAME, SSRC, VP8, BareClient, Kind, bare_client, offer, packet
from tests.webrtc.peers import LESSON, Lesson, lesson
from webrtc.bridge.connection import Connection
from webrtc.bridge.publication import VIDEO_BPS
from webrtc.rtp import rtcp
from webrtc.rtp.packet import HEADER
from webrtc.shared.ids import ClientId, ParticipantId
from webrtc.shared.state import LinkState
from webrtc.transport.dtls import Certificate

KINDS: tuple[Kind, ...] = ("video", "audio")

pytestmark = pytest.mark.usefixtures("each_engine")


@asynccontextmanager
async def publisher(here: Lesson, name: str = "a") -> AsyncIterator[tuple[BareClient, Connection]]:
    certificate = Certificate()
    async with bare_client(certificate) as client:
        text = offer(certificate, "sendonly", KINDS)
        connection = await here.plane.publish(LESSON, ParticipantId(name), ClientId("bare"), text)
        await client.connect(connection, here.plane.port)
        await here.until(lambda: connection.connected)
        yield client, connection


@asynccontextmanager
async def viewer(here: Lesson, name: str = "b") -> AsyncIterator[tuple[BareClient, Connection]]:
    certificate = Certificate()
    async with bare_client(certificate) as client:
        text = offer(certificate, "recvonly", KINDS)
        connection = await here.plane.subscribe(LESSON, ParticipantId(name), ClientId("bare"), text)
        await client.connect(connection, here.plane.port)
        await here.until(lambda: connection.connected)
        yield client, connection


async def test_packets_go_on_with_their_payload() -> None:
    async with asyncio.timeout(10), lesson() as here, publisher(here) as (a, _), viewer(here) as (b, _):
        a.send_rtp(packet(1, KEYFRAME))
        a.send_rtp(packet(2, OTHER_FRAME, timestamp=3000))
        first, second = await b.packets.get(), await b.packets.get()
        assert (first[16:], second[16:]) == (KEYFRAME[4:], OTHER_FRAME[4:])
        (_, one, sequence, timestamp, ssrc), (_, two, *rest) = HEADER.unpack_from(first), HEADER.unpack_from(second)
        assert (one, two) == (0x80 | VP8, 0x80 | VP8)
        assert rest == [(sequence + 1) & 0xFFFF, (timestamp + 3000) & 0xFFFFFFFF, ssrc]


async def test_late_viewer_begins_at_a_keyframe_that_was_asked_for() -> None:
    async with asyncio.timeout(10), lesson() as here, publisher(here) as (a, _):
        a.send_rtp(packet(1, KEYFRAME))
        async with viewer(here) as (b, _):
            await a.report(rtcp.PictureLossIndication)
            a.send_rtp(packet(2, OTHER_FRAME))
            a.send_rtp(packet(3, KEYFRAME))
            assert (await b.packets.get())[16:] == KEYFRAME[4:]


async def test_packet_lost_on_the_way_in_is_asked_for() -> None:
    async with asyncio.timeout(10), lesson() as here, publisher(here) as (a, _), viewer(here) as (b, _):
        a.send_rtp(packet(1, KEYFRAME))
        a.send_rtp(packet(3, OTHER_FRAME))
        first, third = await b.packets.get(), await b.packets.get()
        nack = await a.report(rtcp.Nack)
        assert isinstance(nack, rtcp.Nack)
        assert (nack.media, list(nack.lost)) == (SSRC, [2])
        a.send_rtp(packet(2, OTHER_FRAME))
        numbers = [HEADER.unpack_from(each)[2] for each in (first, await b.packets.get(), third)]
        assert numbers == [(numbers[0] + i) & 0xFFFF for i in range(3)]


async def test_packet_lost_on_the_way_out_is_sent_again() -> None:
    async with asyncio.timeout(10), lesson() as here, publisher(here) as (a, _), viewer(here) as (b, _):
        a.send_rtp(packet(1, KEYFRAME))
        first = await b.packets.get()
        b.lose = 1
        a.send_rtp(packet(2, OTHER_FRAME, timestamp=3000))
        a.send_rtp(packet(3, OTHER_FRAME, timestamp=6000))
        await b.packets.get()
        _, _, number, timestamp, ssrc = HEADER.unpack_from(first)
        b.send_rtcp(rtcp.ReceiverReport(ssrc=1), rtcp.Nack.of(ssrc=1, media=ssrc, lost=((number + 1) & 0xFFFF,)))
        again = await b.packets.get()
        assert HEADER.unpack_from(again)[2:] == ((number + 1) & 0xFFFF, (timestamp + 3000) & 0xFFFFFFFF, ssrc)
        assert again[16:] == OTHER_FRAME[4:]


async def test_lost_picture_is_asked_for_at_its_source() -> None:
    async with asyncio.timeout(10), lesson() as here, publisher(here) as (a, _), viewer(here) as (b, _):
        a.send_rtp(packet(1, KEYFRAME))
        ssrc = HEADER.unpack_from(await b.packets.get())[4]
        b.send_rtcp(rtcp.ReceiverReport(ssrc=1), rtcp.PictureLossIndication(ssrc=1, media=ssrc))
        pli = await a.report(rtcp.PictureLossIndication)
        assert isinstance(pli, rtcp.PictureLossIndication)
        assert pli.media == SSRC


async def test_reports_reach_both_ends() -> None:
    async with asyncio.timeout(10), lesson() as here, publisher(here) as (a, _), viewer(here) as (b, _):
        a.send_rtp(packet(1, KEYFRAME, timestamp=90_000))
        ssrc = HEADER.unpack_from(await b.packets.get())[4]
        a.send_rtcp(rtcp.SenderReport(ssrc=SSRC, ntp=5 << 32, rtp=90_000, packets=1, octets=1))
        limit = await a.report(rtcp.MaximumBitrate)
        assert isinstance(limit, rtcp.MaximumBitrate)
        assert (limit.bitrate_bps, limit.media) == (VIDEO_BPS, (SSRC,))
        report = await b.report(rtcp.SenderReport)
        assert isinstance(report, rtcp.SenderReport)
        assert (report.ssrc, report.packets) == (ssrc, 1)
        block = rtcp.ReportBlock(
            ssrc=ssrc, fraction_lost=0, lost=0, highest=1, jitter=0, last_sr=report.ntp >> 16 & 0xFFFFFFFF, delay=0
        )
        b.send_rtcp(rtcp.ReceiverReport(ssrc=1, reports=(block,)))
        a.send_rtp(packet(2, OTHER_FRAME))
        await b.packets.get()
        while (state := here.participant("b")) is None or state.round_trip_ms is None:
            a.send_rtp(packet(3, OTHER_FRAME))
            await b.packets.get()
        assert 0 <= state.round_trip_ms < 5000


async def test_voice_needs_no_keyframe() -> None:
    async with asyncio.timeout(10), lesson() as here, publisher(here) as (a, _), viewer(here) as (b, _):
        a.send_rtp(packet(7, b"voice", ssrc=SSRC + 1, payload_type=OPUS))
        assert (await b.packets.get())[12:] == b"voice"


async def test_call_goes_on_at_another_address() -> None:
    async with asyncio.timeout(10), lesson() as here, publisher(here) as (a, at_a), viewer(here) as (b, at_b):
        a.send_rtp(packet(1, KEYFRAME))
        await b.packets.get()
        await b.move(at_b)
        await a.move(at_a)
        a.send_rtp(packet(2, OTHER_FRAME))
        assert (await b.packets.get())[16:] == OTHER_FRAME[4:]


async def test_nonsense_from_a_member_harms_nobody() -> None:
    async with asyncio.timeout(10), lesson() as here, publisher(here) as (a, at_a), viewer(here) as (b, at_b):
        a.send_rtp(packet(1, KEYFRAME))
        await b.packets.get()
        for size in (0, 1, 11, 12, 40, 1500, 1501, 9000):
            for first in (0x00, 0x16, 0x80, 0x90, 0xB0):
                a.send(bytes((first,)) + os.urandom(size - 1) if size else b"")
                b.send(bytes((first, 200)) + os.urandom(size - 2) if size > 1 else b"")
        for ssrc in range(200):
            a.send_rtp(packet(1, KEYFRAME, ssrc=ssrc))  # of no track
        a.send_rtp(packet(2, KEYFRAME, payload_type=100))  # of no codec
        for payload in (b"", b"\x90", b"\x90\x80", b"\x90\xff\xff"):
            a.send_rtp(packet(3 + len(payload), payload))
        a.send_rtcp(rtcp.ReceiverReport(ssrc=1), rtcp.Nack.of(ssrc=1, media=SSRC, lost=range(100)))
        b.send_rtcp(rtcp.SenderReport(ssrc=SSRC, ntp=0, rtp=0, packets=0, octets=0))
        b.send_rtp(packet(1, KEYFRAME))  # a viewer has nothing to send
        a.send_rtp(packet(50, KEYFRAME))
        while (await b.packets.get())[16:] != KEYFRAME[4:]:
            pass
        state = here.participant("a")
        assert state is not None
        assert len(state.tracks) == 1
        assert (at_a.connected, at_b.connected) == (True, True)


async def test_media_before_dtls_is_dropped() -> None:
    async with asyncio.timeout(10), lesson() as here:
        certificate = Certificate()
        async with bare_client(certificate) as client:
            text = offer(certificate, "sendonly", KINDS)
            connection = await here.plane.publish(LESSON, ParticipantId("a"), ClientId("bare"), text)
            await client.move(connection, here.plane.port)
            for sequence in range(100):
                client.send(packet(sequence, KEYFRAME))
            await client.connect(connection, here.plane.port)
            await here.until(lambda: connection.connected)
            assert connection.refused == 100


async def test_peer_with_another_certificate_is_refused() -> None:
    async with asyncio.timeout(10), lesson() as here:
        async with bare_client(Certificate()) as client:
            text = offer(Certificate(), "sendonly", KINDS)
            connection = await here.plane.publish(LESSON, ParticipantId("a"), ClientId("bare"), text)
            await client.connect(connection, here.plane.port)
            await here.until(lambda: connection.id not in here.plane.connections)
            assert here.plane.bridges[LESSON].state().participants == ()


async def test_silent_client_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    async with asyncio.timeout(10), lesson() as here, publisher(here) as (_, connection):
        monkeypatch.setattr("webrtc.bridge.connection.WEAK_S", 0.0)
        weak = here.participant("a")
        monkeypatch.setattr("webrtc.bridge.connection.LOST_S", 0.0)
        lost = here.participant("a")
        assert weak is not None
        assert lost is not None
        assert (weak.link, lost.link) == (LinkState.WEAK, LinkState.LOST)
        monkeypatch.setattr("webrtc.transport.ice.CONSENT_S", 0.0)
        await here.until(lambda: connection.id not in here.plane.connections)


async def test_end_signalled_by_the_peer_ends_the_connection() -> None:
    async with asyncio.timeout(10), lesson() as here, publisher(here) as (a, connection), viewer(here) as (b, _):
        a.send_rtp(packet(1, KEYFRAME))
        await b.packets.get()
        await a.close()
        await here.until(lambda: connection.id not in here.plane.connections)
        assert here.participant("a") is None


async def test_newer_connection_takes_the_place_of_the_older() -> None:
    async with asyncio.timeout(10), lesson() as here, publisher(here) as (a, older), viewer(here) as (b, _):
        a.send_rtp(packet(1, KEYFRAME))
        sequence = HEADER.unpack_from(await b.packets.get())[2]
        async with publisher(here) as (again, _):
            assert older.id not in here.plane.connections
            again.send_rtp(packet(900, KEYFRAME))
            assert HEADER.unpack_from(await b.packets.get())[2] == (sequence + 1) & 0xFFFF


async def test_slot_of_one_who_left_goes_to_the_next() -> None:
    async with asyncio.timeout(10), lesson("a", "c") as here, publisher(here, "a") as (a, _), viewer(here) as (b, _):
        a.send_rtp(packet(1, KEYFRAME))
        first = HEADER.unpack_from(await b.packets.get())
        async with publisher(here, "c") as (c, _):
            c.send_rtp(packet(500, KEYFRAME))
            await here.until(lambda: (state := here.participant("c")) is not None and len(state.tracks) == 1)
            await here.put_out("a")
            await c.report(rtcp.PictureLossIndication)
            c.send_rtp(packet(501, KEYFRAME))
            then = HEADER.unpack_from(await b.packets.get())
            assert (then[2], then[4]) == ((first[2] + 1) & 0xFFFF, first[4])
