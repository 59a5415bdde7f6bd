"""Members with a valid token who send what no browser would: what it costs is theirs, not the lesson's."""

import asyncio
import gc
import random
import weakref
from collections.abc import Iterator
from contextlib import suppress

import pytest

from testing.webrtc.bare import KEYFRAME, SSRC, BareClient, packet
from tests.webrtc.hostile import (
    LEVEL,
    MID,
    OPUS,
    RED,
    REPAIRED_RID,
    RID,
    TRANSPORT_CC,
    Beside,
    extended,
    lesson_beside,
    member,
    mutated,
    one_byte,
)
from webrtc.bridge import connection as connections
from webrtc.bridge.connection import Connection
from webrtc.bridge.publication import MAX_TRACKS, Publication
from webrtc.rtp import rtcp
from webrtc.rtp.packet import HEADER
from webrtc.rtp.transport_cc import Run, TransportFeedback

H264_SPS = bytes.fromhex("6742c01fd9008c68050050bb011000000300100000030320f1422a")
BEGINNINGS = {96: KEYFRAME, 98: H264_SPS, 100: b"\x8a\x81\x02\x20\x00", 102: b"\x18\x0a\x0b\x00", OPUS: b"\x78opus"}
BEGINNINGS |= {RED: bytes((0x80 | OPUS, 0, 0, 4, OPUS)) + b"old!new", 97: b"\x00\x01" + KEYFRAME}


def packets_of_a_member(chance: random.Random) -> Iterator[bytes]:
    """Of every format and with every header extension, in the order that they have."""
    for number in range(100_000):
        payload_type = chance.choice([*BEGINNINGS, 99, 101, 103, 0, 127])
        mid = b"1" if payload_type in (OPUS, RED) else b"0"
        rid = chance.choice((b"q", b"h", b"f", b"x", b"\xff"))
        payload = BEGINNINGS.get(payload_type, b"\x00\x07") + chance.randbytes(chance.randrange(60))
        ssrc = int.from_bytes(mid + rid, "big") + (payload_type << 16)
        plain = packet(number & 0xFFFF, payload, timestamp=number * 3000, ssrc=ssrc, payload_type=payload_type)
        yield extended(
            plain,
            one_byte(
                (MID, mid),
                (RID if payload_type % 2 == 0 or payload_type in (OPUS, RED) else REPAIRED_RID, rid),
                (TRANSPORT_CC, (number & 0xFFFF).to_bytes(2, "big")),
                (LEVEL, bytes((chance.randrange(256),))),
            ),
        )


async def test_fuzzed_packets_of_a_publisher(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "MAX_SOURCES", 1 << 16)
    chance = random.Random(11)
    async with lesson_beside() as beside, member(beside.here, "c", "sendonly") as (client, connection):
        async with member(beside.here, "d", "recvonly", ("video", "video", "audio", "audio")):
            for number, whole in zip(range(2500), packets_of_a_member(chance), strict=False):
                fuzzed = mutated(chance, whole) if number % 3 else whole
                with suppress(AssertionError):  # what libsrtp at this end does not take
                    client.send_rtp(b"\x90" + fuzzed[1:] if number % 5 else fuzzed.ljust(12, b"\0"))
                if number % 50 == 0:
                    await beside.goes_on(1)
            await beside.goes_on()
        assert connection.connected
        assert isinstance(connection, Publication)
        assert len(list(connection.layers)) <= MAX_TRACKS


@pytest.mark.parametrize("way", ["media", "repairs", "reports"])
async def test_flood_of_sources_ends_its_connection(way: str) -> None:
    """libsrtp keeps something of each SSRC that was authentic, and looks through all of them."""
    chance = random.Random(12)
    async with lesson_beside() as beside, member(beside.here, "c", "sendonly") as (client, connection):
        assert isinstance(connection, Publication)
        for ssrc, rid in enumerate((b"q", b"h", b"f")):
            client.send_rtp(extended(packet(1, KEYFRAME, ssrc=ssrc), one_byte((MID, b"0"), (RID, rid))))
        await beside.goes_on()
        assert len(list(connection.layers)) == 3
        for number in range(2 * connections.MAX_SOURCES):
            rid = chance.choice((b"q", b"h", b"f", chance.randbytes(8)))
            forms = (
                one_byte((MID, b"0"), (REPAIRED_RID, rid)),
                one_byte((MID, chance.randbytes(4)), (RID, rid)),
                b"\x10\x00\x00\x02" + bytes((MID, 1)) + b"0" + bytes((RID, 1)) + b"q\0\0",
            )
            if way == "reports":
                client.send_rtcp(rtcp.ReceiverReport(ssrc=number))
            else:
                plain = packet(
                    number, b"\0\1" + KEYFRAME, ssrc=1000 + number, payload_type=97 if way == "repairs" else 96
                )
                client.send_rtp(extended(plain, forms[0 if way == "repairs" else number % 3]))
            if number % 50 == 0:
                await beside.goes_on(1)
                assert len(list(connection.layers)) == 3
        await beside.here.until(lambda: connection.id not in beside.here.plane.connections)


def reports(chance: random.Random, ssrcs: list[int]) -> list[bytes]:
    """Of every kind, of packets that never were, with counts that cannot be."""
    ssrc, step = chance.choice(ssrcs), chance.randrange(-30000, 30000)
    lies = TransportFeedback(
        ssrc=1,
        media=ssrc,
        base=chance.randrange(1 << 16),
        statuses=400,
        reference_time=chance.randrange(1 << 24),
        number=chance.randrange(256),
        runs=(Run(0, tuple(place * step for place in range(400))),),
    )
    block = rtcp.ReportBlock(
        ssrc=ssrc, fraction_lost=255, lost=-5, highest=0, jitter=1 << 31, last_sr=chance.getrandbits(32), delay=5
    )
    return [
        lies.to_bytes(),
        bytes.fromhex("8fcd 0006 00000001") + ssrc.to_bytes(4, "big") + bytes.fromhex("0000 ffff 000000 00 3fff 3fff"),
        rtcp.ReceiverReport(ssrc=1, reports=(block,) * 31).to_bytes(),
        rtcp.SenderReport(
            ssrc=ssrc, ntp=chance.getrandbits(64), rtp=chance.getrandbits(32), packets=1, octets=1
        ).to_bytes(),
        rtcp.Goodbye(ssrcs=tuple(ssrcs)).to_bytes(),
        rtcp.Nack.of(ssrc=1, media=ssrc, lost=range(chance.randrange(3000))).to_bytes(),
        rtcp.PictureLossIndication(ssrc=1, media=ssrc).to_bytes(),
        rtcp.FullIntraRequest(ssrc=1, media=ssrc, number=chance.randrange(256)).to_bytes(),
        rtcp.MaximumBitrate(ssrc=1, bitrate_bps=chance.choice((0, 1, 1 << 62)), media=(ssrc,)).to_bytes(),
        rtcp.SourceDescription(ssrc=1, cname="x" * 255).to_bytes(),
    ]


def send_raw_rtcp(client: BareClient, compound: bytes) -> None:
    client.send_rtcp(_Raw(compound))  # type: ignore[arg-type]


class _Raw:
    def __init__(self, octets: bytes) -> None:
        self._octets = octets

    def to_bytes(self) -> bytes:
        return self._octets


@pytest.mark.parametrize("direction", ["sendonly", "recvonly"])
async def test_fuzzed_reports(direction: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "MAX_SOURCES", 1 << 16)
    chance = random.Random(13)
    async with lesson_beside() as beside:
        joined = member(beside.here, "c", "sendonly" if direction == "sendonly" else "recvonly")
        async with joined as (client, connection):
            ours = [
                int(line[7:].split(" ")[0]) for line in connection.answer_text.splitlines() if line[:7] == "a=ssrc:"
            ]
            if direction == "sendonly":
                client.send_rtp(extended(packet(1, KEYFRAME, ssrc=7), one_byte((MID, b"0"), (RID, b"q"))))
            for number in range(600):
                kinds = reports(chance, [*ours, 7, SSRC, 0xDEAD])
                whole = b"".join(chance.sample(kinds, 2)) if number % 4 == 0 else chance.choice(kinds)
                fuzzed = mutated(chance, whole) if number % 2 else whole
                second = 200 + chance.randrange(7)
                send_raw_rtcp(
                    client, bytes((0x80 | (fuzzed or b"\0")[0] & 0x3F, second)) + fuzzed[2:1300].ljust(6, b"\0")
                )
                send_raw_rtcp(client, whole[:1300])
                if number % 30 == 0:
                    await beside.goes_on(1)
            await beside.goes_on()
            assert connection.connected


async def _watches(beside: Beside, client: BareClient) -> int:
    """The SSRC of the stage of one who has just come."""
    await beside.sender.report(rtcp.PictureLossIndication)
    await beside.goes_on(1, KEYFRAME)
    return int(HEADER.unpack_from(await client.packets.get())[4])


async def test_storm_for_keyframes_reaches_no_sender() -> None:
    async with lesson_beside() as beside, member(beside.here, "c", "recvonly", ("video",)) as (client, _):
        ssrc = await _watches(beside, client)
        asked = 0
        for _ in range(20):
            for _ in range(25):
                client.send_rtcp(
                    rtcp.PictureLossIndication(ssrc=1, media=ssrc),
                    rtcp.FullIntraRequest(ssrc=1, media=ssrc, number=asked),
                )
            await beside.goes_on(1, KEYFRAME)  # each is answered at once, so that the next one is a new wish
        while not beside.sender.reports.empty():
            asked += isinstance(beside.sender.reports.get_nowait(), rtcp.PictureLossIndication)
        assert asked <= 20  # of a thousand; as many as there were rounds if each took longer than half a second


async def test_storm_for_packets_is_answered_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webrtc.bridge.subscription.REPEATS_PER_S", 50.0)
    async with lesson_beside() as beside, member(beside.here, "c", "recvonly", ("video",)) as (client, connection):
        ssrc = await _watches(beside, client)
        loop = asyncio.get_running_loop()
        began = loop.time()
        await beside.goes_on(200)
        for _ in range(30):
            everything = range(0, 1 << 16, 17)
            for start in range(0, 4096, 200):
                client.send_rtcp(rtcp.Nack.of(ssrc=1, media=ssrc, lost=everything[start : start + 200]))
            await beside.goes_on(1)
        # What it gets is the lesson, and of repetitions not more than its allowance.
        got = 0
        while not client.packets.empty():
            got += 1
            client.packets.get_nowait()
        assert got <= 231 + 50 * (2 + loop.time() - began)
        assert connection.connected


async def test_flood_of_packets_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "MAX_PACKETS_PER_S", 100)
    async with lesson_beside() as beside, member(beside.here, "c", "sendonly") as (client, connection):
        extension = one_byte((MID, b"1"), (LEVEL, b"\x80"))
        for number in range(2000):
            client.send_rtp(extended(packet(number, b"\x78" * 900, ssrc=5, payload_type=OPUS), extension))
        await beside.goes_on()
        assert connection.refused > 0
        assert connection.connected


async def test_flood_of_reports_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "MAX_REPORTED_PER_S", 2000)
    async with lesson_beside() as beside, member(beside.here, "c", "recvonly") as (client, connection):
        for _ in range(200):
            client.send_rtcp(rtcp.ReceiverReport(ssrc=1), rtcp.Nack.of(ssrc=1, media=SSRC, lost=range(0, 5000, 20)))
        await beside.goes_on()
        assert connection.refused > 0
        assert connection.connected


@pytest.mark.parametrize("where", ["receive_rtcp", "tick"])
async def test_fault_in_one_connection_ends_that_one(
    where: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with lesson_beside() as beside, member(beside.here, "c", "recvonly") as (client, connection):
        plane = beside.here.plane
        monkeypatch.setattr(connection, where, lambda *_: 1 / 0)
        for _ in range(20):
            client.send_rtcp(rtcp.ReceiverReport(ssrc=1))
        await beside.here.until(lambda: connection.id not in plane.connections)
        await beside.goes_on()
        assert len(plane.connections) == 2
        assert "ended by a fault" in caplog.text
        assert caplog.text.count("Traceback") <= 21  # as many as there were packets, at most


async def test_sound_that_is_none_is_heard_by_nobody() -> None:
    """A voice goes before every picture, whatever the link takes; so what is too much for one is not taken as one."""
    async with lesson_beside() as beside, member(beside.here, "c", "sendonly", ("audio",)) as (client, connection):
        assert isinstance(connection, Publication)
        await beside.here.until(lambda: connection.connected)
        number = 0
        extension = one_byte((MID, b"0"), (LEVEL, b"\x80"))
        while not any(not source.is_voice for source in connection.sources):
            for _ in range(100):
                client.send_rtp(extended(packet(number & 0xFFFF, bytes(1100), ssrc=5, payload_type=OPUS), extension))
                number += 1
            await beside.goes_on(1)
        participant = beside.here.plane.bridges[next(iter(beside.here.plane.bridges))].participants[
            connection.participant
        ]
        assert participant.voice(0.0) is None


async def test_those_who_left_leave_nothing_behind() -> None:
    """Not even for the garbage collector, which a node runs seldom: the packets of a picture are a megabyte."""
    gone: list[weakref.ref[Connection]] = []
    gc.disable()
    try:
        async with lesson_beside() as beside:
            for turn in range(3):
                await _come_and_go(beside, turn, gone)
            assert len(gone) == 6
            while any(each() is not None for each in gone):  # the plane's round of housekeeping holds the last one
                await beside.goes_on(1)
    finally:
        gc.enable()


async def _come_and_go(beside: Beside, turn: int, gone: list[weakref.ref[Connection]]) -> None:
    here = beside.here
    async with member(here, "c", "sendonly") as (client, sending), member(here, "c", "recvonly") as (_, watching):
        assert isinstance(sending, Publication)
        client.send_rtp(extended(packet(1, KEYFRAME, ssrc=turn), one_byte((MID, b"0"), (RID, b"q"))))
        publication = sending
        await here.until(lambda: bool(list(publication.layers)))
        gone += [weakref.ref(sending), weakref.ref(watching)]
    await here.until(lambda: len(here.plane.connections) == 2)
