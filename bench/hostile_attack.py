"""What `bench.hostile` throws at a node: one kind of attack per process, so many times per second, until it is ended.

Strangers send from many addresses of loopback; members have a valid token, and are connected as any browser is. Reads
`{"kind", "url", "secret", "udp_port", "rate"}` as one JSON line, writes a line once it has begun, and at its end, which
the end of its input asks for, another one: {"done": how often}.
"""

import asyncio
import json
import os
import random
import socket
import struct
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, suppress

import aiohttp
from aioice import stun

from bench import lesson_offer as sdp
from bench.lesson_connection import Connection
from bench.lesson_load import Lesson, Plan
from bench.lesson_publisher import LAYERS
from webrtc.rtp import rtcp
from webrtc.rtp.packet import HEADER
from webrtc.rtp.transport_cc import Run, TransportFeedback
from webrtc.transport.dtls import Certificate

TURN_S = 0.005  # between two bursts
HELD = 200  # connections that are held open
Act = Callable[[int], object]  # called with a growing number


class Attack:
    """`rate`: per second; the load may manage less, which is told."""

    def __init__(self, order: dict[str, str], stack: AsyncExitStack, http: aiohttp.ClientSession) -> None:
        self.url, self.secret, self.rate = order["url"], order["secret"], float(order["rate"])
        self.host, self.port = "127.0.0.1", int(order["udp_port"])
        self.http, self.stack = http, stack
        self.chance = random.Random(1)

    async def begin(self, kind: str) -> Act | Callable[[int], Awaitable[object]]:
        make: Callable[[], Awaitable[Act]] = getattr(self, kind)
        return await make()

    # -- strangers

    def strangers(self) -> list[socket.socket]:
        sockets = []
        for number in range(100):
            each = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
            self.stack.callback(each.close)
            each.bind((f"127.1.{number}.1", 0))
            each.connect((self.host, self.port))
            sockets.append(each)
        return sockets

    async def checks_of_strangers(self) -> Act:
        request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
        request.attributes["USERNAME"] = "none:here"
        request.add_message_integrity(b"x" * 24)
        return self._from_all(bytes(request))

    async def nonsense(self) -> Act:
        return self._from_all(b"\x90" + os.urandom(1000))

    def _from_all(self, datagram: bytes) -> Act:
        sockets = self.strangers()

        def act(number: int) -> None:
            with suppress(OSError):
                sockets[number % len(sockets)].send(datagram)

        return act

    async def wrong_tokens(self) -> Callable[[int], Awaitable[object]]:
        offer = sdp.publishing(Certificate().fingerprint, ["q"])

        async def act(number: int) -> None:
            headers = {"Authorization": f"Bearer {self.chance.randbytes(60).hex()}", "Content-Type": "application/sdp"}
            async with self.http.post(f"{self.url}/whip/bench", data=offer, headers=headers) as response:
                assert response.status == 401

        return act

    async def connections_held(self) -> Act:
        """Heads and bodies that never end, and TCP streams that say nothing."""
        http = int(self.url.rpartition(":")[2])
        head = "POST /whip/bench HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\nX: "
        for number in range(HELD):
            _, writer = await asyncio.open_connection(self.host, http if number % 2 else self.port)
            self.stack.callback(writer.close)
            if number % 2:
                writer.write(head.encode())
        return lambda number: None

    # -- members

    async def _join(self, path: str, offer: str) -> tuple[Connection, list[sdp.AnsweredSection], str, str]:
        plan = Plan(url=self.url, secret=self.secret, pid=0, rooms=0, pupils=0, warm_up_s=0, seconds=0)
        lesson = Lesson(plan, self.http, self.stack)
        offer = offer.replace("@", lesson._certificate.fingerprint)
        return await lesson._join(path, "room-99", offer, "127.0.5.5")

    async def _watching(self) -> tuple[Connection, list[int], str, str]:
        connection, answer, resource, token = await self._join("whep", sdp.subscribing("@", pictures=8, voices=3))
        self._read(connection)
        return connection, [section.ssrcs[0] for section in answer if section.ssrcs], resource, token

    def _read(self, connection: Connection) -> None:
        loop = asyncio.get_running_loop()

        def drain() -> None:
            while connection.receive():
                pass

        loop.add_reader(connection.socket, drain)
        self.stack.callback(loop.remove_reader, connection.socket)

    async def _reports(self, packet: Callable[[int, int], bytes]) -> Act:
        connection, ssrcs, _, _ = await self._watching()
        await asyncio.sleep(1.0)  # so that something flows
        return lambda number: connection.send_rtcp(packet(number, ssrcs[number % len(ssrcs)]))

    async def forged(self) -> Act:
        """From a member's address, without its keys."""
        connection, _, _, _ = await self._watching()
        datagram = HEADER.pack(0x80, 96, 1, 2, 3) + os.urandom(1000)
        return lambda number: connection._send(datagram)

    async def nacks_for_all(self) -> Act:
        return await self._reports(
            lambda number, ssrc: (
                struct.pack("!BBHII", 0x81, 205, 302, 1, ssrc)
                + b"".join(struct.pack("!HH", (number * 5100 + 17 * place) & 0xFFFF, 0xFFFF) for place in range(300))
            )
        )

    async def keyframes(self) -> Act:
        return await self._reports(lambda number, ssrc: rtcp.PictureLossIndication(ssrc=1, media=ssrc).to_bytes())

    async def lies_of_arrivals(self) -> Act:
        def lie(number: int, ssrc: int) -> bytes:
            runs = (Run(0, (0,) * 1000),)
            return TransportFeedback(
                ssrc=1, media=ssrc, base=number * 40 & 0xFFFF, statuses=1000, reference_time=number & 0xFFFFFF,
                number=number & 0xFF, runs=runs,
            ).to_bytes()  # fmt: skip

        return await self._reports(lie)

    async def layouts(self) -> Callable[[int], Awaitable[object]]:
        _, _, resource, token = await self._watching()
        headers = {"Authorization": f"Bearer {token}"}

        async def act(number: int) -> None:
            body = {"slots": {str(mid): {"height": number % 2 * 720} for mid in range(8)}}
            async with self.http.put(f"{resource}/layout", json=body, headers=headers) as response:
                assert response.status == 204

        return act

    async def sources(self) -> Act:
        """A new SSRC with each packet, as media and as retransmissions."""
        connection, _, _, _ = await self._publishing()

        def act(number: int) -> None:
            self._send_rtp(connection, number, 96 + number % 2, number, b"0", bytes((97 + number % 26,)), 200)

        return act

    async def bitrate(self) -> Act:
        """Sound and a picture, as much as goes."""
        connection, _, _, _ = await self._publishing()

        def act(number: int) -> None:
            kind = number % 2
            payload_type, rid = (111, b"") if kind else (96, b"f")
            self._send_rtp(connection, number >> 1, payload_type, 5 + kind, b"1" if kind else b"0", rid, 1000)

        return act

    async def _publishing(self) -> tuple[Connection, list[sdp.AnsweredSection], str, str]:
        joined = await self._join("whip", sdp.publishing("@", [layer.rid for layer in LAYERS]))
        self._read(joined[0])
        return joined

    def _send_rtp(
        self, connection: Connection, number: int, payload_type: int, ssrc: int, mid: bytes, rid: bytes, size: int
    ) -> None:
        body = bytes((sdp.MID << 4,)) + mid + (bytes((sdp.RID << 4,)) + rid if rid else b"")
        body += bytes(-len(body) % 4)
        picture = b"\x90\xe0\x80\x01\x01\x00" + b"\xff" * size  # each begins a keyframe, and has no stamp
        packet = HEADER.pack(0x90, 0x80 | payload_type, number & 0xFFFF, number * 3000 & 0xFFFFFFFF, ssrc)
        packet += b"\xbe\xde" + (len(body) // 4).to_bytes(2, "big") + body + picture
        connection.outgoing.view[: len(packet)] = packet
        connection.send_rtp(len(packet))


def bursts(rate: float, ended: threading.Event) -> Iterator[int]:
    """Growing numbers, as many per second; -1 where it is time to let others do something."""
    began, number = time.monotonic(), 0
    while not ended.is_set():
        due = int((time.monotonic() - began) * rate)
        for number in range(number, min(due, number + int(rate * 0.1) + 1)):  # what it is late with, it leaves  # noqa: B020, PLW2901
            yield number
        number = due
        yield -1


async def attack(order: dict[str, str], ended: threading.Event) -> int:
    done = 0
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(aiohttp.ClientSession())
        act = await Attack(order, stack, http).begin(order["kind"])
        print("begun", flush=True)
        for number in bursts(float(order["rate"]), ended):
            if number < 0:
                await asyncio.sleep(TURN_S)
                continue
            acted = act(number)
            if isinstance(acted, Awaitable):
                await acted
            done += 1
    return done


def main() -> None:
    order, ended = json.loads(sys.stdin.readline()), threading.Event()

    def wait() -> None:
        sys.stdin.read()
        ended.set()

    threading.Thread(target=wait, daemon=True).start()
    print(json.dumps({"done": asyncio.run(attack(order, ended))}), flush=True)


if __name__ == "__main__":
    main()
