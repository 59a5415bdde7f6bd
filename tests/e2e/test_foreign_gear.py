"""Gear that is not ours takes part in a lesson, through the addresses that the controller gives out."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from demo.whip_client import play
from testing.installation import Classroom, House, eventually
from tests.webrtc.encoder import ffmpeg

WITHIN_S = 30.0


@asynccontextmanager
async def paired_display(house: House, classroom: Classroom) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    """A display that is no browser: pairs, keeps its cookie, and listens to what it should do."""
    async with aiohttp.ClientSession(house.url, cookie_jar=aiohttp.CookieJar(unsafe=True)) as http:
        async with http.ws_connect("/api/v1/display/events") as unpaired:
            code = (await message(unpaired, "pairing"))["code"]
            await house.call("POST", f"/rooms/{classroom.room_id}/displays", {"code": code, "name": "Bộ mã hoá"})
            credential = (await message(unpaired, "paired"))["token"]
        async with http.post("/api/v1/display/credential", json={"token": credential}) as response:
            assert response.status == 204
        async with http.ws_connect("/api/v1/display/events") as events:
            yield events


async def message(events: aiohttp.ClientWebSocketResponse, kind: str) -> dict[str, Any]:
    async with asyncio.timeout(WITHIN_S):
        while True:
            received: dict[str, Any] = await events.receive_json()
            if received["type"] == kind:
                return received


async def call(events: aiohttp.ClientWebSocketResponse) -> dict[str, Any]:
    """The call that the display is given."""
    while True:
        found: dict[str, Any] | None = (await message(events, "state"))["call"]
        if found is not None:
            return found


async def test_ffmpeg_publishes_into_a_lesson_and_the_teacher_sees_it(house: House) -> None:
    classroom = house.classrooms[0]
    async with paired_display(house, classroom) as events:
        lesson = await house.plan_lesson(*house.classrooms)
        await house.start_lesson(lesson)
        given = await call(events)
        async with ffmpeg(house.url + given["whip"]["url"], given["whip"]["token"]):
            watch = await house.call("POST", f"/lessons/{lesson}/watch", {"view": "player"}, token=house.teacher_token)
            url, token = house.url + watch["whep"]["url"], watch["whep"]["token"]
            async with play(url, token, video=watch["video"], audio=watch["audio"]) as playing:
                (first, *_) = playing.of_kind("video")
                async with asyncio.timeout(WITHIN_S):
                    while first.frames < 15:
                        await first.next_frame()

            async def seen_and_heard() -> object:
                media = (await house.site(lesson, classroom))["media"]
                return media["video"] and media["audio"]

            await eventually(seen_and_heard)


async def test_a_token_of_another_lesson_or_of_yesterday_opens_nothing(house: House) -> None:
    async with paired_display(house, house.classrooms[0]) as events, aiohttp.ClientSession() as http:
        lesson = await house.plan_lesson(*house.classrooms)
        await house.start_lesson(lesson)
        given = await call(events)
        headers = {"Authorization": f"Bearer {given['whip']['token']}", "Content-Type": "application/sdp"}
        for path, status in (
            ("/whip/another-lesson", 503),  # no node holds it: nothing says whether it exists
            (f"/whep/{lesson}", 403),  # may publish, not play
        ):
            async with http.post(house.url + path, data="v=0\r\n", headers=headers) as response:
                assert response.status == status, await response.text()
        await house.end_lesson(lesson)
        following = await house.plan_lesson(*house.classrooms)
        await house.start_lesson(following)
        await call(events)
        async with http.post(f"{house.url}/whip/{following}", data="v=0\r\n", headers=headers) as response:
            assert response.status == 403, await response.text()
        assert house.controller is not None
        assert given["whip"]["token"] not in house.controller.text()
