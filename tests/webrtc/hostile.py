"""What hostile tests share: a lesson that must not notice, and members who may speak every format there is."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Literal

from testing.webrtc.bare import KEYFRAME, OTHER_FRAME, SSRC, BareClient, bare_client, packet
from tests.webrtc.peers import LESSON, Lesson, lesson
from tests.webrtc.test_forwarding import publisher, viewer
from webrtc.bridge.connection import Connection
from webrtc.rtp.packet import HEADER
from webrtc.sdp.answer import (
    AUDIO_LEVEL_EXTENSION,
    MID_EXTENSION,
    REPAIRED_RID_EXTENSION,
    RID_EXTENSION,
    TRANSPORT_CC_EXTENSION,
)
from webrtc.shared.ids import ClientId, ParticipantId
from webrtc.shared.policy import Mode, Policy
from webrtc.transport.dtls import Certificate

LEVEL, TRANSPORT_CC, MID, RID, REPAIRED_RID = 1, 3, 4, 10, 11  # ids of the header extensions
EXTENSIONS = (
    (LEVEL, AUDIO_LEVEL_EXTENSION),
    (TRANSPORT_CC, TRANSPORT_CC_EXTENSION),
    (MID, MID_EXTENSION),
    (RID, RID_EXTENSION),
    (REPAIRED_RID, REPAIRED_RID_EXTENSION),
)
OPUS, RED = 111, 63
PICTURES = {96: "VP8", 98: "H264", 100: "VP9", 102: "AV1"}  # each with retransmissions as the next number
RIDS = ("q", "h", "f")


def rich_offer(
    certificate: Certificate, direction: Literal["sendonly", "recvonly"], kinds: Sequence[str], *, red: str = "111/111"
) -> str:
    """All codecs and header extensions, and simulcast where a picture is sent. `red`: the parameters of RED."""
    lines = ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0"]
    lines.append("a=group:BUNDLE " + " ".join(str(mid) for mid in range(len(kinds))))
    for mid, kind in enumerate(kinds):
        numbers = [OPUS, RED] if kind == "audio" else [each for number in PICTURES for each in (number, number + 1)]
        lines += [
            f"m={kind} 9 UDP/TLS/RTP/SAVPF {' '.join(map(str, numbers))}",
            f"a=mid:{mid}",
            f"a={direction}",
            "a=ice-ufrag:theirs",
            "a=ice-pwd:theirstheirstheirstheirs",
            f"a=fingerprint:sha-256 {certificate.fingerprint}",
            "a=setup:actpass",
            "a=rtcp-mux",
            *(f"a=extmap:{id} {uri}" for id, uri in EXTENSIONS),
            *(f"a=rtcp-fb:* {each}" for each in ("nack", "nack pli", "ccm fir", "transport-cc")),
        ]
        if kind == "audio":
            lines += [f"a=rtpmap:{OPUS} opus/48000/2", f"a=rtpmap:{RED} red/48000/2", f"a=fmtp:{RED} {red}"]
            continue
        for number, name in PICTURES.items():
            lines += [f"a=rtpmap:{number} {name}/90000", f"a=rtpmap:{number + 1} rtx/90000"]
            lines += [f"a=fmtp:{number + 1} apt={number}"]
        lines.append("a=fmtp:98 packetization-mode=1;profile-level-id=42e01f")
        if direction == "sendonly":
            lines += [*(f"a=rid:{rid} send" for rid in RIDS), f"a=simulcast:send {';'.join(RIDS)}"]
    return "".join(f"{line}\r\n" for line in lines)


def one_byte(*elements: tuple[int, bytes]) -> bytes:
    """A header extension (RFC 8285 4.2)."""
    body = b"".join(bytes((id << 4 | len(value) - 1,)) + value for id, value in elements)
    body += bytes(-len(body) % 4)
    return b"\xbe\xde" + (len(body) // 4).to_bytes(2, "big") + body


def extended(plain: bytes, extension: bytes) -> bytes:
    """A plain packet with that header extension in it."""
    return bytes((plain[0] | 0x10,)) + plain[1:12] + extension + plain[12:]


def mutated(chance: random.Random, datagram: bytes) -> bytes:
    """Some octets changed, left out, repeated or cut off."""
    octets = bytearray(datagram)
    for _ in range(chance.randrange(1, 8)):
        at = chance.randrange(len(octets)) if octets else 0
        match chance.randrange(6):
            case 0 | 1 if octets:
                octets[at] = chance.choice((0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256)))
            case 2 if octets:
                octets[at] ^= 1 << chance.randrange(8)
            case 3:
                del octets[at : at + chance.randrange(1, 20)]
            case 4:
                octets[at:at] = chance.randbytes(chance.randrange(1, 20))
            case _ if chance.random() < 0.1:
                del octets[at:]
    return bytes(octets[:1400])


class Beside:
    """One who sends and one who watches, while somebody else does what nobody should."""

    def __init__(self, here: Lesson, sender: BareClient, watcher: BareClient) -> None:
        self.here = here
        self.sender = sender
        self.watcher = watcher
        self.sent: list[bytes] = []  # packets, protected, as they went out
        self._number = 1
        self._expected = -1
        self._ssrc = 0

    async def begin(self) -> None:
        self._send(KEYFRAME)
        first = await self.watcher.packets.get()
        self._expected, self._ssrc = HEADER.unpack_from(first)[2], HEADER.unpack_from(first)[4]

    async def goes_on(self, frames: int = 20, picture: bytes = OTHER_FRAME) -> None:
        """Every frame arrives, in order, once. `picture`: what they begin with."""
        for i in range(frames):
            self._send(picture + bytes((i,)))
            while HEADER.unpack_from(got := await self.watcher.packets.get())[4] != self._ssrc:
                pass  # a voice
            self._expected = (self._expected + 1) & 0xFFFF
            assert HEADER.unpack_from(got)[2] == self._expected
            assert got[16:] == (picture + bytes((i,)))[4:]

    def _send(self, payload: bytes) -> None:
        self.sender.send_rtp(packet(self._number & 0xFFFF, payload, timestamp=3000 * self._number, ssrc=SSRC))
        self._number += 1


@asynccontextmanager
async def lesson_beside() -> AsyncIterator[Beside]:
    """Of "a" and "b"; "a" has the floor, so that nobody else comes into the slot of "b"."""
    async with asyncio.timeout(60), lesson() as here, publisher(here, "a") as (a, _), viewer(here, "b") as (b, _):
        names = ParticipantId("a"), ParticipantId("b")
        here.plane.open_bridge(LESSON, Policy(order=names, mode=Mode.TEACHER, floor=names[0]))
        beside = Beside(here, a, b)
        await beside.begin()
        yield beside
        await beside.goes_on()


@asynccontextmanager
async def member(
    here: Lesson, name: str, direction: Literal["sendonly", "recvonly"], kinds: Sequence[str] = ("video", "audio")
) -> AsyncIterator[tuple[BareClient, Connection]]:
    """A member with a valid token, who has connected."""
    certificate = Certificate()
    async with bare_client(certificate) as client:
        join = here.plane.publish if direction == "sendonly" else here.plane.subscribe
        text = rich_offer(certificate, direction, kinds)
        connection = await join(LESSON, ParticipantId(name), ClientId("hostile"), text)
        await client.connect(connection, here.plane.port)
        await here.until(lambda: connection.connected)
        yield client, connection
