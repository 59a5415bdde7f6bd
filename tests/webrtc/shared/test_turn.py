"""TURN credentials: their form, who gets them, and a real coturn that takes them."""

import asyncio
import hmac
import logging
import re
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.async_api import Page

from testing.chromium import chromium
from testing.webrtc.bare import offer
from testing.webrtc.browsers import PAGE, served
from testing.webrtc.nodes import Node, node_here, token
from tests.webrtc.bundle import bundle
from tests.webrtc.coturn import coturn
from tests.webrtc.transport.test_path import join
from webrtc.shared.turn import TurnServers, is_turn_url
from webrtc.transport.dtls import Certificate

logger = logging.getLogger(__name__)

NOW = datetime(2026, 11, 22, tzinfo=UTC)
URLS = ("turn:turn.example.edu.vn:3478?transport=udp", "turns:turn.example.edu.vn:443?transport=tcp")
SERVERS = TurnServers(urls=URLS, secret="s3cret", lifetime=timedelta(hours=6))
LINK = re.compile(r'<(.+)>; rel="ice-server"; username="(.+)"; credential="(.+)"; credential-type="password"')


def test_credentials_have_the_form_that_coturn_checks() -> None:
    username, password = SERVERS.credentials("room-a", NOW)
    assert username == f"{int(NOW.timestamp()) + 6 * 3600}:room-a"
    assert password == b64encode(hmac.new(b"s3cret", username.encode(), "sha1").digest()).decode()
    assert SERVERS.credentials('vi:"er\r\n', NOW)[0].partition(":")[2] == "vi--er--"


def test_there_is_a_link_for_each_url() -> None:
    username, password = SERVERS.credentials("room-a", NOW)
    links = [LINK.fullmatch(link) for link in SERVERS.links("room-a", NOW)]
    assert [link and link.groups() for link in links] == [(url, username, password) for url in URLS]


@pytest.mark.parametrize(
    ("text", "good"),
    [
        *((url, True) for url in URLS),
        ("turn:192.0.2.1", True),
        ("turn:[2001:db8::1]:3478", True),
        ("stun:turn.example.edu.vn", False),
        ("turn:", False),
        ("turn:host:port", False),
        ("turn:host?transport=sctp", False),
        ('turn:host>; rel="x', False),
    ],
)
def test_url_of_a_turn_server(text: str, good: bool) -> None:
    assert is_turn_url(text) == good


async def _links(node: Node, method: str, authorization: str) -> tuple[int, list[str]]:
    headers = {"Content-Type": "application/sdp"} | ({"Authorization": authorization} if authorization else {})
    body = offer(Certificate(), "sendonly", ["video"]) if method == "POST" else None
    async with node.http.request(method, node.media("whip", "lesson"), data=body, headers=headers) as response:
        return response.status, response.headers.getall("Link", [])


async def test_only_who_is_authorized_gets_credentials() -> None:
    good = f"Bearer {token('lesson', 'room-a')}"
    async with node_here(turn=SERVERS) as node:
        await node.open_bridge("lesson")
        assert await _links(node, "OPTIONS", "") == (200, [])
        assert await _links(node, "OPTIONS", "Bearer nonsense") == (401, [])
        assert await _links(node, "POST", "Bearer nonsense") == (401, [])
        for method, status in (("OPTIONS", 200), ("POST", 201)):
            answered, links = await _links(node, method, good)
            found = [match.groups() for link in links if (match := LINK.fullmatch(link))]
            assert (answered, [url for url, _, _ in found]) == (status, list(URLS))
            assert {username.partition(":")[2] for _, username, _ in found} == {"room-a"}


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_chromium_connects_by_coturn_with_what_the_node_hands_out(tmp_path: Path, transport: str) -> None:
    async with (
        asyncio.timeout(60),
        coturn(tmp_path, transport) as servers,
        node_here(turn=servers) as node,
        chromium() as browser,
    ):
        await node.open_bridge("lesson")
        _, [link] = await _links(node, "OPTIONS", f"Bearer {token('lesson', 'room-a')}")
        page = await browser.new_page()
        await join(page, node, ["udp"], configuration=_relayed(link))
        await page.wait_for_function("window.framesDecoded > 20", timeout=30_000)
        assert [pair[0] for pair in await page.evaluate("window.pairs()")] == ["relay", "relay"]


async def test_coturn_refuses_expired_credentials(tmp_path: Path) -> None:
    async with asyncio.timeout(60), coturn(tmp_path) as servers, chromium() as browser:
        page = await browser.new_page()
        found = []
        for lifetime in (timedelta(minutes=1), timedelta(minutes=-1)):
            [link] = replace(servers, lifetime=lifetime).links("room-a", datetime.now(UTC))
            found.append(await page.evaluate(GATHER, _relayed(link)))
        assert found == [["relay"], []]


async def test_apps_own_connection_goes_over_to_turn_by_itself_and_begins_with_it_next_time(tmp_path: Path) -> None:
    async with asyncio.timeout(90), _app(tmp_path) as open_app:

        async def connected(network: str) -> list[tuple[str, int]]:
            """The states of a page just opened up to its connection."""
            page = await open_app(network)
            states: list[tuple[str, int]] = await page.evaluate("window.states")
            await _until_relayed(page, network == "walled")
            await page.close()
            logger.info("%s: connected after %s ms", network, states[-1][1])
            return states

        first, again = await connected("walled"), await connected("walled")
        assert [state for state, _ in first] == ["connecting", "waiting", "connecting", "connected"]
        assert [state for state, _ in again] == ["connecting", "connected"]
        for _ in range(2):  # a direct way is taken where there is one, by who remembers relays as by who has forgotten
            assert [state for state, _ in await connected("open")] == ["connecting", "connected"]
        assert [state for state, _ in await connected("walled")] == [state for state, _ in first]


async def test_apps_own_connection_that_has_lost_its_way_asks_for_a_relay_with_the_next_restart(tmp_path: Path) -> None:
    async with asyncio.timeout(60), _app(tmp_path) as open_app:
        page = await open_app("open")
        await _until_relayed(page, False)
        await page.evaluate("window.wall()")
        await page.evaluate("window.restart()")
        await page.evaluate(UNTIL_OFFERED_RELAY)


@asynccontextmanager
async def _app(folder: Path) -> AsyncIterator[Callable[[str], Awaitable[Page]]]:
    """The app's connection to a node with a TURN server: what opens a page in a network and has it connect."""
    (folder / "page.html").write_text("<script type=module src=page.js></script>")
    await bundle(PAGE / "relays.ts", folder / "page.js")
    async with (
        coturn(folder) as servers,
        node_here(turn=servers) as node,
        served(folder) as origin,
        chromium() as browser,
    ):
        await node.open_bridge("lesson")
        context = await browser.new_context()

        async def open_app(network: str) -> Page:
            page = await context.new_page()
            asked = " ".join(map(quote, (node.media("whep", "lesson"), token("lesson", "room-b"), network)))
            await page.goto(f"{origin}/page.html#{asked}")
            await page.wait_for_function("window.states?.some(([state]) => state === 'connected')", timeout=30_000)
            return page

        yield open_app


async def _until_relayed(page: Page, relayed: bool) -> None:
    """Return once the connection goes by a relay, or by none."""
    await page.evaluate(UNTIL_RELAYED, relayed)


UNTIL_RELAYED = """
async (relayed) => {
  while ((await window.player.peer.sample()).relayed !== relayed) await new Promise(requestAnimationFrame);
}
"""

UNTIL_OFFERED_RELAY = """
async () => {
  const stats = async () => [...(await window.player.peer.connection.getStats()).values()];
  while (!(await stats()).some((each) => each.candidateType === "relay")) await new Promise(requestAnimationFrame);
}
"""


GATHER = """
async (configuration) => {
  const peer = new RTCPeerConnection(configuration);
  peer.addTransceiver("audio");
  const found = [];
  const done = new Promise((resolve) => {
    peer.onicecandidate = ({ candidate }) => (candidate ? found.push(candidate.type) : resolve());
  });
  await peer.setLocalDescription();
  await done;
  return found;
}
"""


def _relayed(link: str) -> dict[str, object]:
    """The configuration of a page that nothing but TURN works for."""
    match = LINK.fullmatch(link)
    assert match
    url, username, credential = match.groups()
    server = {"urls": url, "username": username, "credential": credential}
    return {"iceServers": [server], "iceTransportPolicy": "relay"}
