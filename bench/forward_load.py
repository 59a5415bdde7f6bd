"""The load of `bench.forward`, a process of its own: one publisher and many viewers, and the server's CPU clock.

Bare ICE and DTLS transports of aiortc, without its jitter buffers and decoders, so that the load costs little: viewers
count packets and decrypt one in 16. They do what browsers do for the sender's sake: they take retransmissions, answer
with transport-wide feedback ten times a second and with a receiver report each second, as far as the server takes that.
Reads a `Plan` as one JSON line, writes a `Result` as another.
"""

import asyncio
import fcntl
import json
import os
import socket
import struct
import sys
import time
from contextlib import AsyncExitStack, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta

import aiohttp
from aiortc import (
    RTCCertificate,
    RTCDtlsTransport,
    RTCIceGatherer,
    RTCIceParameters,
    RTCIceTransport,
)
from aiortc.rtcdtlstransport import SRTP_AEAD_AES_128_GCM
from aiortc.sdp import SessionDescription
from pylibsrtp import Error as SrtpError

from bench.janus import VideoRoom
from bench.lesson_connection import SIOCGSTAMPNS, STAMP
from webrtc.rtp.packet import HEADER
from webrtc.rtp.rtcp import ReceiverReport, ReportBlock, SenderReport
from webrtc.rtp.transport_cc import Arrivals
from webrtc.sdp.answer import AUDIO_LEVEL_EXTENSION, TRANSPORT_CC_EXTENSION
from webrtc.shared.ids import BridgeId, ClientId, ParticipantId
from webrtc.shared.token import Claims, issue

SSRC = 0x1234567
LEVEL_ID, TRANSPORT_ID = 1, 3  # of the header extensions, in our offers
RTX_AFTER = 1  # a format's retransmissions have the payload type after it
FEEDBACK_S = 0.1
REPORT_EVERY = 10  # feedbacks
DECRYPTED = 16  # one packet in so many
WARM_UP_S = 1.0
STEADY_S = 2.0  # everything arrives at everybody for so long: no server still tries what the links take
STEADY_SHARE = 0.97
MAX_WARM_UP_S = 20.0
RECEIVE_BUFFER = 4 << 20  # so that a moment in which the load does not run is no loss
CONNECT_S = 20.0
LATE_S = 0.05  # frames that late are left out


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """`packets_per_s`: out of the server, to all viewers together. `burst`: packets sent at once, a frame of video."""

    server: str  # "node" or "janus"
    url: str
    secret: str
    pid: int  # of the server
    kind: str  # "video" or "audio"
    size: int  # octets of an RTP packet, with its header
    burst: int
    viewers: int
    packets_per_s: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """`sent`: packets that should have arrived: those published, times viewers. `steady`: see `_is_steady`."""

    steady: bool
    cpu_s: float
    received: int
    sent: int
    broken: int  # samples that could not be decrypted
    seconds: float


class Endpoint:
    """One peer connection's transports."""

    def __init__(self, certificate: RTCCertificate, kind: str) -> None:
        self.kind = kind
        self.gatherer = RTCIceGatherer(iceServers=[])
        self.ice = RTCIceTransport(self.gatherer)
        self.dtls = RTCDtlsTransport(self.ice, [certificate])
        self.dtls._srtp_profiles = [SRTP_AEAD_AES_128_GCM]  # the same for both servers, whoever chooses
        self.received = 0
        self.broken = 0
        self._payload_type = -1
        self._transport_id = 0
        self._arrivals = Arrivals()
        self._socket = -1
        self._stamp = bytearray(STAMP.size)
        self._media = self._highest = 0

    async def description(
        self, *, direction: str, setup: str, payload_type: int, mid: str = "0", transport_id: int = TRANSPORT_ID
    ) -> str:
        """Our offer or answer: one m-line. `transport_id`: of the extension with transport numbers, 0 for none."""
        self._payload_type = payload_type
        await self.gatherer.gather()
        for protocol in self.gatherer._connection._protocols:
            protocol.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        ice, [fingerprint, *_] = self.gatherer.getLocalParameters(), self.dtls.getLocalParameters().fingerprints
        codec = "VP8/90000" if self.kind == "video" else "opus/48000/2"
        feedback = ["nack", "nack pli", "ccm fir", "goog-remb"] if self.kind == "video" else []
        feedback += ["transport-cc"] if transport_id else []
        rtx = payload_type + RTX_AFTER
        lines = [
            "v=0",
            "o=- 1 1 IN IP4 127.0.0.1",
            "s=-",
            "t=0 0",
            f"a=group:BUNDLE {mid}",
            f"m={self.kind} 9 UDP/TLS/RTP/SAVPF {payload_type}" + (f" {rtx}" if self.kind == "video" else ""),
            "c=IN IP4 0.0.0.0",
            f"a=mid:{mid}",
            f"a={direction}",
            f"a=ice-ufrag:{ice.usernameFragment}",
            f"a=ice-pwd:{ice.password}",
            f"a=fingerprint:{fingerprint.algorithm} {fingerprint.value}",
            f"a=setup:{setup}",
            "a=rtcp-mux",
            f"a=rtpmap:{payload_type} {codec}",
            *([f"a=rtpmap:{rtx} rtx/90000", f"a=fmtp:{rtx} apt={payload_type}"] if self.kind == "video" else []),
            *(f"a=rtcp-fb:{payload_type} {each}" for each in feedback),
            *([f"a=extmap:{transport_id} {TRANSPORT_CC_EXTENSION}"] if transport_id else []),
            *([f"a=extmap:{LEVEL_ID} {AUDIO_LEVEL_EXTENSION}"] if self._sends_levels(direction) else []),
            *([f"a=ssrc:{SSRC} cname:load"] if direction == "sendonly" else []),
            *(
                f"a=candidate:{each.foundation} 1 udp {each.priority} {each.ip} {each.port} typ host"
                for each in self.gatherer.getLocalCandidates()
                if ":" not in each.ip
            ),
            "a=end-of-candidates",
        ]
        return "".join(f"{line}\r\n" for line in lines)

    def _sends_levels(self, direction: str) -> bool:
        return self.kind == "audio" and direction == "sendonly"

    async def connect(self, remote: str, *, offering: bool) -> None:
        description = SessionDescription.parse(remote)
        media = description.media[0]
        self._transport_id = transport_id_of(remote)
        assert media.dtls is not None
        assert media.ice is not None
        self.ice._connection.ice_controlling = offering
        for candidate in media.ice_candidates:
            await self.ice.addRemoteCandidate(candidate)
        await self.ice.addRemoteCandidate(None)
        self.dtls._set_role("server" if media.dtls.role == "client" else "client")
        await self.ice.start(
            RTCIceParameters(
                usernameFragment=media.ice.usernameFragment, password=media.ice.password, iceLite=media.ice.iceLite
            )
        )
        await self.dtls.start(media.dtls)
        if self.dtls.state != "connected":
            raise ConnectionError(f"DTLS {self.dtls.state}, ICE {self.ice.state}")
        pair = self.ice._connection._nominated[1]
        self._socket = pair.protocol.transport.get_extra_info("socket").fileno()
        if self._transport_id:  # the first look turns the kernel's stamps on
            with suppress(OSError):
                fcntl.ioctl(self._socket, SIOCGSTAMPNS, self._stamp)
        # From here on datagrams are counted where aioice has them, past its queue and aiortc's reading task.
        task = self.dtls._task
        assert task is not None
        task.cancel()
        self.ice._connection.data_received = self._count  # type: ignore[method-assign]

    def _count(self, data: bytes, component: int) -> None:
        if not 128 <= data[0] < 192 or 192 <= data[1] <= 223:
            return
        if self._transport_id and data[0] & 0x10:
            self._note(data)
        if data[1] & 0x7F != self._payload_type:
            return  # padding, to try the link
        self.received += 1
        if self.received % DECRYPTED == 0:
            self._media, self._highest = int.from_bytes(data[8:12], "big"), int.from_bytes(data[2:4], "big")
            try:
                self.dtls._rx_srtp.unprotect(data)
            except SrtpError:
                self.broken += 1

    def _note(self, data: bytes) -> None:
        """Keep the transport number of the header extension (RFC 8285 4.2), and when the kernel took the packet in.

        So the feedback tells of the server and its link, and not of how busy this process is.
        """
        at, end = 16, 16 + 4 * int.from_bytes(data[14:16], "big")
        while at + 2 < end:
            first = data[at]
            if first >> 4 == self._transport_id:
                fcntl.ioctl(self._socket, SIOCGSTAMPNS, self._stamp)
                seconds, nanoseconds = STAMP.unpack(self._stamp)
                self._arrivals.note(data[at + 1] << 8 | data[at + 2], seconds + nanoseconds / 1e9)
                return
            at += 2 + (first & 15) if first else 1

    async def report(self, *, fully: bool) -> None:
        """Send feedback; `fully`: with a receiver report."""
        if not self._media:
            return
        packets = b"".join(each.to_bytes() for each in self._arrivals.feedback(1, self._media))
        if fully:
            block = ReportBlock(
                ssrc=self._media, fraction_lost=0, lost=0, highest=self._highest, jitter=90, last_sr=0, delay=0
            )
            packets = ReceiverReport(ssrc=1, reports=(block,)).to_bytes() + packets
        if packets:
            await self.dtls._send_rtp(packets)

    async def close(self) -> None:
        await self.dtls.stop()
        await self.ice.stop()


def transport_id_of(description: str) -> int:
    """The id of the extension with transport numbers in an SDP with one m-line, 0 if it has none."""
    for line in description.splitlines():
        if line.startswith("a=extmap:") and line.endswith(TRANSPORT_CC_EXTENSION):
            return int(line.removeprefix("a=extmap:").split()[0].partition("/")[0])
    return 0


async def report_all(viewers: list[Endpoint]) -> None:
    """Have each of `viewers` report about every `FEEDBACK_S`, one after the other, until cancelled."""
    start, turn = time.monotonic(), 0
    while True:
        await asyncio.sleep(max(0.0, start + turn * FEEDBACK_S / len(viewers) - time.monotonic()))
        round_, place = divmod(turn, len(viewers))
        await viewers[place].report(fully=round_ % REPORT_EVERY == place % REPORT_EVERY)
        turn += 1


class Publisher:
    """Sends packets as an encoder does: frames as bursts, a keyframe a second, and sender reports."""

    def __init__(self, endpoint: Endpoint, plan: Plan) -> None:
        self.sent = 0
        self._endpoint = endpoint
        self._plan = plan
        self._payload_type = 96 if plan.kind == "video" else 111
        self._filling = os.urandom(plan.size)

    async def run(self) -> None:
        plan = self._plan
        frames_per_s = plan.packets_per_s / plan.viewers / plan.burst
        ticks = round((90_000 if plan.kind == "video" else 48_000) / frames_per_s)
        start, frame = time.monotonic(), 0
        while True:
            late_s = time.monotonic() - start - frame / frames_per_s
            if late_s > LATE_S:  # no camera sends twice as much after a pause
                start += late_s
            await asyncio.sleep(max(0.0, -late_s))
            key = frame % max(1, round(frames_per_s)) == 0
            if key:
                report = SenderReport(
                    ssrc=SSRC, ntp=int((time.time() + 2_208_988_800) * 2**32), rtp=frame * ticks, packets=0, octets=0
                )
                await self._endpoint.dtls._send_rtp(report.to_bytes())
            for i in range(plan.burst):
                await self._endpoint.dtls._send_rtp(self._packet(frame, frame * ticks, i, key=key))
                self.sent += 1
            frame += 1

    def _packet(self, frame: int, timestamp: int, i: int, *, key: bool) -> bytes:
        last = i == self._plan.burst - 1
        second = self._payload_type | (0x80 if last and self._plan.kind == "video" else 0)
        sequence = (frame * self._plan.burst + i) & 0xFFFF
        header = HEADER.pack(0x90, second, sequence, timestamp & 0xFFFFFFFF, SSRC)
        number = frame * self._plan.burst + i & 0xFFFF
        elements = struct.pack("!BH", TRANSPORT_ID << 4 | 1, number)
        if self._plan.kind == "audio":
            elements += bytes((LEVEL_ID << 4, 0x80 | 30))
        elements += bytes(-len(elements) % 4)
        header += struct.pack("!HH", 0xBEDE, len(elements) // 4) + elements
        if self._plan.kind == "video":  # picture id, tl0picidx, and a frame header that says whether it is a keyframe
            start = 0x10 if i == 0 else 0
            header += struct.pack("!BBHBB", 0x80 | start, 0xC0, 0x8000 | frame & 0x7FFF, frame & 0xFF, not key)
        return header + self._filling[: self._plan.size - len(header)]


async def measure(plan: Plan) -> Result:
    certificate = RTCCertificate.generateCertificate()
    async with AsyncExitStack() as stack, asyncio.timeout(CONNECT_S + WARM_UP_S + MAX_WARM_UP_S + plan.seconds):
        http = await stack.enter_async_context(aiohttp.ClientSession())
        endpoints = [Endpoint(certificate, plan.kind) for _ in range(plan.viewers + 1)]
        for endpoint in endpoints:
            stack.push_async_callback(endpoint.close)
        if plan.server == "node":
            await _join_node(http, plan, endpoints)
        else:
            await _join_janus(await stack.enter_async_context(VideoRoom.connect(http, plan.url)), plan, endpoints)
        publisher, viewers = Publisher(endpoints[0], plan), endpoints[1:]
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(publisher.run()), tasks.create_task(report_all(viewers))]
            await asyncio.sleep(WARM_UP_S)
            steady = await _is_steady(publisher, viewers)
            before = _read(plan, publisher, viewers)
            await asyncio.sleep(plan.seconds if steady else 0)
            after = _read(plan, publisher, viewers)
            for each in running:
                each.cancel()
    cpu_s, sent, received, broken, at = (b - a for a, b in zip(before, after, strict=True))
    return Result(steady=steady, cpu_s=cpu_s, received=int(received), sent=int(sent), broken=int(broken), seconds=at)


def _read(plan: Plan, publisher: Publisher, viewers: list[Endpoint]) -> tuple[float, float, float, float, float]:
    """The server's CPU time, packets due at the viewers, packets there, samples broken, and the time."""
    cpu_s = time.clock_gettime(~plan.pid << 3 | 2)  # CPUCLOCK_SCHED of that process: see clock_getcpuclockid(3)
    received = sum(viewer.received for viewer in viewers)
    broken = sum(viewer.broken for viewer in viewers)
    return cpu_s, publisher.sent * len(viewers), received, broken, time.monotonic()


async def _is_steady(publisher: Publisher, viewers: list[Endpoint]) -> bool:
    """Return once every viewer gets all that is sent; False where that takes too long."""
    with suppress(TimeoutError):
        async with asyncio.timeout(MAX_WARM_UP_S):
            while True:
                sent, received = publisher.sent, [viewer.received for viewer in viewers]
                await asyncio.sleep(STEADY_S)
                due = (publisher.sent - sent) * STEADY_SHARE
                if all(viewer.received - before >= due for viewer, before in zip(viewers, received, strict=True)):
                    return True
    return False


async def _join_node(http: aiohttp.ClientSession, plan: Plan, endpoints: list[Endpoint]) -> None:
    payload_type = 96 if plan.kind == "video" else 111

    async def post(path: str, participant: str, body: str) -> str:
        claims = Claims(
            bridge=BridgeId("bench"),
            participant=ParticipantId(participant),
            client=ClientId("load"),
            publish=path == "whip",
            subscribe=path == "whep",
        )
        token = issue(claims, secret=plan.secret, now=datetime.now(UTC), lifetime=timedelta(minutes=1))
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/sdp"}
        async with http.post(f"{plan.url}/{path}/bench", data=body, headers=headers) as response:
            text = await response.text()
            assert response.status == 201, text
            return text

    headers = {"Authorization": f"Bearer {plan.secret}"}
    async with http.put(f"{plan.url}/v1/bridges/bench", json={"order": []}, headers=headers) as response:
        assert response.status == 201
    for i, endpoint in enumerate(endpoints):
        offer = await endpoint.description(
            direction="recvonly" if i else "sendonly", setup="actpass", payload_type=payload_type
        )
        await endpoint.connect(await post("whep" if i else "whip", f"room-{i}", offer), offering=True)


async def _join_janus(room: VideoRoom, plan: Plan, endpoints: list[Endpoint]) -> None:
    payload_type = 96 if plan.kind == "video" else 111
    publisher, *viewers = endpoints
    offer = await publisher.description(direction="sendonly", setup="actpass", payload_type=payload_type)
    await publisher.connect(await room.publish(offer), offering=True)
    await room.until_published()
    for viewer in viewers:
        subscription = await room.subscribe()
        media = SessionDescription.parse(subscription.offer).media[0]
        theirs = media.rtp.codecs[0].payloadType
        assert theirs is not None
        answer = await viewer.description(
            direction="recvonly",
            setup="active",
            payload_type=theirs,
            mid=media.rtp.muxId,
            transport_id=transport_id_of(subscription.offer),
        )
        await asyncio.gather(subscription.answer(answer), viewer.connect(subscription.offer, offering=False))


def main() -> None:
    plan = Plan(**json.loads(sys.stdin.readline()))
    print(json.dumps(asdict(asyncio.run(measure(plan)))), flush=True)


if __name__ == "__main__":
    main()
