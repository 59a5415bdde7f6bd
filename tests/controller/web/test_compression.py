"""What is sent compressed, and what never is: an answer that holds a secret."""

import gzip
from pathlib import Path

import aiohttp
import pytest

from controller.web.compression import takes_gzip
from controller.web.server import ROUTES
from rooms.people.account import Role
from tests.controller.web.house import HOST, House


async def raw(
    house: House, path: str, *, token: str | None = None, accepted: str = "gzip"
) -> tuple[bytes, dict[str, str]]:
    """The body as it came over the wire, and its headers."""
    headers = {"Accept-Encoding": accepted} | ({"Authorization": f"Bearer {token}"} if token else {})
    async with (
        aiohttp.ClientSession(auto_decompress=False) as http,
        http.get(house.url + path, headers=headers) as answer,
    ):
        assert answer.status == 200, await answer.text()
        return await answer.read(), {name.lower(): value for name, value in answer.headers.items()}


async def test_long_json_is_compressed_for_those_who_take_it(house: House) -> None:
    program = await house.program(HOST, Role.TECHNICIAN)
    for number in range(30):
        await program.ask("POST", "/rooms", {"school": HOST, "name": f"Phòng {number}"})
    plain, plain_headers = await raw(house, "/api/v1/rooms", token=program.token, accepted="identity")
    packed, headers = await raw(house, "/api/v1/rooms", token=program.token)
    assert gzip.decompress(packed) == plain
    assert len(packed) < len(plain) / 5
    assert (headers["content-encoding"], headers["vary"]) == ("gzip", "Accept-Encoding")
    assert headers["content-length"] == str(len(packed))
    assert ("content-encoding" in plain_headers, plain_headers["vary"]) == (False, "Accept-Encoding")


async def test_short_json_and_secrets_are_sent_as_they_are(house: House) -> None:
    program = await house.program(HOST, Role.TECHNICIAN)
    for path in ("/api/v1/me", "/api/v1/organisations"):
        _, headers = await raw(house, path, token=program.token)
        assert "content-encoding" not in headers


def test_no_answer_with_a_secret_may_be_compressed() -> None:
    reads = {f"{route.method} {route.path}": route for route in ROUTES if route.method in ("GET", "HEAD")}
    kept = {name for name, route in reads.items() if not route.compressible and route.answer is not None}
    assert "GET /me" in kept
    assert "GET /rooms" not in kept
    changing = [route for route in ROUTES if route.method not in ("GET", "HEAD")]
    assert not any(route.compressible for route in changing)


async def test_document_of_the_api_is_compressed(house: House) -> None:
    packed, headers = await raw(house, "/api/v1/openapi.json")
    assert headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed).startswith(b'{"openapi"')


async def test_app_is_sent_as_its_build_compressed_it(house: House, tmp_path: Path) -> None:
    assets = tmp_path / "dist" / "assets"
    assets.mkdir(parents=True)
    for name, content in {"a.js": b"plain", "a.js.gz": b"as gzip", "a.js.br": b"as brotli"}.items():
        (assets / name).write_bytes(content)
    found = {}
    for accepted in ("gzip, deflate, br", "gzip", "identity"):
        body, headers = await raw(house, "/assets/a.js", accepted=accepted)
        found[accepted] = (body, headers.get("content-encoding"), headers["vary"], headers["content-type"])
    assert found == {
        "gzip, deflate, br": (b"as brotli", "br", "Accept-Encoding", "text/javascript"),
        "gzip": (b"as gzip", "gzip", "Accept-Encoding", "text/javascript"),
        "identity": (b"plain", None, "Accept-Encoding", "text/javascript"),
    }


async def test_unchanged_page_is_not_sent_again(house: House, tmp_path: Path) -> None:
    dist = tmp_path / "dist"
    dist.mkdir()
    (dist / "index.html").write_text("<!doctype html>")
    (dist / "pages.json").write_text('["/"]')
    _, headers = await raw(house, "/")
    async with (
        aiohttp.ClientSession() as http,
        http.get(f"{house.url}/", headers={"If-None-Match": headers["etag"]}) as answer,
    ):
        assert answer.status == 304


@pytest.mark.parametrize(
    ("accepted", "taken"),
    [
        ("gzip, deflate, br", True),
        ("GZIP", True),
        ("*", True),
        ("gzip;q=0.2", True),
        ("gzip;q=0", False),
        ("*;q=0", False),
        ("identity", False),
        ("", False),
        ("gzip;q=zero", False),
        ("x-gzip-like", False),
    ],
)
def test_gzip_is_sent_only_to_those_who_take_it(accepted: str, taken: bool) -> None:
    assert takes_gzip(accepted) is taken
