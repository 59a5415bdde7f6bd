"""Two pages of one browser that connect to each other directly: the yardstick of `bench.join`.

No bridge, no controller: camera and microphone, one connection, one frame decoded on the slower page. What a lesson
adds to that is ours; what a machine needs for it is not.
"""

import asyncio

from playwright.async_api import Page

OFFER = """async () => {
  const began = performance.timeOrigin + performance.now();
  const stream = await navigator.mediaDevices.getUserMedia({ video: { width: 1280, height: 720 }, audio: true });
  const connection = new RTCPeerConnection();
  for (const track of stream.getTracks()) connection.addTrack(track, stream);
  window.direct = { stream, connection, frame: frameOf(connection) };
  await connection.setLocalDescription();
  await gathered(connection);
  return { began, sdp: connection.localDescription.sdp };
}"""
OPEN_CAMERA = """async () => {
  const stream = await navigator.mediaDevices.getUserMedia({ video: { width: 1280, height: 720 }, audio: true });
  const connection = new RTCPeerConnection();
  for (const track of stream.getTracks()) connection.addTrack(track, stream);
  window.direct = { stream, connection, frame: frameOf(connection) };
}"""
ANSWER = """async (sdp) => {
  const { connection } = window.direct;
  await connection.setRemoteDescription({ type: "offer", sdp });
  await connection.setLocalDescription();
  await gathered(connection);
  return connection.localDescription.sdp;
}"""
ACCEPT = """(sdp) => window.direct.connection.setRemoteDescription({ type: "answer", sdp })"""
FRAME = """() => window.direct.frame"""
CLOSE = """() => {
  window.direct.connection.close();
  for (const track of window.direct.stream.getTracks()) track.stop();
}"""
HELPERS = """() => {
window.gathered = (connection) => new Promise((resolve) => {
  const look = () => { if (connection.iceGatheringState === "complete") resolve(); };
  connection.onicegatheringstatechange = look;
  look();
});
window.frameOf = (connection) => new Promise((resolve) => {
  connection.ontrack = ({ track, streams }) => {
    if (track.kind !== "video") return;
    const video = document.createElement("video");
    video.muted = true;
    video.srcObject = streams[0];
    document.body.append(video);
    video.requestVideoFrameCallback((now) => resolve(performance.timeOrigin + now));
    void video.play();
  };
});
}"""


async def direct_call(caller: Page, callee: Page, *, within_s: float = 60.0) -> float:
    """Seconds from the call until the slower page has decoded a frame. Both pages are on a secure origin."""
    pages = (caller, callee)
    for page in pages:
        await page.evaluate(HELPERS)
    async with asyncio.timeout(within_s):
        offer, _ = await asyncio.gather(caller.evaluate(OFFER), callee.evaluate(OPEN_CAMERA))
        await caller.evaluate(ACCEPT, await callee.evaluate(ANSWER, offer["sdp"]))
        frames = await asyncio.gather(*(page.evaluate(FRAME) for page in pages))
    for page in pages:
        await page.evaluate(CLOSE)
    return float(max(frames) - offer["began"]) / 1000
