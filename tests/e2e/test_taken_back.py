"""Who has logged out does not go on watching: the whole program, as a page with the view's old token tries it."""

import asyncio
from typing import Any

import aiohttp

from testing.installation import PASSWORD, House


async def test_the_token_of_a_view_ends_with_the_login(shared: House) -> None:
    rooms = [await shared.add_classroom(each, devices=False) for each in ("truong-a", "truong-b")]
    lesson = await shared.plan_lesson(*rooms)
    await shared.start_lesson(lesson)
    async with aiohttp.ClientSession(f"{shared.url}/", cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser:
        login = await asked(browser, "/api/v1/login", {"name": "teacher-truong-a", "password": PASSWORD})
        csrf = {"X-CSRF-Token": login["csrf"]}
        view = (await asked(browser, f"/api/v1/lessons/{lesson}/watch", {"view": "tab"}, csrf))["whep"]
        assert await coming(browser, view) == 400  # that is no offer; the token is good
        async with browser.post("/api/v1/logout", headers=csrf) as answer:
            assert answer.status == 204
        async with asyncio.timeout(20):
            while await coming(browser, view) != 401:
                pass


async def asked(
    browser: aiohttp.ClientSession, path: str, body: object, headers: dict[str, str] | None = None
) -> dict[str, Any]:
    async with browser.post(path, json=body, headers=headers) as answer:
        assert answer.status == 200, await answer.text()
        found: dict[str, Any] = await answer.json()
        return found


async def coming(browser: aiohttp.ClientSession, view: dict[str, str]) -> int:
    headers = {"Authorization": f"Bearer {view['token']}", "Content-Type": "application/sdp"}
    async with browser.post(view["url"], data="no offer", headers=headers) as answer:
        return answer.status
