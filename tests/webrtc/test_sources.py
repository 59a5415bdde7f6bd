"""What follows when a sender changes how it sends: its SSRC, its codec, or to nothing but padding."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from testing.webrtc.bare import KEYFRAME, OPUS, OTHER_FRAME, SSRC, VP8, BareClient, Kind, bare_client, offer, packet
from tests.webrtc.hostile import MID, RID, extended, one_byte, rich_offer
from tests.webrtc.peers import LESSON, Lesson, lesson
from webrtc.bridge.connection import Connection
from webrtc.bridge.publication import Publication
from webrtc.rtp import rtcp
from webrtc.shared.ids import ClientId, ParticipantId
from webrtc.transport.dtls import Certificate

H264 = 98
H264_KEYFRAME, H264_FRAME = b"\x65\x88", b"\x61\x9a"
UNUSED = ("a=ssrc", "a=simulcast", "a=rid")
RTX = {VP8: 97, H264: 99}


@asynccontextmanager
async def joined(here: Lesson, name: str, text: str, client: BareClient, *, sends: bool) -> AsyncIterator[Connection]:
    join = here.plane.publish if sends else here.plane.subscribe
    connection = await join(LESSON, ParticipantId(name), ClientId("bare"), text)
    await client.connect(connection, here.plane.port)
    await here.until(lambda: connection.connected)
    yield connection


@asynccontextmanager
async def both(
    kinds: Sequence[Kind] = ("video",), *, plain: bool = False
) -> AsyncIterator[tuple[BareClient, BareClient, Publication]]:
    """One who sends and one who plays; `plain`: with one codec of each kind and no header extension."""
    ours, theirs = Certificate(), Certificate()
    write = offer if plain else rich_offer
    async with asyncio.timeout(20), lesson() as here, bare_client(ours) as a, bare_client(theirs) as b:
        sent = write(ours, "sendonly", kinds)
        sent = "".join(line for line in sent.splitlines(True) if not line.startswith(UNUSED))
        async with (
            joined(here, "a", sent, a, sends=True) as publication,
            joined(here, "b", write(theirs, "recvonly", kinds), b, sends=False),
        ):
            assert isinstance(publication, Publication)
            yield a, b, publication


def frame(number: int, ssrc: int, *, key: bool = False, payload_type: int = VP8) -> bytes:
    payload = (KEYFRAME if key else OTHER_FRAME) + bytes((number & 0xFF,))
    if payload_type == H264:
        payload = (H264_KEYFRAME if key else H264_FRAME) + bytes((number & 0xFF,))
    return packet(number, payload, timestamp=3000 * number, ssrc=ssrc, payload_type=payload_type)


def named(plain: bytes, mid: bytes = b"0", rid: bytes = b"") -> bytes:
    return extended(plain, one_byte((MID, mid), *([(RID, rid)] if rid else [])))


async def got(client: BareClient, count: int) -> list[int]:
    """The last octet of so many packets: the number that they were sent with."""
    return [(await client.packets.get())[-1] for _ in range(count)]


@pytest.mark.parametrize("plain", [False, True])
async def test_picture_goes_on_under_another_ssrc(plain: bool) -> None:
    async with both(plain=plain) as (a, b, publication):
        name = (lambda each: each) if plain else named
        for ssrc, first in ((1, 10), (2, 40_000), (3, 7)):
            for number in range(first, first + 5):
                a.send_rtp(name(frame(number, ssrc, key=number == first)))
            assert await got(b, 5) == [number & 0xFF for number in range(first, first + 5)]
        assert publication.refused == 0


async def test_sound_goes_on_under_another_ssrc_without_a_name() -> None:
    async with both(["video", "audio"], plain=True) as (a, b, publication):
        for ssrc, first in ((1, 10), (2, 40_000)):
            for number in range(first, first + 5):
                a.send_rtp(
                    packet(number, bytes((1, number & 0xFF)), timestamp=960 * number, ssrc=ssrc, payload_type=OPUS)
                )
            assert await got(b, 5) == [number & 0xFF for number in range(first, first + 5)]
        assert publication.refused == 0


async def test_what_comes_late_of_the_ssrc_before_changes_nothing() -> None:
    async with both() as (a, b, publication):
        a.send_rtp(named(frame(10, 1, key=True)))
        a.send_rtp(named(frame(100, 2, key=True)))
        a.send_rtp(named(frame(11, 1)))
        late = packet(5, (12).to_bytes(2, "big") + OTHER_FRAME + b"\x0c", ssrc=9, payload_type=RTX[VP8])
        a.send_rtp(named(late))  # a retransmission of what nobody misses
        a.send_rtp(named(frame(101, 2)))
        assert await got(b, 3) == [10, 100, 101]
        assert (publication.refused, [layer.track.highest & 0xFFFF for layer in publication.layers]) == (1, [101])


async def keyframe_is_asked_for(client: BareClient, ssrc: int) -> None:
    while True:
        asked = await client.report(rtcp.PictureLossIndication)
        if isinstance(asked, rtcp.PictureLossIndication) and asked.media == ssrc:
            return


async def heard_are(client: BareClient, ssrcs: set[int]) -> None:
    """Return once the node reports on those."""
    while True:
        report = await client.report(rtcp.ReceiverReport)
        if isinstance(report, rtcp.ReceiverReport) and {block.ssrc for block in report.reports} == ssrcs:
            return


async def test_picture_that_goes_on_without_a_keyframe_asks_for_one() -> None:
    async with both() as (a, b, publication):
        a.send_rtp(named(frame(10, 1, key=True)))
        assert await got(b, 1) == [10]
        a.send_rtp(named(frame(100, 2)))
        await keyframe_is_asked_for(a, 2)
        a.send_rtp(named(frame(101, 2, key=True)))
        assert await got(b, 1) == [101]
        assert publication.refused == 0


async def test_newest_ssrc_of_a_layer_is_the_layer() -> None:
    certificate = Certificate()
    async with asyncio.timeout(10), lesson() as here, bare_client(certificate) as a:
        text = rich_offer(certificate, "sendonly", ["video"])
        async with joined(here, "a", text, a, sends=True):
            for ssrc, rid in ((1, b"q"), (2, b"h"), (3, b"q")):
                a.send_rtp(named(frame(ssrc, ssrc, key=True), rid=rid))
            await heard_are(a, {2, 3})


async def test_of_two_declared_ssrcs_that_come_together_the_first_is_the_picture() -> None:
    certificate = Certificate()
    async with asyncio.timeout(10), lesson() as here, bare_client(certificate) as a:
        text = offer(certificate, "sendonly", ["video"])  # declares SSRC
        async with joined(here, "a", f"{text}a=ssrc:7 cname:bare\r\n", a, sends=True) as publication:
            for number in range(1, 5):
                for ssrc in (SSRC, 7):
                    a.send_rtp(frame(number, ssrc, key=number == 1))
            await heard_are(a, {SSRC})
            assert publication.refused == 4


@pytest.mark.parametrize("key", [True, False])
async def test_late_packet_of_the_codec_before_does_not_bring_it_back(key: bool) -> None:
    async with both() as (a, b, _):
        a.send_rtp(named(frame(20, 1, key=True)))
        a.send_rtp(named(frame(22, 1, key=key, payload_type=H264)))
        a.send_rtp(named(frame(21, 1)))
        if not key:  # a picture waits, and nobody plays what would show it
            await keyframe_is_asked_for(a, 1)
            a.send_rtp(named(frame(23, 1, key=True, payload_type=H264)))
        a.send_rtp(named(frame(24, 1, payload_type=H264)))
        assert await got(b, 3) == [20, 22 if key else 23, 24]


async def test_what_is_repeated_of_the_codec_before_is_of_that_codec() -> None:
    async with both() as (a, b, publication):
        a.send_rtp(named(frame(20, 1, key=True)))
        a.send_rtp(named(frame(22, 1, key=True, payload_type=H264)))
        assert await got(b, 2) == [20, 22]
        lost = frame(21, 1)
        a.send_rtp(named(packet(1, lost[2:4] + lost[12:], ssrc=9, payload_type=RTX[VP8])))
        a.send_rtp(named(frame(23, 1, payload_type=H264)))
        assert await got(b, 1) == [23]
        [layer] = publication.layers
        kept = layer.track.packet(layer.track.highest - 2)
        assert kept is not None
        assert (layer.track.codec.name, layer.track.codec_of(kept).name) == ("H264", "VP8")
