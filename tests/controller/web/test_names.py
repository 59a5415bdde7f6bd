"""Which names and pages are ours."""

import socket
from datetime import UTC, datetime
from pathlib import Path

import pytest

from controller.certificate import make_certificate
from controller.config.model import HttpConfig, TlsConfig
from controller.web.names import host_of, known_names
from tests.controller.web.house import PASSWORD, open_house
from tests.controller.web.test_login import TEACHER

PUBLIC = "https://nhipcau.truong.edu.vn"
HERE = frozenset({socket.gethostname().lower(), "localhost"})


def test_names_are_those_that_somebody_has_given_us(tmp_path: Path) -> None:
    files = make_certificate(tmp_path, names=["nhipcau.truong.lan", "10.0.0.5"], now=datetime.now(UTC))
    tls = TlsConfig(certificate=files.certificate, key=files.key)
    assert known_names(HttpConfig(tls=tls)) is None
    assert known_names(HttpConfig(public_url=PUBLIC)) == HERE | {"nhipcau.truong.edu.vn"}
    both = HERE | {"nhipcau.truong.edu.vn", "nhipcau.truong.lan"}
    assert known_names(HttpConfig(public_url=f"{PUBLIC}:8443", tls=tls)) == both


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("nhipcau.truong.edu.vn", 200),
        ("NhipCau.truong.edu.vn:8443", 200),
        ("nhipcau.truong.edu.vn.", 200),
        ("a.wild.edu.vn", 200),
        ("localhost:8080", 200),
        ("192.168.1.10", 200),
        ("[2001:db8::1]:8080", 200),
        ("evil.example", 421),
        ("nhipcau.truong.edu.vn.evil.example", 421),
        ("b.a.wild.edu.vn", 421),
        ("", 421),
        ("[::1", 421),
    ],
)
@pytest.mark.parametrize("path", ["/healthz", "/api/v1/setup/check", "/login"])
async def test_a_strangers_name_reaches_nothing(tmp_path: Path, host: str, status: int, path: str) -> None:
    names = frozenset({"nhipcau.truong.edu.vn", "*.wild.edu.vn", "localhost"})
    async with open_house(tmp_path, names=names, empty=True) as house:
        visitor = await house.visitor()
        async with visitor.http.get(house.url + path, headers={"Host": host}) as answer:
            assert (answer.status == 421) is (status == 421)


@pytest.mark.parametrize(
    ("host", "origin", "secure", "status"),
    [
        ("ours.example", "http://ours.example", False, 401),
        ("ours.example:8080", "http://ours.example:8080", False, 401),
        ("ours.example", "https://ours.example", False, 401),  # TLS ends at a proxy
        ("ours.example", "https://OURS.example", True, 401),
        ("ours.example", "http://ours.example", True, 403),  # anybody on its way may have written that page
        ("127.0.0.1:8080", "http://127.0.0.1:8080", True, 401),
        ("ours.example", "http://ours.example:81", False, 403),
        ("ours.example", "https://evil.example", False, 403),
        ("ours.example", "null", False, 403),
        ("ours.example", "ftp://ours.example", False, 403),
        ("ours.example", "http://[", False, 403),
    ],
)
async def test_a_page_is_ours_by_its_scheme_too(
    tmp_path: Path, host: str, origin: str, secure: bool, status: int
) -> None:
    async with open_house(tmp_path, secure=secure, empty=True) as house:
        visitor = await house.visitor()
        login = {"name": TEACHER, "password": PASSWORD}
        assert (await visitor.ask("POST", "/login", login, headers={"Host": host, "Origin": origin}))[0] == status


def test_host_is_read_without_its_port() -> None:
    assert [host_of(each) for each in ("A.b:80", "a.b.", "[::1]:80", "1.2.3.4", "", "a b", "[", "a@b:9")] == [
        *("a.b", "a.b", "::1", "1.2.3.4", "", "a b", "", "b"),
    ]
