"""An ICE restart by PATCH (RFC 9725 4.3.3) with Chromium as the publisher: the picture stays."""

import asyncio

from av import VideoFrame

from demo.whip_client import Slot, play
from testing.chromium import chromium
from testing.webrtc.nodes import node_here, token

PUBLISH = """
async ([url, token]) => {
  const canvas = Object.assign(document.createElement("canvas"), { width: 320, height: 180 });
  const context = canvas.getContext("2d");
  let turn = 0;
  setInterval(() => {
    context.fillStyle = `hsl(${(turn += 7)}, 80%, 50%)`;
    context.fillRect(0, 0, 320, 180);
  }, 66);
  const peer = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
  peer.addTransceiver(canvas.captureStream(15).getVideoTracks()[0], { direction: "sendonly" });
  await peer.setLocalDescription();
  const headers = { Authorization: `Bearer ${token}` };
  const created = await fetch(url, {
    method: "POST",
    headers: { ...headers, "Content-Type": "application/sdp" },
    body: peer.localDescription.sdp,
  });
  const answer = await created.text();
  await peer.setRemoteDescription({ type: "answer", sdp: answer });
  window.restart = async () => {
    const value = (sdp, name) => sdp.match(new RegExp(`a=${name}:(\\\\S+)`))[1];
    await peer.setLocalDescription(await peer.createOffer({ iceRestart: true }));
    const offer = peer.localDescription.sdp;
    const body = ["ufrag", "pwd"].map((name) => `a=ice-${name}:${value(offer, `ice-${name}`)}\\r\\n`).join("");
    const reply = await fetch(new URL(created.headers.get("Location"), url), {
      method: "PATCH",
      headers: { ...headers, "Content-Type": "application/trickle-ice-sdpfrag", "If-Match": "*" },
      body,
    });
    const fragment = await reply.text();
    let sdp = answer;
    for (const name of ["ice-ufrag", "ice-pwd"]) sdp = sdp.replaceAll(value(answer, name), value(fragment, name));
    await peer.setRemoteDescription({ type: "answer", sdp });
    window.restarted = () => {
      const transport = peer.getTransceivers()[0].sender.transport.iceTransport;
      return transport.getSelectedCandidatePair()?.local.usernameFragment === value(offer, "ice-ufrag");
    };
    return [reply.status, reply.headers.get("ETag") !== created.headers.get("ETag")];
  };
  return created.status;
}
"""


async def _different_pictures(slot: Slot, count: int) -> None:
    seen: set[bytes] = set()
    while len(seen) < count:
        frame = await slot.next_frame()
        assert isinstance(frame, VideoFrame)
        seen.add(bytes(frame.planes[1]))


async def test_picture_stays_over_an_ice_restart() -> None:
    async with node_here() as node, chromium() as browser, asyncio.timeout(60):
        page = await browser.new_page()
        await node.open_bridge("lesson")
        await page.goto(f"{node.url}/v1/node")
        asked = [node.media("whip", "lesson"), token("lesson", "room-a")]
        assert await page.evaluate(PUBLISH, asked) == 201
        async with play(node.media("whep", "lesson"), token("lesson", "room-b"), audio=0) as playback:
            (video,) = playback.slots
            await _different_pictures(video, 10)
            for _ in range(3):
                assert await page.evaluate("window.restart()") == [200, True]
                await page.wait_for_function("window.restarted()", timeout=10_000)
                await _different_pictures(video, 20)
