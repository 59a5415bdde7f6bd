"""Simulated classrooms: displays that speak only what a room's browser speaks (`docs/signaling.md`).

Each pairs itself with a technician's API token, waits on its WebSocket, and joins and leaves as it is told.
"""

import argparse
import asyncio
import logging
from contextlib import AsyncExitStack, suppress
from pathlib import Path

import aiohttp
from pydantic import BaseModel, ValidationError

from demo.cast import Classroom, Classrooms
from demo.picture import LabelledPicture, Tone
from demo.whip_client import SignallingFailed, Slot, play, publish

logger = logging.getLogger(__name__)

REPORT_EVERY_S = 2.0
SILENCE_S = 5.0
RETRY_S = 0.5
DISPLAY_NAME = "Màn hình mô phỏng"


class Grant(BaseModel):
    url: str
    token: str


class Call(BaseModel):
    """What of a call a display needs in order to join."""

    lesson: str
    epoch: str
    whip: Grant
    whep: Grant
    video: int
    audio: int


class Message(BaseModel):
    """What of the server's messages matters here."""

    type: str
    code: str = ""
    token: str = ""


class State(Message):
    call: Call | None


class SimulatedDisplay:
    """One room's display. `run()` until cancelled; whatever happens, it comes back."""

    def __init__(self, base_url: str, classroom: Classroom) -> None:
        self._base_url = base_url
        self._classroom = classroom
        self._told: Call | None = None
        self._call: tuple[str, str] | None = None
        self._joined: asyncio.Task[None] | None = None
        self._slots: tuple[Slot, ...] = ()

    async def run(self) -> None:
        async with aiohttp.ClientSession(self._base_url, cookie_jar=aiohttp.CookieJar(unsafe=True)) as http:
            await self._forget_earlier_ones()
            try:
                while True:
                    with suppress(aiohttp.ClientError, TimeoutError, ValidationError):
                        await self._follow(http)
                    await asyncio.sleep(RETRY_S)
            finally:
                await self._leave()

    async def _follow(self, http: aiohttp.ClientSession) -> None:
        """One WebSocket's life."""
        async with http.ws_connect("/api/v1/display/events", headers={"Origin": self._base_url}) as events:
            async with asyncio.TaskGroup() as tasks:
                reports = tasks.create_task(self._report(events), name="reports")
                while True:
                    received = await events.receive(timeout=SILENCE_S)
                    if received.type is not aiohttp.WSMsgType.TEXT:
                        break
                    message = Message.model_validate_json(received.data)
                    if message.type == "pairing":
                        await self._pair(message.code)
                    elif message.type == "paired":
                        await self._keep_credential(http, message.token)
                        break
                    elif message.type == "state":
                        self._told = State.model_validate_json(received.data).call
                        await self._obey(self._told)
                    elif message.type == "call":
                        await self._obey(self._told)
                reports.cancel()

    async def _pair(self, code: str) -> None:
        body = {"code": code, "name": DISPLAY_NAME}
        await self._as_technician("POST", f"/api/v1/rooms/{self._classroom.room_id}/displays", body)

    async def _keep_credential(self, http: aiohttp.ClientSession, token: str) -> None:
        async with http.post("/api/v1/display/credential", json={"token": token}) as response:
            response.raise_for_status()

    async def _forget_earlier_ones(self) -> None:
        room = await self._as_technician("GET", f"/api/v1/rooms/{self._classroom.room_id}")
        for display in room["displays"]:
            if display["name"] == DISPLAY_NAME:
                await self._as_technician("DELETE", f"/api/v1/displays/{display['id']}")

    async def _as_technician(self, method: str, path: str, body: object = None) -> dict[str, list[dict[str, str]]]:
        headers = {"Authorization": f"Bearer {self._classroom.token}"}
        async with (
            aiohttp.ClientSession(self._base_url, headers=headers) as http,
            http.request(method, path, json=body) as response,
        ):
            response.raise_for_status()
            answer: dict[str, list[dict[str, str]]] = await response.json() if response.status != 204 else {}
            return answer

    async def _obey(self, call: Call | None) -> None:
        wanted = (call.lesson, call.epoch) if call else None
        if wanted == self._call and not (self._joined and self._joined.done()):
            return
        await self._leave()
        self._call = wanted
        if call is not None:
            self._joined = asyncio.create_task(self._join(call), name=f"call of room {self._classroom.room_id}")

    async def _leave(self) -> None:
        if self._joined is not None:
            self._joined.cancel()
            await asyncio.wait([self._joined])
        self._joined, self._slots, self._call = None, (), None

    async def _join(self, call: Call) -> None:
        """Be in the call until cancelled, or until joining fails: the next state tries again."""
        picture = LabelledPicture(self._classroom.lines, self._classroom.colour)
        tone = Tone(self._classroom.hertz)
        try:
            async with AsyncExitStack() as stack:
                whip, whep = self._base_url + call.whip.url, self._base_url + call.whep.url
                await stack.enter_async_context(publish(whip, call.whip.token, [picture, tone]))
                playing = await stack.enter_async_context(
                    play(whep, call.whep.token, video=call.video, audio=call.audio)
                )
                self._slots = playing.slots
                await asyncio.Event().wait()
        except SignallingFailed as error:
            logger.warning("room %s: could not join: %s", self._classroom.room_id, error)

    async def _report(self, events: aiohttp.ClientWebSocketResponse) -> None:
        while True:
            videos = [slot for slot in self._slots if slot.kind == "video"]
            joined = self._joined is not None and not self._joined.done()
            with suppress(ConnectionError):
                await events.send_json(
                    {
                        "type": "report",
                        "joined": joined and bool(self._slots),
                        "camera": "ok",
                        "publishing": joined,
                        "playing": sum(1 for slot in videos if slot.frames),
                        "frames_decoded": sum(slot.frames for slot in videos),
                        "audio_energy": 0.0,
                        "weak": False,
                    }
                )
            await asyncio.sleep(REPORT_EVERY_S)


async def run_classrooms(base_url: str, classrooms: list[Classroom]) -> None:
    """All of them until cancelled."""
    async with asyncio.TaskGroup() as tasks:
        for classroom in classrooms:
            display = SimulatedDisplay(base_url, classroom)
            tasks.create_task(display.run(), name=f"simulated display of room {classroom.room_id}")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m demo.classroom", description=__doc__)
    parser.add_argument("file", type=Path, help="a JSON file with url and classrooms")
    settings = Classrooms.model_validate_json(parser.parse_args().file.read_bytes())
    logging.basicConfig(level=logging.WARNING)
    with suppress(KeyboardInterrupt):
        asyncio.run(run_classrooms(settings.url, settings.classrooms))


if __name__ == "__main__":
    main()
