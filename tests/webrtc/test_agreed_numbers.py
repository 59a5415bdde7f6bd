"""Which packets have a number, and which come again on their own SSRC, for players that agreed on it for some only."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from testing.webrtc.bare import KEYFRAME, OPUS, OTHER_FRAME, BareClient, bare_client, packet
from tests.webrtc.hostile import MID, RID, TRANSPORT_CC, extended, member, one_byte, rich_offer
from tests.webrtc.peers import LESSON, lesson
from webrtc.rtp import rtcp
from webrtc.rtp.packet import HEADER, open_packet
from webrtc.shared.ids import ClientId, ParticipantId
from webrtc.transport.dtls import Certificate

EXTENSION = 0x10


@asynccontextmanager
async def playing(change: Callable[[str], str]) -> AsyncIterator[tuple[BareClient, BareClient]]:
    """One who sends a picture and a voice, and a player with that `change` of its offer."""
    theirs = Certificate()
    async with asyncio.timeout(10), lesson() as here, member(here, "a", "sendonly") as (a, _), bare_client(theirs) as b:
        text = change(rich_offer(theirs, "recvonly", ["video", "audio"]))
        connection = await here.plane.subscribe(LESSON, ParticipantId("b"), ClientId("c"), text)
        await b.connect(connection, here.plane.port)
        await here.until(lambda: connection.connected)
        yield a, b


def picture(number: int) -> bytes:
    plain = packet(number, KEYFRAME if number == 1 else OTHER_FRAME, timestamp=3000 * number, ssrc=1)
    return extended(plain, one_byte((MID, b"0"), (RID, b"q")))


def voice(number: int) -> bytes:
    plain = packet(number, b"\x01voice", timestamp=960 * number, ssrc=2, payload_type=OPUS)
    return extended(plain, one_byte((MID, b"1")))


def without_numbers_of_sound(text: str) -> str:
    picture, sound = text.split("m=audio")
    kept = (line for line in sound.splitlines(True) if not line.startswith(f"a=extmap:{TRANSPORT_CC} "))
    return f"{picture}m=audio{''.join(kept)}"


async def test_voice_has_no_number_where_only_the_picture_agreed_on_it(each_engine: str) -> None:
    async with playing(without_numbers_of_sound) as (a, b):
        numbers: list[int] = []
        for number in range(1, 6):
            a.send_rtp(picture(number))
            a.send_rtp(voice(number))
            for came in (await b.packets.get(), await b.packets.get()):
                _, elements = open_packet(came)
                if came[1] & 0x7F == OPUS:
                    assert (came[0] & EXTENSION, elements) == (0, {})
                else:
                    numbers.append(int.from_bytes(elements[TRANSPORT_CC], "big"))
        assert [each - numbers[0] for each in numbers] == [0, 1, 2, 3, 4]


def without_retransmissions_of_vp8(text: str) -> str:
    unused = ("a=rtpmap:97 ", "a=fmtp:97 ")
    return "".join(line for line in text.splitlines(True) if not line.startswith(unused))


async def test_picture_without_retransmissions_of_its_own_comes_again_as_it_was(each_engine: str) -> None:
    async with playing(without_retransmissions_of_vp8) as (a, b):
        a.send_rtp(picture(1))
        first = HEADER.unpack_from(await b.packets.get())
        b.lose = 1
        a.send_rtp(picture(2))
        a.send_rtp(picture(3))
        assert HEADER.unpack_from(await b.packets.get())[2] == (first[2] + 2) & 0xFFFF
        lost = ((first[2] + 1) & 0xFFFF,)
        b.send_rtcp(rtcp.ReceiverReport(ssrc=1), rtcp.Nack.of(ssrc=1, media=first[4], lost=lost))
        again = HEADER.unpack_from(await b.packets.get())
        assert (again[2], again[4], again[1] & 0x7F) == (lost[0], first[4], first[1] & 0x7F)


async def test_no_two_streams_of_a_player_have_one_ssrc(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = iter([9, 7, 7, 7, 8, 7, 8, 5, 4])
    monkeypatch.setattr("secrets.randbits", lambda bits: next(drawn))
    async with asyncio.timeout(10), lesson() as here:
        text = rich_offer(Certificate(), "recvonly", ["video", "video"])
        connection = await here.plane.subscribe(LESSON, ParticipantId("b"), ClientId("c"), text)
        assert [connection.ssrcs_for(mid) for mid in ("0", "1")] == [(7, 8), (5, 4)]
