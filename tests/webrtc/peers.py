"""Real peers on loopback: aiortc's peer connections, joined to a `MediaPlane` in this process without HTTP."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiortc import MediaStreamTrack, RTCBundlePolicy, RTCConfiguration, RTCPeerConnection, RTCSessionDescription

from demo.whip_client import Slot
from webrtc.bridge.connection import Connection
from webrtc.bridge.media_plane import MediaPlane
from webrtc.shared.ids import BridgeId, ClientId, ParticipantId
from webrtc.shared.policy import Policy
from webrtc.shared.state import ParticipantState

LESSON = BridgeId("lesson")


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """`slots`: what it receives, in the order of the offer; `connection`: its other end in the plane."""

    connection: Connection
    peer: RTCPeerConnection
    slots: tuple[Slot, ...] = ()


class Lesson:
    """A plane with one open bridge, and its news. `hosts`: where it listens, and what it advertises."""

    def __init__(self, hosts: Sequence[str] = ("127.0.0.1",)) -> None:
        self.plane = MediaPlane(hosts=hosts, port=0, advertise=hosts, changed=self._note)
        self._news = asyncio.Event()

    async def until(self, holds: Callable[[], bool]) -> None:
        """Return once `holds`, which is asked after each change of the bridge. Put a timeout around it."""
        while not holds():
            self._news.clear()
            await self._news.wait()

    def participant(self, name: str) -> ParticipantState | None:
        states = self.plane.bridges[LESSON].state().participants
        return next((state for state in states if state.id == name), None)

    @asynccontextmanager
    async def publishing(
        self, name: str, tracks: Sequence[MediaStreamTrack], client: str = "display"
    ) -> AsyncIterator[Peer]:
        peer = _new_peer()
        for track in tracks:
            peer.addTransceiver(track, direction="sendonly")
        try:
            offer = await _offer(peer)
            connection = await self.plane.publish(LESSON, ParticipantId(name), ClientId(client), offer)
            await peer.setRemoteDescription(RTCSessionDescription(sdp=connection.answer_text, type="answer"))
            yield Peer(connection=connection, peer=peer)
        finally:
            await peer.close()

    @asynccontextmanager
    async def watching(
        self, name: str, *, video: int = 1, audio: int = 1, client: str = "display"
    ) -> AsyncIterator[Peer]:
        peer = _new_peer()
        for kind in ["video"] * video + ["audio"] * audio:
            peer.addTransceiver(kind, direction="recvonly")
        try:
            offer = await _offer(peer)
            connection = await self.plane.subscribe(LESSON, ParticipantId(name), ClientId(client), offer)
            await peer.setRemoteDescription(RTCSessionDescription(sdp=connection.answer_text, type="answer"))
            slots = tuple(Slot(each.mid or "", each.kind) for each in peer.getTransceivers())
            async with asyncio.TaskGroup() as readers:
                tasks = [
                    readers.create_task(slot.read(transceiver.receiver.track))
                    for slot, transceiver in zip(slots, peer.getTransceivers(), strict=True)
                ]
                yield Peer(connection=connection, peer=peer, slots=slots)
                for task in tasks:
                    task.cancel()
        finally:
            await peer.close()

    async def put_out(self, name: str) -> None:
        """End all connections of a participant."""
        for each in self.plane.bridges[LESSON].connections:
            if each.participant == name:
                await self.plane.close_connection(each.id)

    def _note(self, _: BridgeId) -> None:
        self._news.set()


@asynccontextmanager
async def lesson(*order: str, hosts: Sequence[str] = ("127.0.0.1",)) -> AsyncIterator[Lesson]:
    lesson = Lesson(hosts)
    async with lesson.plane:
        lesson.plane.open_bridge(LESSON, Policy(order=tuple(ParticipantId(name) for name in order)))
        yield lesson


def _new_peer() -> RTCPeerConnection:
    # Not another policy: of m-lines that share a transport from the start, aiortc takes the candidates of the last one,
    # and an answer has them in the first (RFC 9143 7.3).
    return RTCPeerConnection(RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_COMPAT))


async def _offer(peer: RTCPeerConnection) -> str:
    await peer.setLocalDescription(await peer.createOffer())
    return peer.localDescription.sdp
