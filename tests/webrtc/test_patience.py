"""Links that take 2 s there and back, a client in either DTLS role, and 30 s of silence."""

import asyncio

import pytest
from aiortc import RTCBundlePolicy, RTCConfiguration, RTCPeerConnection, RTCSessionDescription

from testing.chromium import chromium
from testing.links.conditions import Conditions
from testing.links.relay import relay
from testing.webrtc.bare import KEYFRAME, bare_client, offer, packet
from testing.webrtc.nodes import node_here
from tests.webrtc.peers import LESSON, Lesson, lesson
from tests.webrtc.pictures import Picture
from tests.webrtc.transport.test_path import join
from webrtc.bridge.connection import Connection
from webrtc.shared.ids import ClientId, ParticipantId
from webrtc.transport.dtls import Certificate

FAR = Conditions(delay_s=1.0)  # each way


async def _publish(here: Lesson, text: str) -> Connection:
    return await here.plane.publish(LESSON, ParticipantId("a"), ClientId("far"), text)


@pytest.mark.parametrize("setup", ["actpass", "passive"])
async def test_aiortc_connects_over_two_seconds_in_either_role(setup: str) -> None:
    async with asyncio.timeout(60), lesson() as here:
        with relay(here.plane.port) as link:
            link.set(FAR)
            peer = RTCPeerConnection(RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_COMPAT))
            try:
                peer.addTransceiver(Picture(200), direction="sendonly")
                await peer.setLocalDescription(await peer.createOffer())
                text = peer.localDescription.sdp.replace("a=setup:actpass", f"a=setup:{setup}")
                connection = await _publish(here, text)
                answer = link.lead_here(connection.answer_text)
                await peer.setRemoteDescription(RTCSessionDescription(sdp=answer, type="answer"))
                await here.until(lambda: connection.connected)
                await here.until(lambda: _flows(here))
            finally:
                link.set(Conditions())  # so that it need not wait to say goodbye
                await peer.close()


@pytest.mark.parametrize(("setup", "role"), [("actpass", "client"), ("passive", "server")])
async def test_bare_client_connects_over_two_seconds_in_either_role(setup: str, role: str) -> None:
    certificate = Certificate()
    async with asyncio.timeout(60), lesson() as here, bare_client(certificate) as client:
        with relay(here.plane.port) as link:
            link.set(FAR)
            text = offer(certificate, "sendonly", ["video"]).replace("a=setup:actpass", f"a=setup:{setup}")
            connection = await _publish(here, text)
            await client.connect(connection, link.port, role=role)
            await here.until(lambda: connection.connected)
            client.send_rtp(packet(1, KEYFRAME))
            await here.until(lambda: _flows(here))


def _flows(here: Lesson) -> bool:
    state = here.participant("a")
    return state is not None and any(track.flowing for track in state.tracks)


async def test_chromium_connects_and_plays_over_two_seconds() -> None:
    async with node_here() as node, chromium() as browser, asyncio.timeout(90):
        page = await browser.new_page()
        with relay(node.udp_port) as link:
            link.set(FAR)
            await join(page, node, ["udp"], port=link.port)
            await page.wait_for_function("window.framesDecoded > 20", timeout=60_000)
