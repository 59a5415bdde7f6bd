"""Which layers a publisher is asked for keyframes of."""

import asyncio
from time import monotonic

import pytest

from testing.webrtc.bare import KEYFRAME, OTHER_FRAME, bare_client, packet
from tests.webrtc.hostile import MID, RID, extended, one_byte, rich_offer
from tests.webrtc.peers import LESSON, lesson
from webrtc.bridge.publication import Publication
from webrtc.rtp import rtcp
from webrtc.shared.ids import ClientId, ParticipantId
from webrtc.transport.dtls import Certificate


async def test_layer_that_its_sender_has_stopped_is_not_asked_for_a_keyframe(monkeypatch: pytest.MonkeyPatch) -> None:
    certificate = Certificate()
    async with asyncio.timeout(10), lesson() as here, bare_client(certificate) as a:
        text = rich_offer(certificate, "sendonly", ["video"])
        connection = await here.plane.publish(LESSON, ParticipantId("a"), ClientId("bare"), text)
        assert isinstance(connection, Publication)
        await a.connect(connection, here.plane.port)
        await here.until(lambda: connection.connected)
        for ssrc, rid in enumerate((b"q", b"h", b"f")):
            a.send_rtp(extended(packet(1, KEYFRAME, ssrc=ssrc), one_byte((MID, b"0"), (RID, rid))))
        await here.until(lambda: len(list(connection.layers)) == 3)
        asked: list[int] = []
        monkeypatch.setattr(
            connection,
            "send_rtcp",
            lambda packets: asked.extend(
                each.media for each in packets if isinstance(each, rtcp.PictureLossIndication)
            ),
        )
        now = monotonic() + 1.0
        for number in range(2, 32):  # two seconds, and the largest comes no more
            now += 1 / 15
            for ssrc in (0, 1):
                connection.receive_rtp(packet(number, OTHER_FRAME, timestamp=6000 * number, ssrc=ssrc), {}, now)
            for layer in connection.layers:
                layer.track.want_keyframe()
            connection.tick(now)
        assert set(asked) == {0, 1}
        connection.receive_rtp(packet(40, OTHER_FRAME, timestamp=200_000, ssrc=2), {}, now)
        connection.tick(now + 0.5)
        assert 2 in asked  # it comes again
