"""A picture of one layer and 2.5 Mbit/s, as OBS sends it: it moves soon after somebody comes to watch, and goes on."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from testing.webrtc.bare import KEYFRAME, OTHER_FRAME, BareClient, bare_client, packet
from tests.webrtc.clock import Clock
from tests.webrtc.hostile import TRANSPORT_CC, extended, one_byte, rich_offer
from tests.webrtc.peers import LESSON, Lesson, lesson
from webrtc.rtp import rtcp
from webrtc.rtp.packet import HEADER
from webrtc.rtp.transport_cc import Arrivals, TransportFeedback
from webrtc.shared.ids import ClientId, ParticipantId
from webrtc.shared.state import Flow
from webrtc.transport.dtls import Certificate

BPS, FRAMES_PER_S, PACKETS = 2_500_000, 30, 9  # of a frame; a keyframe has five times as many
FRAMES = 3  # in a turn: a tenth of a second, after which feedback is due
AIM_S = 0.7


class Encoder:
    """Sends a tenth of a second at once, and answers requests for keyframes."""

    def __init__(self, client: BareClient, clock: Clock) -> None:
        self._client, self._clock = client, clock
        self._number = self._frame = 0
        self._key = True

    async def turn(self) -> int:
        """Returns once the node has it; how many packets there were."""
        before = self._number
        for _ in range(FRAMES):
            self._clock.now += 1 / FRAMES_PER_S
            count = PACKETS * (5 if self._key else 1)
            for part in range(count):
                self._send(first=part == 0, last=part == count - 1, octets=BPS // FRAMES_PER_S // 8 // PACKETS)
            self._frame, self._key = self._frame + 1, False
        while True:
            report = await self._client.reports.get()
            self._key = self._key or isinstance(report, rtcp.PictureLossIndication)
            if isinstance(report, TransportFeedback) and report.base + report.statuses > self._number:
                return self._number - before

    def _send(self, *, first: bool, last: bool, octets: int) -> None:
        self._number += 1
        payload = (KEYFRAME if self._key else OTHER_FRAME) if first else b"\x80\x80\x80\x01"
        plain = packet(self._number, payload + bytes(octets - HEADER.size), timestamp=3000 * self._frame)
        plain = plain if last else bytes((plain[0], plain[1] & 0x7F)) + plain[2:]
        self._client.send_rtp(extended(plain, one_byte((TRANSPORT_CC, self._number.to_bytes(2, "big")))))


class Player:
    """`blind`: it reads no retransmissions, so that its feedback never tells of padding."""

    def __init__(self, client: BareClient, clock: Clock, *, blind: bool) -> None:
        self._client, self._clock, self._blind = client, clock, blind
        self._arrivals = Arrivals()
        self._media = 0

    async def take(self, count: int) -> None:
        """Returns once so many packets of the picture have come."""
        while count:
            came = await self._client.packets.get()
            ssrc = HEADER.unpack_from(came)[4]
            self._media = self._media or ssrc
            count -= ssrc == self._media
            if ssrc == self._media or not self._blind:
                self._arrivals.note(int.from_bytes(came[17:19], "big"), self._clock.now)
        for feedback in self._arrivals.feedback(1, self._media):
            self._client.send_rtcp(rtcp.ReceiverReport(ssrc=1), feedback)


@asynccontextmanager
async def member(here: Lesson, name: str, *, sends: bool) -> AsyncIterator[BareClient]:
    certificate = Certificate()
    async with bare_client(certificate) as client:
        text = rich_offer(certificate, "sendonly" if sends else "recvonly", ["video"])
        text = "".join(line for line in text.splitlines(True) if not line.startswith(("a=rid", "a=simulcast")))
        join = here.plane.publish if sends else here.plane.subscribe
        connection = await join(LESSON, ParticipantId(name), ClientId("c"), text)
        await client.connect(connection, here.plane.port)
        await here.until(lambda: connection.connected)
        yield client


@pytest.mark.parametrize("blind", [False, True])
async def test_picture_of_one_layer_moves_at_once_and_goes_on(
    each_engine: str, clock: Clock, monkeypatch: pytest.MonkeyPatch, blind: bool
) -> None:
    monkeypatch.setattr("webrtc.bridge.publication.FEEDBACK_S", 0.0)  # the encoder waits for it
    async with asyncio.timeout(60), lesson() as here, member(here, "a", sends=True) as a:
        encoder = Encoder(a, clock)
        for _ in range(40):
            await encoder.turn()
        async with member(here, "b", sends=False) as b:
            player, began = Player(b, clock, blind=blind), clock.now
            while b.packets.empty():
                await encoder.turn()
                assert clock.now - began < AIM_S
            await player.take(b.packets.qsize())
            for _ in range(80):
                await player.take(await encoder.turn())
                state = here.participant("b")
                assert state is not None
                [subscription] = state.subscriptions
                assert subscription.slots[0].flow is Flow.LIVE
            assert (subscription.estimate_bps or 0) > BPS
            assert subscription.loss == 0.0
