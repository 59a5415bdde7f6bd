import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

import pytest
from aiohttp import ClientResponse

from testing.webrtc.nodes import Node, Protocol, node_here, token
from tests.webrtc.sdp.test_offer import OFFERS
from webrtc.sdp.fragment import parse_fragment
from webrtc.sdp.offer import parse_offer

OFFER: dict[Protocol, str] = {"whip": OFFERS["chromium_send"], "whep": OFFERS["chromium_recv"]}
FRAGMENT_TYPE = "application/trickle-ice-sdpfrag"
BOTH = pytest.mark.parametrize("protocol", ["whip", "whep"])


@pytest.fixture
async def node() -> AsyncIterator[Node]:
    async with node_here() as node:
        await node.open_bridge("lesson", ["room-a", "room-b"])
        yield node


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def problem(self) -> str:
        assert self.headers["Content-Type"].startswith("application/problem+json"), self.text
        return self.text.partition('"/problems/')[2].partition('"')[0]


async def _read(response: ClientResponse) -> Reply:
    return Reply(response.status, response.headers, await response.text())


async def _post(node: Node, protocol: Protocol, body: str | bytes | None = None, **headers: str) -> Reply:
    asked = {"Content-Type": "application/sdp", "Authorization": f"Bearer {token('lesson', 'room-a')}"}
    asked |= {name.replace("_", "-"): value for name, value in headers.items()}
    sent = {name: value for name, value in asked.items() if value}
    data = OFFER[protocol] if body is None else body
    skip = ("Content-Type",)
    async with node.http.post(
        node.media(protocol, "lesson"), data=data, headers=sent, skip_auto_headers=skip
    ) as response:
        return await _read(response)


async def _patch(node: Node, location: str, body: str, etag: str = "", media_type: str = FRAGMENT_TYPE) -> Reply:
    headers = {"Content-Type": media_type, "Authorization": f"Bearer {token('lesson', 'room-a')}"}
    if etag:
        headers["If-Match"] = etag
    async with node.http.patch(node.url + location, data=body, headers=headers) as response:
        return await _read(response)


async def _delete(node: Node, location: str, participant: str = "room-a", client: str = "display") -> Reply:
    headers = {"Authorization": f"Bearer {token('lesson', participant, client=client)}", "If-Match": '"another"'}
    async with node.http.delete(node.url + location, headers=headers) as response:
        return await _read(response)


def _fragment(ufrag: str, pwd: str) -> str:
    credentials = f"a=ice-ufrag:{ufrag}\r\na=ice-pwd:{pwd}\r\n"
    return f"m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\n{credentials}a=end-of-candidates\r\n"


@BOTH
async def test_post_is_answered_with_a_resource(node: Node, protocol: Protocol) -> None:
    reply = await _post(node, protocol)
    assert (reply.status, reply.headers["Content-Type"].partition(";")[0]) == (201, "application/sdp")
    assert reply.headers["Location"].startswith(f"/{protocol}/lesson/")
    assert reply.headers["ETag"].strip('"')
    assert reply.headers["Accept-Patch"] == FRAGMENT_TYPE
    assert f" 127.0.0.1 {node.udp_port} typ host\r\n" in reply.text
    assert "a=ice-lite\r\n" in reply.text


async def test_other_origins_may_read_the_answer(node: Node) -> None:
    reply = await _post(node, "whip", Origin="https://display.school.example")
    assert reply.headers["Access-Control-Allow-Origin"] == "*"
    exposed = {name.strip() for name in reply.headers["Access-Control-Expose-Headers"].split(",")}
    assert exposed >= {"Location", "Link", "ETag"}
    assert (await _post(node, "whip", Authorization="")).headers["Access-Control-Allow-Origin"] == "*"


@BOTH
async def test_options_says_what_may_be_posted(node: Node, protocol: Protocol) -> None:
    async with node.http.options(node.media(protocol, "lesson")) as response:
        assert (response.status, response.headers["Accept-Post"]) == (200, "application/sdp")
        assert "POST" in response.headers["Access-Control-Allow-Methods"]
        assert "Authorization" in response.headers["Access-Control-Allow-Headers"]


@BOTH
@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
async def test_endpoint_takes_only_post(node: Node, protocol: Protocol, method: str) -> None:
    async with node.http.request(method, node.media(protocol, "lesson")) as response:
        assert (response.status, response.headers["Allow"]) == (405, "GET,HEAD,OPTIONS,POST")


@pytest.mark.parametrize("method", ["PUT", "POST"])
async def test_resource_takes_only_patch_and_delete(node: Node, method: str) -> None:
    location = (await _post(node, "whip")).headers["Location"]
    async with node.http.request(method, node.url + location) as response:
        assert (response.status, response.headers["Allow"]) == (405, "DELETE,GET,HEAD,OPTIONS,PATCH")


async def _look(node: Node, method: str, path: str, **headers: str) -> tuple[int, str | None, str]:
    async with node.http.request(method, node.url + path, headers=headers) as response:
        return response.status, response.headers.get("Content-Type"), await response.text()


@BOTH
async def test_look_at_endpoint_or_resource_finds_it_without_content(node: Node, protocol: Protocol) -> None:
    location = (await _post(node, protocol)).headers["Location"]
    authorized = {"Authorization": f"Bearer {token('lesson', 'room-a')}"}
    for path in (f"/{protocol}/lesson", location):
        for headers in ({}, authorized):
            assert await _look(node, "GET", path, **headers) == (204, None, "")
            head = (200, "application/sdp", "") if protocol == "whep" else (204, None, "")
            assert await _look(node, "HEAD", path, **headers) == head


@BOTH
async def test_look_with_a_token_says_what_that_may_know(node: Node, protocol: Protocol) -> None:
    location = (await _post(node, protocol)).headers["Location"]
    tokens = {"a": token("lesson", "room-a"), "b": token("lesson", "room-b"), "elsewhere": token("another", "room-a")}
    asked = {name: {"Authorization": f"Bearer {each}"} for name, each in tokens.items()} | {
        "nonsense": {"Authorization": "Bearer x"}
    }
    statuses = {
        name: [(await _look(node, "GET", path, **headers))[0] for path in (f"/{protocol}/lesson", location)]
        for name, headers in asked.items()
    }
    assert statuses == {"a": [204, 204], "b": [204, 404], "elsewhere": [403, 403], "nonsense": [401, 401]}
    await _delete(node, location)
    assert (await _look(node, "GET", location, **asked["a"]))[0] == 404


@pytest.mark.parametrize(
    ("body", "headers", "status", "problem"),
    [
        ("nonsense", {}, 400, "sdp-invalid"),
        (b"v=0\r\n\xff", {}, 400, "sdp-invalid"),
        ("", {}, 400, "sdp-invalid"),
        (None, {"Authorization": ""}, 401, "token-invalid"),
        (None, {"Authorization": "Basic eDp5"}, 401, "token-invalid"),
        (None, {"Authorization": "Bearer x.y.z"}, 401, "token-invalid"),
        (None, {"Authorization": f"Bearer {token('lesson', 'room-a', lifetime_s=-1)}"}, 401, "token-invalid"),
        (None, {"Authorization": f"Bearer {token('another', 'room-a')}"}, 403, "token-not-allowed"),
        (None, {"Authorization": f"Bearer {token('lesson', 'room-a', publish=False)}"}, 403, "token-not-allowed"),
        (None, {"Accept": "text/html, image/png"}, 406, "not-acceptable"),
        ("v=0\r\n" + "a=x\r\n" * 100_000, {}, 413, "http-413"),
        (None, {"Content_Type": "text/plain"}, 415, "media-type"),
        (None, {"Content_Type": ""}, 415, "media-type"),
        (OFFERS["chromium_recv"], {}, 422, "sdp-unsupported"),
        (OFFERS["chromium_data"], {}, 422, "sdp-unsupported"),
    ],
)
async def test_post_that_cannot_be_met_says_why(
    node: Node, body: str | bytes | None, headers: dict[str, str], status: int, problem: str
) -> None:
    reply = await _post(node, "whip", body, **headers)
    assert (reply.status, reply.problem) == (status, problem)
    assert ("WWW-Authenticate" in reply.headers) == (status == 401)


async def test_good_token_for_a_bridge_that_is_gone_is_not_found(node: Node) -> None:
    headers = {"Content-Type": "application/sdp", "Authorization": f"Bearer {token('gone', 'room-a')}"}
    async with node.http.post(node.media("whip", "gone"), data=OFFER["whip"], headers=headers) as response:
        reply = await _read(response)
    assert (reply.status, reply.problem) == (404, "bridge-not-found")


@BOTH
async def test_trickled_candidates_are_taken(node: Node, protocol: Protocol) -> None:
    created = await _post(node, protocol)
    offer = parse_offer(OFFER[protocol])
    for body in (_fragment(offer.ufrag, offer.pwd), "a=candidate:1 1 udp 1 192.0.2.1 61764 typ host\r\n"):
        reply = await _patch(node, created.headers["Location"], body, created.headers["ETag"])
        assert (reply.status, reply.text, reply.headers.get("ETag")) == (204, "", None)


@BOTH
async def test_ice_restart_gives_new_credentials_and_a_new_etag(node: Node, protocol: Protocol) -> None:
    created = await _post(node, protocol)
    location, old = created.headers["Location"], created.headers["ETag"]
    reply = await _patch(node, location, _fragment("new1", "newpassword0123456789x"), "*")
    assert (reply.status, reply.headers["Content-Type"].partition(";")[0]) == (200, FRAGMENT_TYPE)
    assert reply.headers["ETag"] != old
    first = parse_offer(created.text)
    assert parse_fragment(reply.text).ufrag not in (None, first.ufrag)
    assert f" 127.0.0.1 {node.udp_port} typ host\r\n" in reply.text
    body = _fragment("new1", "newpassword0123456789x")
    assert (await _patch(node, location, body, old)).status == 412
    assert (await _patch(node, location, body, reply.headers["ETag"])).status == 204


TWO_TRANSPORTS = "".join(
    f"m=audio 9 RTP/AVP 0\r\na=mid:{mid}\r\na=ice-ufrag:new{mid}\r\na=ice-pwd:newpassword0123456789x\r\n"
    for mid in "01"
)


@pytest.mark.parametrize(
    ("body", "etag", "media_type", "status", "problem"),
    [
        ("a=end-of-candidates", "", FRAGMENT_TYPE, 428, "precondition-required"),
        ("a=end-of-candidates", '"another"', FRAGMENT_TYPE, 412, "precondition-failed"),
        ("a=end-of-candidates", "*", "application/sdp", 415, "media-type"),
        ("nonsense", "*", FRAGMENT_TYPE, 400, "sdp-invalid"),
        ("a=ice-ufrag:new1\r\n", "*", FRAGMENT_TYPE, 400, "sdp-invalid"),
        ("", "*", FRAGMENT_TYPE, 400, "sdp-invalid"),
        ("a=x\r\n" * 100_000, "*", FRAGMENT_TYPE, 413, "http-413"),
        ("m=audio 9 RTP/AVP 0\r\na=mid:7\r\na=end-of-candidates\r\n", "*", FRAGMENT_TYPE, 422, "sdp-unsupported"),
        (TWO_TRANSPORTS, "*", FRAGMENT_TYPE, 422, "sdp-unsupported"),
    ],
)
async def test_patch_that_cannot_be_met_leaves_the_connection(
    node: Node, body: str, etag: str, media_type: str, status: int, problem: str
) -> None:
    created = await _post(node, "whip")
    location = created.headers["Location"]
    reply = await _patch(node, location, body, etag, media_type)
    assert (reply.status, reply.problem) == (status, problem)
    assert (await _patch(node, location, "a=end-of-candidates", created.headers["ETag"])).status == 204


@BOTH
async def test_delete_ends_the_connection_whatever_the_etag(node: Node, protocol: Protocol) -> None:
    location = (await _post(node, protocol)).headers["Location"]
    assert (await _delete(node, location)).status == 200
    reply = await _delete(node, location)
    assert (reply.status, reply.problem) == (404, "connection-not-found")


async def test_connection_of_another_participant_is_not_found(node: Node) -> None:
    location = (await _post(node, "whip")).headers["Location"]
    assert (await _delete(node, location, participant="room-b")).status == 404
    assert (await _delete(node, location, client="another-display")).status == 404
    assert (await _delete(node, location.replace("/whip/", "/whep/"))).status == 404
    assert (await _delete(node, location)).status == 200


async def test_new_post_of_the_same_client_replaces_the_older(node: Node) -> None:
    first = (await _post(node, "whip")).headers["Location"]
    second = (await _post(node, "whip")).headers["Location"]
    assert (await _delete(node, first)).status == 404
    assert (await _delete(node, second)).status == 200


async def test_body_that_never_ends_is_cut_off(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webrtc.node.whip.BODY_TIMEOUT_S", 0.05)
    reader, writer = await asyncio.open_connection("127.0.0.1", int(node.url.rpartition(":")[2]))
    head = f"POST /whip/lesson HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token('lesson', 'room-a')}\r\n"
    writer.write(f"{head}Content-Type: application/sdp\r\nContent-Length: 100\r\n\r\nv=0".encode())
    async with asyncio.timeout(20):
        assert await reader.readline() == b"HTTP/1.1 408 Request Timeout\r\n"
    writer.close()
    await writer.wait_closed()
