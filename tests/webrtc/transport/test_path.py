"""One call over UDP, TCP and both in turns, as a school's firewall has it."""

import asyncio
import logging
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.async_api import Page

from testing.chromium import chromium
from testing.links.relay import relay
from testing.webrtc.bare import KEYFRAME, bare_client, offer, packet
from testing.webrtc.browsers import PAGE, served
from testing.webrtc.nodes import Node, node_here, token
from tests.webrtc.bundle import bundle
from tests.webrtc.framed import over_tcp
from tests.webrtc.peers import LESSON, lesson
from webrtc.shared.ids import ClientId, ParticipantId
from webrtc.transport.dtls import Certificate

logger = logging.getLogger(__name__)

ROOM = (Path(__file__).parent / "reaching.js").read_text()


async def join(
    page: Page, node: Node, only: Sequence[str], *, port: int | None = None, configuration: object = None
) -> list[float]:
    """Send as room-a and watch as room-b; returns how many ms each took to connect. The rest: see `reaching.js`."""
    await node.open_bridge("lesson")
    await page.goto(f"{node.url}/v1/node")
    tokens = [token("lesson", "room-a"), token("lesson", "room-b")]
    endpoints = [node.media("whip", "lesson"), node.media("whep", "lesson")]
    took: list[float] = await page.evaluate(ROOM, [*endpoints, *tokens, list(only), port, configuration or {}])
    return took


@pytest.mark.parametrize(("only", "protocol"), [(["udp", "tcp"], "udp"), (["tcp"], "tcp")])
async def test_chromium_uses_udp_and_tcp_where_udp_is_blocked(only: list[str], protocol: str) -> None:
    async with node_here() as node, chromium() as browser, asyncio.timeout(60):
        page = await browser.new_page()
        took = await join(page, node, only)
        logger.info("connected over %s in %s ms", protocol, took)
        await page.wait_for_function("window.framesDecoded > 20", timeout=30_000)
        assert [pair[1:] for pair in await page.evaluate("window.pairs()")] == [[protocol, "127.0.0.1"]] * 2


async def test_chromium_does_not_wait_for_udp_that_a_firewall_drops() -> None:
    async with node_here() as node, chromium() as browser, asyncio.timeout(60):
        with relay(node.udp_port) as link:
            link.cut()
            page = await browser.new_page()
            took = await join(page, node, ["udp", "tcp"], port=link.port)
            logger.info("connected past a dark UDP in %s ms", took)
            await page.wait_for_function("window.framesDecoded > 20", timeout=30_000)


async def test_app_goes_over_to_tcp_when_udp_is_dropped_in_a_call(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("<script type=module src=page.js></script>")
    await bundle(PAGE / "firewall.ts", tmp_path / "page.js")
    async with asyncio.timeout(90), node_here() as node, served(tmp_path) as origin, chromium() as browser:
        with relay(node.udp_port) as link:
            await node.open_bridge("lesson")
            page = await browser.new_page()
            urls = (node.media("whip", "lesson"), node.media("whep", "lesson"))
            asked = " ".join(map(quote, (*urls, token("lesson", "room-c"), str(link.port))))
            await page.goto(f"{origin}/page.html#{asked}")
            await page.wait_for_function("performance.now() > 3000")  # by then it has chosen for good
            await _both(page, "connected udp")
            link.cut()
            cut_at = asyncio.get_running_loop().time()
            await _both(page, "connected tcp")
            logger.info("over TCP %.1f s after UDP was dropped", asyncio.get_running_loop().time() - cut_at)


async def _both(page: Page, way: str) -> None:
    """Return once the page's two connections are in that state, and go that way."""
    await page.wait_for_function(f"window.both === '{way}'", timeout=40_000)


@pytest.mark.parametrize("only", ["udp", "tcp"])
async def test_chromium_connects_over_ipv6(only: str) -> None:
    async with node_here("::1") as node, chromium() as browser, asyncio.timeout(60):
        page = await browser.new_page()
        await join(page, node, [only])
        await page.wait_for_function("window.framesDecoded > 20", timeout=30_000)
        assert [pair[1:] for pair in await page.evaluate("window.pairs()")] == [[only, "::1"]] * 2


@pytest.mark.usefixtures("each_engine")
async def test_call_goes_on_from_udp_to_tcp_and_back() -> None:
    certificates = Certificate(), Certificate()
    async with (
        asyncio.timeout(20),
        lesson() as here,
        bare_client(certificates[0]) as a,
        bare_client(certificates[1]) as b,
        over_tcp(here.plane.port) as tunnel,
        over_tcp(here.plane.port) as second_tunnel,
    ):
        sending = await here.plane.publish(
            LESSON, ParticipantId("a"), ClientId("bare"), offer(certificates[0], "sendonly", ["video"])
        )
        receiving = await here.plane.subscribe(
            LESSON, ParticipantId("b"), ClientId("bare"), offer(certificates[1], "recvonly", ["video"])
        )
        await a.connect(sending, tunnel)
        await b.connect(receiving, here.plane.port)
        await here.until(lambda: sending.connected and receiving.connected)
        for number, port in enumerate((here.plane.port, second_tunnel, here.plane.port)):
            await b.move(receiving, port)
            if number == 1:
                await a.move(sending, here.plane.port)
            a.send_rtp(packet(number, KEYFRAME))
            assert (await b.packets.get())[16:] == KEYFRAME[4:]
