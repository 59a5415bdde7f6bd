"""What surrounds the API: health, the browser app, headers, errors, the first administrator, WHIP and WHEP."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from prometheus_client import CollectorRegistry, Counter

from controller.web.health import Latest
from rooms.people.account import Role
from store.rooms import Rooms
from testing.webrtc.nodes import node_here
from tests.controller.web.house import HOST, ROOMS, House, open_house


async def test_health_tells_the_parts(house: House) -> None:
    visitor = await house.visitor()
    assert await visitor.ask("GET", "/healthz", api="") == (200, {"status": "ok"})
    parts = {"database": True, "mqtt": False, "clock": True}  # no broker here
    assert await visitor.ask("GET", "/readyz", api="") == (503, {"ready": False, "parts": parts})
    async with visitor.http.get(f"{house.url}/metrics") as answer:
        text = await answer.text()
    assert 'nhipcau_http_requests_total{method="GET",route="/healthz",status="200"} 1.0' in text


def test_figures_are_made_once_for_all_who_ask_within_a_second() -> None:
    now, registry = 0.0, CollectorRegistry()
    counter, latest = Counter("asked", "How often", registry=registry), Latest(lambda: now)

    def asked() -> str:
        counter.inc()
        return latest.text(registry).decode()

    first = asked()
    assert "asked_total 1.0" in first
    now = 0.9
    assert asked() == first
    now = 1.0
    assert "asked_total 3.0" in asked()


HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}  # as a browser asks for a page
PAGES_FILE = Path(__file__).parents[3] / "web" / "src" / "pages.json"


def built_app(directory: Path) -> Path:
    """An app as its build leaves it, with the true list of pages."""
    dist = directory / "dist"
    (dist / "assets").mkdir(parents=True)
    (dist / "index.html").write_text("<!doctype html>")
    (dist / "pages.json").write_text(PAGES_FILE.read_text())
    (dist / "assets" / "index-abc.js").write_text("1")
    return dist


async def test_every_page_of_the_app_is_served_at_a_reload(house: House, tmp_path: Path) -> None:
    built_app(tmp_path)
    visitor = await house.visitor()
    pages = [page.replace("{", "").replace("}", "-7.a") for page in json.loads(PAGES_FILE.read_text())]
    found = {}
    for path in pages:
        async with visitor.http.get(house.url + path, headers=HTML) as answer:
            found[path] = (answer.status, answer.content_type, answer.headers["Cache-Control"])
    assert "/rooms/room-7.a" in pages
    assert found == dict.fromkeys(pages, (200, "text/html", "no-cache"))


async def test_assets_last(house: House, tmp_path: Path) -> None:
    built_app(tmp_path)
    visitor = await house.visitor()
    async with visitor.http.get(f"{house.url}/assets/index-abc.js") as answer:
        assert (answer.status, answer.content_type) == (200, "text/javascript")
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"


@pytest.mark.parametrize("path", ["/nothing", "/rooms/a/b/c", "/today/", "/house.db", "/rooms/-x", "/rooms/%C3%A1"])
async def test_unknown_address_is_a_page_to_people_and_a_problem_to_programs(
    house: House, tmp_path: Path, path: str
) -> None:
    built_app(tmp_path)
    visitor = await house.visitor()
    async with visitor.http.get(house.url + path, headers=HTML) as answer:
        assert (answer.status, answer.content_type, await answer.text()) == (404, "text/html", "<!doctype html>")
    async with visitor.http.get(house.url + path) as answer:
        assert (answer.status, answer.content_type) == (404, "application/problem+json")


@pytest.mark.parametrize(
    "path", ["/nothing", "/assets/../house.db", "/assets/%2e%2e%2fhouse.db", "/house.db", "/api/v1", "/whip/x/y/z"]
)
async def test_what_is_not_served_is_not_found(house: House, path: str) -> None:
    visitor = await house.visitor()
    status, problem = await visitor.ask("GET", path, api="")
    assert (status, problem["type"]) == (404, "/problems/not-found")


async def test_api_answers_a_problem_even_to_a_browser(house: House, tmp_path: Path) -> None:
    built_app(tmp_path)
    visitor = await house.visitor()
    for path in ("/api/v1/nothing", "/assets/nothing.js"):
        async with visitor.http.get(house.url + path, headers=HTML) as answer:
            assert (answer.status, answer.content_type) == (404, "application/problem+json")


async def test_every_answer_forbids_what_no_page_of_ours_does(house: House) -> None:
    visitor = await house.visitor()
    for path in ("/", "/api/v1/me", "/nothing", "/metrics"):
        async with visitor.http.get(house.url + path) as answer:
            policy = answer.headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy
            assert "script-src 'self';" in policy
            assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_unexpected_error_is_a_number_for_the_user_and_a_traceback_for_the_log(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(*_: object) -> None:
        raise KeyError("not for the user")

    monkeypatch.setattr(Rooms, "page", broken)
    program = await house.program(HOST, Role.TEACHER)
    status, problem = await program.ask("GET", "/rooms")
    assert (status, problem["type"]) == (500, "/problems/internal-error")
    assert "not for the user" not in json.dumps(problem)
    logged = [record for record in caplog.records if record.levelname == "ERROR"]
    assert [problem["id"] in record.getMessage() for record in logged] == [True]  # type: ignore[operator]


@pytest.mark.parametrize(
    ("body", "content_type", "expected"),
    [
        (b"{", "application/json", (400, "invalid-json")),
        (b'{"school":NaN}', "application/json", (400, "invalid-json")),
        (b"[" * 100_000, "application/json", (400, "invalid-json")),
        (b"\xff", "application/json", (400, "invalid-json")),
        (b"{" + b",".join(b'"%x":0' % key for key in range(20_000)) + b"}", "application/json", (400, "invalid-json")),
        (b"{}", "application/json", (422, "invalid-request")),
        (b'{"school":"le-loi","name":"4B","extra":1}', "application/json", (422, "invalid-request")),
        (b'{"school":"le-loi","name":"\\ud800"}', "application/json", (422, "invalid-request")),
        (b'{"school":"le-loi","name":"\\u0000"}', "application/json", (422, "invalid-request")),
        (b"name=4B", "application/x-www-form-urlencoded", (415, "unsupported-media-type")),
        (b" " * 300_000, "application/json", (413, "request-entity-too-large")),
    ],
)
async def test_garbage_is_refused_in_words(
    house: House, body: bytes, content_type: str, expected: tuple[int, str]
) -> None:
    program = await house.program(HOST, Role.TECHNICIAN)
    headers = {"Authorization": f"Bearer {program.token}", "Content-Type": content_type}
    async with program.http.post(f"{house.url}/api/v1/rooms", data=body, headers=headers) as answer:
        problem = await answer.json()
        assert answer.content_type == "application/problem+json"
    assert (answer.status, problem["type"]) == (expected[0], f"/problems/{expected[1]}")


async def test_strangers_send_short_bodies(house: House) -> None:
    visitor = await house.visitor()
    status, problem = await visitor.ask("POST", "/login", {"name": "a", "password": "b" * 20_000})
    assert (status, problem["type"]) == (413, "/problems/request-entity-too-large")


async def test_compressed_bodies_are_refused_everywhere(house: House) -> None:
    visitor = await house.visitor()
    for method, path in (("POST", "/api/v1/login"), ("GET", "/healthz"), ("POST", "/whip/lesson-1"), ("GET", "/")):
        headers = {"Content-Encoding": "deflate"}
        async with visitor.http.request(method, house.url + path, data=b"x\x9c", headers=headers) as answer:
            assert (answer.status, answer.headers["Accept-Encoding"]) == (415, "identity")
            assert "Server" not in answer.headers


async def test_unknown_query_is_refused(house: House) -> None:
    program = await house.program(HOST, Role.TEACHER)
    status, problem = await program.ask("GET", "/rooms?page=2")
    assert (status, problem["errors"]) == (
        422,
        [{"where": "/query/page", "code": "other", "detail": "Extra inputs are not permitted"}],
    )


async def test_edit_needs_the_version_that_it_changes(house: House) -> None:
    program = await house.program(HOST, Role.TECHNICIAN)
    path = f"/rooms/{ROOMS[HOST].id}"
    without = await program.ask("PATCH", path, {"name": "4B"})
    first = await program.ask("PATCH", path, {"name": "4B"}, headers={"If-Match": '"1"'})
    late = await program.ask("PATCH", path, {"name": "4C"}, headers={"If-Match": '"1"'})
    assert (without[0], first[0], first[1]["version"], late[0]) == (428, 200, 2, 412)
    assert late[1]["type"] == "/problems/version-conflict"


async def test_changes_are_in_the_audit_log(house: House) -> None:
    technician = await house.logged_in(HOST, Role.TECHNICIAN)
    _, room = await technician.ask("POST", "/rooms", {"school": HOST, "name": "5B"})
    entry = (await house.store.audit.list(object_kind="room", object_id=str(room["id"])))[0]
    assert technician.account is not None
    assert (entry.actor, entry.action, entry.before, entry.after) == (
        technician.account.id,
        "room.add",
        None,
        {"school": HOST, "name": "5B"},
    )


@asynccontextmanager
async def echoing_node() -> AsyncIterator[str]:
    """A real server that answers as a node does and shows what reached it."""

    async def answer(request: web.Request) -> web.Response:
        body = await request.read()
        seen = {name: request.headers.get(name) for name in ("Authorization", "Cookie", "Content-Type")}
        return web.Response(
            status=201,
            body=body + json.dumps([request.method, request.path, seen]).encode(),
            headers={"Location": f"{request.path}/resource", "ETag": '"1"', "X-Internal": "x"},
            content_type="application/sdp",
        )

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def test_whip_reaches_the_node_byte_for_byte_and_without_our_cookie(tmp_path: Path) -> None:
    async with echoing_node() as node, open_house(tmp_path, media_url=lambda bridge: node) as house:
        visitor = await house.logged_in(HOST, Role.TEACHER)
        headers = {"Authorization": "Bearer token", "Content-Type": "application/sdp"}
        async with visitor.http.post(f"{house.url}/whip/lesson-1", data=b"v=0\r\n", headers=headers) as answer:
            body = await answer.read()
        seen = {"Authorization": "Bearer token", "Cookie": None, "Content-Type": "application/sdp"}
        assert body == b"v=0\r\n" + json.dumps(["POST", "/whip/lesson-1", seen]).encode()
        kept = {name: answer.headers.get(name) for name in ("Location", "ETag", "X-Internal")}
        assert (answer.status, answer.content_type) == (201, "application/sdp")
        assert kept == {"Location": "/whip/lesson-1/resource", "ETag": '"1"', "X-Internal": None}


@pytest.mark.parametrize("node", [None, "http://127.0.0.1:1"])
async def test_whip_while_the_node_is_away_says_when_to_come_back(tmp_path: Path, node: str | None) -> None:
    async with open_house(tmp_path, media_url=lambda bridge: node) as house:
        visitor = await house.visitor()
        async with visitor.http.post(f"{house.url}/whep/lesson-1", data=b"v=0") as answer:
            problem = await answer.json()
        assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
        assert problem["type"] == "/problems/node-away"


async def test_leaving_a_lesson_that_has_ended_is_no_error(tmp_path: Path) -> None:
    async with open_house(tmp_path, media_url=lambda bridge: None) as house:
        visitor = await house.visitor()
        async with visitor.http.delete(f"{house.url}/whep/lesson-1/resource") as answer:
            assert answer.status == 204


@pytest.mark.parametrize("protocol", ["whip", "whep"])
async def test_look_at_a_media_endpoint_is_answered_by_the_node_without_content(tmp_path: Path, protocol: str) -> None:
    async with node_here() as node, open_house(tmp_path, media_url=lambda bridge: node.url) as house:
        await node.open_bridge("lesson-1", ["room-a"])
        visitor = await house.visitor()
        answers = []
        for method in ("GET", "HEAD"):
            for path in ("", "/resource"):
                url = f"{house.url}/{protocol}/lesson-1{path}"
                async with visitor.http.request(method, url) as answer:
                    answers.append((answer.status, answer.headers.get("Content-Type"), await answer.read()))
        head = (200, "application/sdp", b"") if protocol == "whep" else (204, None, b"")
        assert answers == [(204, None, b"")] * 2 + [head] * 2
