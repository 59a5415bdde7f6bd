"""What is not passed on of a participant that is muted or dark, whatever it sends."""

import asyncio
from time import monotonic

import pytest

from testing.webrtc.bare import KEYFRAME, OPUS, OTHER_FRAME, SSRC, BareClient, packet
from tests.webrtc.bridge.test_bridge import sharing
from tests.webrtc.peers import LESSON, Lesson, lesson
from tests.webrtc.test_forwarding import publisher, viewer
from webrtc.selection.ranking import Offering, permitted
from webrtc.shared.ids import ParticipantId
from webrtc.shared.policy import Policy

A = ParticipantId("a")
PICTURE, SOUND = KEYFRAME[4:], b"\x78sound"
ALL = Offering(picture=True, slides=True, voice=True)


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (Policy(), ALL),
        (Policy(muted=(A,)), Offering(picture=True, slides=True)),
        (Policy(dark=(A,)), Offering(slides=True, voice=True)),
        (Policy(muted=(A,), dark=(A,)), Offering(slides=True)),
        (Policy(muted=(ParticipantId("b"),), dark=(ParticipantId("b"),)), ALL),
    ],
)
def test_what_may_be_passed_on(policy: Policy, expected: Offering) -> None:
    assert permitted(ALL, policy, A) == expected
    assert permitted(Offering(), policy, A) == Offering()


def follow(here: Lesson, *, muted: tuple[ParticipantId, ...] = (), dark: tuple[ParticipantId, ...] = ()) -> None:
    here.plane.open_bridge(LESSON, Policy(muted=muted, dark=dark))


def say(client: BareClient, number: int) -> None:
    client.send_rtp(packet(number, SOUND, ssrc=SSRC + 1, payload_type=OPUS))


async def test_dark_room_is_not_seen_and_is_heard_until_it_is_seen_again() -> None:
    async with asyncio.timeout(15), lesson() as here, publisher(here) as (a, _), viewer(here) as (b, _):
        a.send_rtp(packet(1, KEYFRAME))
        assert (await b.packets.get())[16:] == PICTURE
        say(a, 1)
        assert (await b.packets.get())[12:].endswith(SOUND)
        follow(here, dark=(A,))
        a.send_rtp(packet(2, OTHER_FRAME, timestamp=3000))
        a.send_rtp(packet(3, KEYFRAME, timestamp=6000))
        say(a, 2)
        assert (await b.packets.get())[12:].endswith(SOUND)
        follow(here)
        a.send_rtp(packet(4, KEYFRAME, timestamp=9000))
        assert (await b.packets.get())[16:] == PICTURE


async def test_muted_room_is_not_heard_and_is_seen_and_does_not_count_as_speaking() -> None:
    async with asyncio.timeout(15), lesson() as here, publisher(here) as (a, _), viewer(here) as (b, _):
        a.send_rtp(packet(1, KEYFRAME))
        assert (await b.packets.get())[16:] == PICTURE
        follow(here, muted=(A,))
        say(a, 1)
        a.send_rtp(packet(2, KEYFRAME, timestamp=3000))
        assert (await b.packets.get())[16:] == PICTURE
        bridge = here.plane.bridges[LESSON]
        connection = next(iter(bridge.participants[A].publications.values()))
        assert connection.on_audio_level is not None
        connection.on_audio_level(10, True, monotonic())
        bridge.tick(monotonic() + 1)
        assert not bridge.speakers.speaking(A)
        follow(here)
        connection.on_audio_level(10, True, monotonic())
        say(a, 2)
        assert (await b.packets.get())[12:].endswith(SOUND)


async def test_screen_of_a_dark_room_is_shown() -> None:
    async with asyncio.timeout(15), lesson() as here, viewer(here) as (b, _):
        follow(here, dark=(A,), muted=(A,))
        async with sharing(here, "laptop"):
            assert (await b.packets.get())[16:] == PICTURE
