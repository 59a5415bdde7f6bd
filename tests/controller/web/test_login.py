"""Logging in and out over HTTP."""

import asyncio
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest
from yarl import URL

from rooms.people.account import Role
from tests.controller.web.house import HOST, PASSWORD, House, open_house

TEACHER = f"teacher.{HOST}"


async def test_login_gives_me_and_a_cookie_that_no_script_reads(house: House) -> None:
    visitor = await house.visitor()
    async with visitor.http.post(f"{house.url}/api/v1/login", json={"name": TEACHER, "password": PASSWORD}) as answer:
        body = await answer.json()
        cookie = answer.headers["Set-Cookie"]
    account = house.accounts[HOST, Role.TEACHER]
    assert body == {
        "account": {"id": account.id, "name": TEACHER, "display_name": f"teacher {HOST}", "language": "vi"},
        "roles": [{"role": "teacher", "organisation": {"id": HOST, "name": "Trường Tiểu học Nguyễn Viết Xuân"}}],
        "operator": False,
        "administers": False,
        "own_password_needed": False,
        "csrf": body["csrf"],
        "timezone": "Asia/Ho_Chi_Minh",
    }
    flags = {part.strip().split("=")[0] for part in cookie.split(";")[1:]}
    assert flags == {"HttpOnly", "Max-Age", "Path", "SameSite"}
    assert "SameSite=Lax" in cookie
    assert (await visitor.ask("GET", "/me"))[1] == body


async def test_cookie_is_secure_under_tls(tmp_path: Path) -> None:
    async with open_house(tmp_path, secure=True) as house:
        visitor = await house.visitor()
        async with visitor.http.post(
            f"{house.url}/api/v1/login", json={"name": TEACHER, "password": PASSWORD}
        ) as answer:
            assert "Secure" in answer.headers["Set-Cookie"]
            assert "Strict-Transport-Security" in answer.headers


async def test_wrong_name_and_wrong_password_are_answered_alike(house: House) -> None:
    visitor = await house.visitor()
    wrong_name = await visitor.ask("POST", "/login", {"name": "nobody", "password": PASSWORD})
    wrong_password = await visitor.ask("POST", "/login", {"name": TEACHER, "password": "wrong"})
    assert wrong_name == wrong_password
    assert wrong_name[0] == 401
    assert wrong_name[1]["type"] == "/problems/login-failed"


async def test_guesses_are_throttled_where_they_come_from_and_that_ends(house: House) -> None:
    visitor = await house.visitor()
    statuses = [await visitor.log_in(TEACHER, "wrong") for _ in range(6)]
    assert statuses == [401, 401, 401, 401, 401, 429]
    async with visitor.http.post(f"{house.url}/api/v1/login", json={"name": TEACHER, "password": PASSWORD}) as answer:
        assert answer.status == 429
        assert 28 <= int(answer.headers["Retry-After"]) <= 30
    house.clock.move(timedelta(seconds=31))
    assert await visitor.log_in(TEACHER) == 200


async def test_a_browser_that_was_logged_in_is_not_locked_out_by_its_neighbours(house: House) -> None:
    """One address for a whole school: one of its PCs guesses, the teacher's own is let in."""
    teacher, pupil = await house.logged_in(HOST, Role.TEACHER), await house.visitor()
    statuses = [await pupil.log_in(TEACHER, "wrong") for _ in range(6)]
    assert statuses == [401, 401, 401, 401, 401, 429]
    assert await teacher.ask("POST", "/logout") == (204, {})
    assert await teacher.log_in(TEACHER) == 200
    assert await pupil.log_in(TEACHER) == 429


async def test_cookies_bear_names_that_other_origins_cannot_set_under_tls(tmp_path: Path) -> None:
    async with open_house(tmp_path, secure=True) as house:
        visitor = await house.visitor()
        login = {"name": TEACHER, "password": PASSWORD}
        async with visitor.http.post(f"{house.url}/api/v1/login", json=login) as answer:
            cookies = answer.headers.getall("Set-Cookie")
        secret = cookies[0].partition(";")[0]
        assert [each.partition("=")[0] for each in cookies] == ["__Host-nhipcau_login", "__Host-nhipcau_browser"]
        assert all({"Path=/", "Secure", "HttpOnly"} <= {*each.split("; ")} for each in cookies)
        assert (await visitor.ask("GET", "/me", headers={"Cookie": secret}))[0] == 200
        assert (await visitor.ask("GET", "/me", headers={"Cookie": secret.removeprefix("__Host-")}))[0] == 401


async def test_login_changes_the_secret_and_ends_the_old_one(house: House) -> None:
    visitor = await house.logged_in(HOST, Role.TEACHER)
    old = {cookie.key: cookie.value for cookie in visitor.http.cookie_jar}
    assert await visitor.log_in(TEACHER) == 200
    new = {cookie.key: cookie.value for cookie in visitor.http.cookie_jar}
    assert old != new
    async with aiohttp.ClientSession(cookies=old, cookie_jar=aiohttp.CookieJar(unsafe=True)) as thief:
        async with thief.get(f"{house.url}/api/v1/me") as answer:
            assert answer.status == 401


async def test_logout_ends_the_login_on_our_side(house: House) -> None:
    visitor = await house.logged_in(HOST, Role.TEACHER)
    kept = {cookie.key: cookie.value for cookie in visitor.http.cookie_jar}
    assert await visitor.ask("POST", "/logout") == (204, {})
    async with aiohttp.ClientSession(cookies=kept, cookie_jar=aiohttp.CookieJar(unsafe=True)) as thief:
        async with thief.get(f"{house.url}/api/v1/me") as answer:
            assert answer.status == 401


async def test_login_expires(house: House) -> None:
    visitor = await house.logged_in(HOST, Role.TEACHER)
    house.clock.move(timedelta(hours=12))
    status, problem = await visitor.ask("GET", "/me")
    assert (status, problem["type"]) == (401, "/problems/not-logged-in")


@pytest.mark.parametrize("csrf", [None, "", "wrong", "é"])
async def test_change_with_a_cookie_needs_the_csrf_token(house: House, csrf: str | None) -> None:
    visitor = await house.logged_in(HOST, Role.TECHNICIAN)
    visitor.csrf = csrf
    status, problem = await visitor.ask("POST", "/rooms", {"school": HOST, "name": "5B"})
    assert (status, problem["type"]) == (403, "/problems/csrf-refused")
    assert [room.name for room in await house.store.rooms.list([HOST])] == ["4A"]


@pytest.mark.parametrize(
    "header", ["Authorization: Bearer \udcff", "Cookie: nhipcau_login=\udcff", "Cookie: nhipcau_browser=\udcff.a.b"]
)
async def test_secret_that_is_no_text_is_wrong_as_any_other(house: House, header: str) -> None:
    url = URL(house.url)
    async with asyncio.timeout(10):
        reader, writer = await asyncio.open_connection(url.host, url.port)
        request = f"GET /api/v1/me HTTP/1.1\r\nHost: {url.authority}\r\n{header}\r\n\r\n"
        writer.write(request.encode(errors="surrogateescape"))
        assert (await reader.readline()).startswith(b"HTTP/1.1 401")
        writer.close()


async def test_change_from_another_sites_page_is_refused(house: House) -> None:
    visitor = await house.visitor()
    login = {"name": TEACHER, "password": PASSWORD}
    status, problem = await visitor.ask("POST", "/login", login, headers={"Origin": "https://evil.example"})
    assert (status, problem["type"]) == (403, "/problems/origin-refused")
    assert (await visitor.ask("POST", "/login", login, headers={"Origin": house.url}))[0] == 200


async def test_api_token_has_the_rights_of_its_account_and_needs_no_csrf_token(house: House) -> None:
    program = await house.program(HOST, Role.TECHNICIAN)
    status, room = await program.ask("POST", "/rooms", {"school": HOST, "name": "5B"})
    assert (status, room["name"]) == (201, "5B")
    program.token = f"{program.token}x"
    assert (await program.ask("GET", "/rooms"))[0] == 401


async def test_one_time_link_logs_in_once(house: House) -> None:
    teacher = house.accounts[HOST, Role.TEACHER]
    secret = await house.people.links.login_secret(teacher.id, life=timedelta(hours=1))
    visitor = await house.visitor()
    status, me = await visitor.ask("POST", "/login/link", {"token": secret})
    assert status == 200
    assert me["account"] == {
        "id": teacher.id,
        "name": teacher.name,
        "display_name": teacher.display_name,
        "language": "vi",
    }
    status, problem = await visitor.ask("POST", "/login/link", {"token": secret})
    assert (status, problem["type"]) == (404, "/problems/link-not-found")


async def test_reusable_link_logs_in_until_it_expires(house: House) -> None:
    teacher = house.accounts[HOST, Role.TEACHER]
    secret = await house.people.links.login_secret(teacher.id, life=timedelta(hours=1), reusable=True)
    visitor = await house.visitor()
    statuses = [(await visitor.ask("POST", "/login/link", {"token": secret}))[0] for _ in range(3)]
    house.clock.move(timedelta(hours=1))
    statuses.append((await visitor.ask("POST", "/login/link", {"token": secret}))[0])
    assert statuses == [200, 200, 200, 404]
