"""Nonsense at every door of a node process, while a lesson beside it goes on without a missing beat."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from demo.whip_client import Slot, play, publish
from testing.webrtc.nodes import CONTROL, Node, NodeProcess, node_process, token
from tests.webrtc.pictures import Picture, Tone
from tests.webrtc.sdp.test_offer import OFFERS

SDP = {"Content-Type": "application/sdp"}


@asynccontextmanager
async def _lesson(node: Node) -> AsyncIterator[Slot]:
    """A live lesson; gives the slot in which one room hears the other."""
    await node.open_bridge("lesson", ["room-a", "room-b"])
    whip, whep = node.media("whip", "lesson"), node.media("whep", "lesson")
    async with (
        publish(whip, token("lesson", "room-a"), [Picture(200), Tone()]),
        play(whep, token("lesson", "room-b")) as playback,
    ):
        (voice,) = playback.of_kind("audio")
        async with asyncio.timeout(20):
            for each in playback.slots:
                await each.next_frame()
        yield voice


async def _goes_on(voice: Slot) -> None:
    """The lesson still plays: half a second of it comes. Sound, as aiortc takes a full machine for a full link."""
    seen = voice.frames
    async with asyncio.timeout(20):
        while voice.frames < seen + 25:
            await voice.next_frame()


@pytest.fixture
async def running() -> AsyncIterator[NodeProcess]:
    """A node whose log must stay free of tracebacks and of secrets."""
    async with node_process() as running:
        yield running
        running.process.terminate()
        async with asyncio.timeout(10):
            assert await running.process.wait() == 0
        log = await running.log()
    assert "Traceback" not in log
    assert "ice-pwd" not in log
    assert "eyJ" not in log  # how every JWT begins


async def _status(node: Node, method: str, path: str, **asked: object) -> int:
    async with node.http.request(method, node.url + path, **asked) as response:  # type: ignore[arg-type]
        await response.read()
        return response.status


async def test_wrong_tokens_change_nothing(running: NodeProcess) -> None:
    node = running.node
    await node.open_bridge("other")
    async with _lesson(node) as voice:
        good = token("lesson", "room-a")
        tried = [
            *(good[:place] + ("A" if good[place] != "A" else "B") + good[place + 1 :] for place in range(30, 130)),
            *(token("lesson", "room-a", secret=f"a guessed secret number {number:09}") for number in range(200)),
            *(token("lesson", "room-a", lifetime_s=-number) for number in range(100)),
            *(random.Random(number).randbytes(60).hex() for number in range(100)),
        ]
        statuses = [
            await _status(
                node,
                "POST",
                "/whip/lesson",
                data=OFFERS["chromium_send"],
                headers=SDP | {"Authorization": f"Bearer {each}"},
            )
            for each in tried
        ]
        assert statuses == [401] * 500
        await _goes_on(voice)
        async with node.http.get(f"{node.url}/v1/node", headers=CONTROL) as response:
            assert (await response.json())["connections"] == 2


async def test_token_of_another_lesson_opens_nothing(running: NodeProcess) -> None:
    node = running.node
    await node.open_bridge("other")
    async with _lesson(node) as voice:
        async with node.http.post(
            node.media("whip", "lesson"),
            data=OFFERS["chromium_send"],
            headers=SDP | {"Authorization": f"Bearer {token('lesson', 'room-c')}"},
        ) as response:
            resource = response.headers["Location"]
        foreign = {"Authorization": f"Bearer {token('other', 'room-c')}", "If-Match": "*"}
        fragment = {"Content-Type": "application/trickle-ice-sdpfrag"}
        assert [
            await _status(node, "POST", "/whip/lesson", data=OFFERS["chromium_send"], headers=SDP | foreign),
            await _status(node, "POST", "/whep/lesson", data=OFFERS["chromium_recv"], headers=SDP | foreign),
            await _status(node, "PATCH", resource, data="a=end-of-candidates", headers=fragment | foreign),
            await _status(node, "DELETE", resource, headers=foreign),
            await _status(node, "DELETE", resource.replace("lesson", "other"), headers=foreign),
            await _status(node, "GET", "/v1/bridges", headers=foreign),
        ] == [403, 403, 403, 403, 404, 401]
        await _goes_on(voice)


async def test_bodies_of_nonsense_are_refused(running: NodeProcess) -> None:
    node = running.node
    chance = random.Random(8)
    offer = OFFERS["chromium_send"]
    headers = SDP | {"Authorization": f"Bearer {token('lesson', 'room-c')}"}
    async with _lesson(node) as voice:
        for number in range(100):
            start = chance.randrange(len(offer))
            damaged = offer[:start].encode() + chance.randbytes(chance.randrange(1, 40)) + offer[start + 20 :].encode()
            body = damaged if number % 2 else chance.randbytes(chance.randrange(5000))
            assert await _status(node, "POST", "/whip/lesson", data=body, headers=headers) in (201, 400, 422)
        for body in (b"", b"\0" * 1000, b"m=" * 50_000, b"v=0\r\n" + b"m=audio 9 UDP/TLS/RTP/SAVPF 0\r\n" * 5000):
            assert await _status(node, "POST", "/whip/lesson", data=body, headers=headers) in (400, 422)
        await _goes_on(voice)


async def test_oversized_and_endless_requests_are_cut_off(running: NodeProcess) -> None:
    node = running.node
    port = int(node.url.rpartition(":")[2])
    post = f"POST /whip/lesson HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token('lesson', 'room-c')}\r\n"
    heads = [
        f"{post}Content-Type: application/sdp\r\nContent-Length: 9999999\r\n\r\n",
        f"{post}X: {'y' * 100_000}\r\n\r\n",
        f"POST /whip/{'x' * 100_000} HTTP/1.1\r\n\r\n",
        "NONSENSE\r\n\r\n",
        "GET /v1/node HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \xe9\xff\r\n\r\n",
        "POST /whip/lesson HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \xe9.\xff.\xff\r\n\r\n",
        "PUT /v1/bridges/%ff%00%2e HTTP/1.1\r\nHost: x\r\n\r\n",
        "\x16\x03\x01\x02",
        "GET /v1/events HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    ]
    async with _lesson(node) as voice, asyncio.timeout(30):
        for head in heads:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                writer.write(head.encode("latin-1") + b"v=0\r\n" * 200_000)
                writer.write_eof()
                answer = await reader.read(12)
                assert not answer or answer.startswith((b"HTTP/1.1 4", b"HTTP/1.0 4")), answer
            except OSError:
                pass  # cut off while we were still writing, or (ENOTCONN) before we said the end: as good an answer
            finally:
                writer.close()
        await _goes_on(voice)


async def test_hundreds_of_offers_leave_one_connection(running: NodeProcess) -> None:
    node = running.node
    headers = SDP | {"Authorization": f"Bearer {token('lesson', 'room-c')}"}
    async with _lesson(node) as voice:
        for _ in range(200):
            assert await _status(node, "POST", "/whip/lesson", data=OFFERS["chromium_send"], headers=headers) == 201
        async with node.http.get(f"{node.url}/v1/node", headers=CONTROL) as response:
            assert (await response.json())["connections"] == 3
        await _goes_on(voice)
