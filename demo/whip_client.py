"""A small WHIP and WHEP client on aiortc's peer connection: for simulated classrooms and for tests.

It decodes and encodes, so it is no part of a node's hot path. Every track it receives is read to the end by the client
itself: aiortc queues decoded frames without a bound for a track that nobody reads.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Literal
from urllib.parse import urljoin

import aiohttp
from aiortc import (
    MediaStreamTrack,
    RTCBundlePolicy,
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpSender,
    RTCRtpTransceiver,
    RTCSessionDescription,
)
from aiortc.mediastreams import MediaStreamError
from av import AudioFrame, VideoFrame

VideoCodec = Literal["VP8", "H264"]

HTTP_TIMEOUT_S = 10.0

logger = logging.getLogger(__name__)


class SignallingFailed(ConnectionError):
    """The client and the node could not agree, or no connection came up."""


class Slot:
    """One m-line of a playback: counts what was decoded and keeps the newest frame."""

    def __init__(self, mid: str, kind: str) -> None:
        self.mid = mid
        self.kind = kind
        self.frames = 0
        self.newest: VideoFrame | AudioFrame | None = None
        self._news = asyncio.Condition()

    async def next_frame(self) -> VideoFrame | AudioFrame:
        """The next frame decoded from now on. Waits as long as none comes: put a timeout around it."""
        async with self._news:
            seen = self.frames
            await self._news.wait_for(lambda: self.frames > seen)
            assert self.newest is not None
            return self.newest

    async def read(self, track: MediaStreamTrack) -> None:
        """Take every frame of `track` until it ends."""
        while True:
            try:
                frame = await track.recv()
            except MediaStreamError:
                return
            if isinstance(frame, VideoFrame | AudioFrame):
                async with self._news:
                    self.frames += 1
                    self.newest = frame
                    self._news.notify_all()


class Connection:
    """A connection that the node has answered. `resource`: its URL there."""

    def __init__(self, peer: RTCPeerConnection, resource: str, slots: tuple[Slot, ...]) -> None:
        self.peer = peer
        self.resource = resource
        self.slots = slots
        self._settled = asyncio.Event()
        peer.on("connectionstatechange", self._note_state)
        self._note_state()

    async def connected(self) -> None:
        """Return once media can flow. Raises `SignallingFailed` where ICE or DTLS failed; put a timeout around it."""
        await self._settled.wait()
        if self.peer.connectionState != "connected":
            raise SignallingFailed(f"the connection is {self.peer.connectionState}")

    def of_kind(self, kind: Literal["audio", "video"]) -> tuple[Slot, ...]:
        return tuple(slot for slot in self.slots if slot.kind == kind)

    def _note_state(self) -> None:
        if self.peer.connectionState in ("connected", "failed", "closed"):
            self._settled.set()


@asynccontextmanager
async def publish(
    url: str, token: str, tracks: Sequence[MediaStreamTrack], *, video_codec: VideoCodec | None = None
) -> AsyncIterator[Connection]:
    """Send `tracks` to the WHIP endpoint `url`. Raises `SignallingFailed`."""
    peer = _new_peer()
    for track in tracks:
        transceiver = peer.addTransceiver(track, direction="sendonly")
        if track.kind == "video" and video_codec is not None:
            _prefer(transceiver, video_codec)
    async with _connect(peer, url, token) as connection:
        yield connection


@asynccontextmanager
async def play(url: str, token: str, *, video: int = 1, audio: int = 1) -> AsyncIterator[Connection]:
    """Play `video` and `audio` slots of the WHEP endpoint `url`. Raises `SignallingFailed`."""
    peer = _new_peer()
    for _ in range(video):
        peer.addTransceiver("video", direction="recvonly")
    for _ in range(audio):
        peer.addTransceiver("audio", direction="recvonly")
    async with _connect(peer, url, token) as connection:
        readers = [
            asyncio.create_task(slot.read(transceiver.receiver.track), name=f"read slot {slot.mid}")
            for slot, transceiver in zip(connection.slots, peer.getTransceivers(), strict=True)
        ]
        try:
            yield connection
        finally:
            for reader in readers:
                reader.cancel()
            await asyncio.gather(*readers, return_exceptions=True)


@asynccontextmanager
async def _connect(peer: RTCPeerConnection, url: str, token: str) -> AsyncIterator[Connection]:
    headers = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession(headers=headers, timeout=aiohttp.ClientTimeout(total=HTTP_TIMEOUT_S)) as http:
        try:
            await peer.setLocalDescription(await peer.createOffer())
            resource, answer = await _offer(http, url, peer.localDescription.sdp)
            try:
                await peer.setRemoteDescription(RTCSessionDescription(sdp=answer, type="answer"))
                slots = tuple(Slot(each.mid or "", each.kind) for each in peer.getTransceivers())
                yield Connection(peer, resource, slots)
            finally:
                await _end(http, resource)
        finally:
            await peer.close()


async def _offer(http: aiohttp.ClientSession, url: str, offer: str) -> tuple[str, str]:
    """The URL of the resource, and the answer."""
    try:
        async with http.post(url, data=offer, headers={"Content-Type": "application/sdp"}) as response:
            text = await response.text()
            if response.status != 201:
                raise SignallingFailed(f"{response.status} {text}")
            return urljoin(str(response.url), response.headers["Location"]), text
    except (aiohttp.ClientError, TimeoutError) as error:
        raise SignallingFailed(f"no answer from the node: {error}") from error


async def _end(http: aiohttp.ClientSession, resource: str) -> None:
    try:
        async with http.delete(resource):
            pass
    except (aiohttp.ClientError, TimeoutError):
        logger.info("the node could not be asked to end a connection; it ends by silence")


def _new_peer() -> RTCPeerConnection:
    # No servers: by default aiortc would use one of a third party.
    return RTCPeerConnection(RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE))


def _prefer(transceiver: RTCRtpTransceiver, codec: VideoCodec) -> None:
    known = RTCRtpSender.getCapabilities("video").codecs
    transceiver.setCodecPreferences([each for each in known if each.mimeType == f"video/{codec}"])
