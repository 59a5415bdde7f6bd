"""A whole house for end-to-end tests and benchmarks, set up through the interfaces that technicians and teachers use:

a controller process with its broker, node and database, two schools with simulated devices, and people.
"""

import asyncio
import json
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp

ROOT = Path(__file__).resolve().parent.parent
STARTING_S = 60.0
SPEEDS = ("--warm-up-s", "2", "--cool-down-s", "0.5", "--travel-s", "0.5", "--camera-move-s", "0.2")
"""Simulated devices that need not be waited for; `make run` has those of life: a projector warms up for 20 s."""
JsonObject = dict[str, Any]  # the edge of the tests: answers as they came
PASSWORD = "mot-mat-khau-dai"


@dataclass(frozen=True, slots=True, kw_only=True)
class Classroom:
    """One room of one school in the house."""

    school: str
    room_id: str
    hint: str  # the room's name in MQTT topics


@dataclass(slots=True)
class Process:
    """A child of the test, its output kept in a file."""

    name: str
    child: asyncio.subprocess.Process
    output: Path

    def text(self) -> str:
        return self.output.read_text(errors="replace")

    async def stop(self) -> None:
        if self.child.returncode is None:
            with suppress(ProcessLookupError):
                self.child.terminate()
            try:
                async with asyncio.timeout(15):
                    await self.child.wait()
            except TimeoutError:
                self.child.kill()
                await self.child.wait()


async def eventually(ask: Callable[[], Awaitable[object]], *, within_s: float = 20.0, every_s: float = 0.1) -> None:
    """Return once `ask` gives something true. Raises `TimeoutError`."""
    async with asyncio.timeout(within_s):
        while not await ask():  # noqa: ASYNC110  # asked over HTTP as a client would: there is no event to wait for
            await asyncio.sleep(every_s)


@dataclass(slots=True)
class House:
    """`async with House(tmp_path) as house:`; everything it started is gone at the end."""

    directory: Path
    host: str = "127.0.0.1"  # where the controller listens
    bridge_config: str = ""  # more lines of the configuration's section `bridge`
    url: str = ""
    nodes: int = 1  # bridge nodes on this machine
    classrooms: list[Classroom] = field(default_factory=list)
    controller: Process | None = None
    before_setup: Callable[[str], Awaitable[None]] | None = None  # is given the link for the first administrator
    token: str = ""  # the administrator's of both schools
    teacher_token: str = ""  # of the host school
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))  # of rooms
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    _started: list[Process] = field(default_factory=list)
    _http: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self.directory.mkdir(parents=True, exist_ok=True)
        self._http = await self._stack.enter_async_context(aiohttp.ClientSession())
        self._write_config(http_port=0)
        try:
            await self.start_controller()
            await self._settle_in()
        except BaseException:
            await self._leave()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._leave()

    async def _leave(self) -> None:
        for process in reversed(self._started):
            await process.stop()
        self._end_orphans()
        await self._stack.aclose()

    # --- processes ---

    async def start_controller(self) -> None:
        """Start it, on the port it had before; returns once it serves."""
        self.controller = await self.start("controller", "-m", "controller", "run", "--config", self.config_file)
        found = await self._line(self.controller, r"Nhịp Cầu: (http://\S+)")
        self.url = found.group(1)
        self._write_config(http_port=int(self.url.rsplit(":", 1)[1]))

    async def start(self, name: str, *arguments: object, environment: dict[str, str] | None = None) -> Process:
        output = self.directory / f"{name}.log"
        with output.open("ab") as log:
            child = await asyncio.create_subprocess_exec(
                sys.executable,
                *(str(each) for each in arguments),
                stdout=log,
                stderr=log,
                cwd=ROOT,
                env={**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONPATH": str(ROOT), **(environment or {})},
            )
        process = Process(name, child, output)
        self._started.append(process)
        return process

    async def kill_controller(self) -> None:
        """SIGKILL: no clean-up, its children stay."""
        assert self.controller is not None
        self.controller.child.kill()
        await self.controller.child.wait()
        self.controller.output.write_text("")

    def child_pid(self, name: str) -> int:
        """The process that the controller started as `name`, by its state file."""
        (state,) = self.directory.glob(f"data/**/{name}.state")
        pid: int = json.loads(state.read_text())["process"]["pid"]
        return pid

    def kill_child(self, name: str) -> None:
        os.kill(self.child_pid(name), signal.SIGKILL)

    def _end_orphans(self) -> None:
        for state in self.directory.glob("data/**/*.state"):
            with suppress(ProcessLookupError):
                os.kill(json.loads(state.read_text())["process"]["pid"], signal.SIGKILL)

    async def _line(self, process: Process, pattern: str) -> re.Match[str]:
        async with asyncio.timeout(STARTING_S):
            while not (found := re.search(pattern, process.text())):
                if process.child.returncode is not None:
                    raise RuntimeError(f"{process.name} ended with {process.child.returncode}:\n{process.text()}")
                await asyncio.sleep(0.05)
        return found

    # --- configuration ---

    @property
    def config_file(self) -> Path:
        return self.directory / "config.yaml"

    def _write_config(self, *, http_port: int) -> None:
        self.config_file.write_text(
            f"""\
data_dir: data
http:
  listen: {self.host}:{http_port}
mqtt:
  broker: embedded
  embedded:
    listen: auto
bridge:
  nodes: local
  local:
    count: {self.nodes}
    udp_listen: 0.0.0.0:0
{self.bridge_config}
logging:
  level: info
"""
        )

    # --- the HTTP API ---

    async def call(
        self, method: str, path: str, body: object = None, *, token: str | None = None, if_match: int | None = None
    ) -> JsonObject:
        """A request with the administrator's token; its JSON. Raises `AssertionError` with the problem."""
        assert self._http is not None
        headers = {"Authorization": f"Bearer {token or self.token}"}
        if if_match is not None:
            headers["If-Match"] = f'"{if_match}"'
        async with self._http.request(method, f"{self.url}/api/v1{path}", json=body, headers=headers) as response:
            text = await response.text()
            assert response.status < 400, f"{method} {path}: {response.status} {text}"
            answer: JsonObject = json.loads(text) if text else {}
            return answer

    async def _settle_in(self) -> None:
        assert self._http is not None
        assert self.controller is not None
        found = await self._line(self.controller, r"First administrator: the link, good once, is in (.+)\n")
        link = _link_in(Path(found.group(1)))
        if self.before_setup is not None:
            await self.before_setup(link)
        body = {
            "token": link.partition("#token=")[2],
            "name": "quan-tri",
            "display_name": "Quản trị",
            "password": PASSWORD,
            "organisation": {"id": "truong-a", "name": "Trường A", "province": "Thái Nguyên"},
        }
        async with self._http.post(f"{self.url}/api/v1/setup", json=body) as response:
            assert response.status == 201, await response.text()
        self.token = await self._new_token("quan-tri")
        await self.call("POST", "/organisations", {"id": "truong-b", "name": "Trường B", "province": "Nghệ An"})
        for school in ("truong-a", "truong-b"):
            for role in ("technician", "teacher"):
                await self._add_account(f"{role}-{school}", role, school)
        self.teacher_token = await self._new_token("teacher-truong-a")

    async def _add_account(self, name: str, role: str, school: str) -> None:
        """Somebody who has chosen the own password."""
        assert self._http is not None
        body = {"name": name, "display_name": name, "role": role, "organisation": school}
        given = (await self.call("POST", "/accounts", body))["password"]
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser:
            async with browser.post(f"{self.url}/api/v1/login", json={"name": name, "password": given}) as response:
                csrf = (await response.json())["csrf"]
            own = browser.put(
                f"{self.url}/api/v1/me/password", json={"password": PASSWORD}, headers={"X-CSRF-Token": csrf}
            )
            async with own as response:
                assert response.status == 204, await response.text()

    async def _new_token(self, account: str) -> str:
        command = (sys.executable, "-m", "controller", "token", "create", account, "--config", str(self.config_file))
        child = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, cwd=ROOT)
        output, _ = await child.communicate()
        assert child.returncode == 0
        return output.decode().split()[-1]

    # --- schools ---

    async def add_classroom(self, school: str, hint: str = "", *, devices: bool = True) -> Classroom:
        """A room with simulated devices, claimed, with its suggested scenes. `hint`: p1, p2 … where none is given."""
        hint = hint or f"p{next(self._numbers)}"
        room = await self.call("POST", "/rooms", {"school": school, "name": f"Phòng {hint}"})
        classroom = Classroom(school=school, room_id=room["id"], hint=hint)
        self.classrooms.append(classroom)
        if devices:
            await self.start_devices(classroom)
            await self.claim_all(classroom)
            await self.call("POST", f"/rooms/{classroom.room_id}/scenes/suggest")
        return classroom

    async def start_devices(self, classroom: Classroom, *options: str) -> Process:
        login = await self.call("POST", f"/schools/{classroom.school}/mqtt-password")
        password_file = self.directory / f"{classroom.school}.mqtt"
        password_file.write_text(login["password"])
        return await self.start(
            f"devices-{classroom.school}-{classroom.hint}",
            *("-m", "demo.simulated", "--broker", f"mqtt://127.0.0.1:{self.mqtt_port}"),
            *("--username", login["username"], "--password-file", password_file),
            *("--school", classroom.school, "--room", classroom.hint, *SPEEDS, *options),
        )

    @property
    def mqtt_port(self) -> int:
        (state,) = self.directory.glob("data/broker/*.state")
        address: str = json.loads(state.read_text())["data"]["address"]
        return int(address.rsplit(":", 1)[1])

    async def claim_all(self, classroom: Classroom, *, count: int = 7) -> None:
        async def found() -> bool:
            answer = await self.call("GET", f"/devices?school={classroom.school}&claimed=false")
            return len(answer["devices"]) >= count

        await eventually(found)
        answer = await self.call("GET", f"/devices?school={classroom.school}&claimed=false")
        for device in answer["devices"]:
            await self.call("POST", f"/devices/{device['id']}/claim", {"room": classroom.room_id})

    async def holder(self) -> str:
        """The node that the only live lesson is on; "" while it is on none, or on two."""
        nodes = (await self.call("GET", "/nodes"))["nodes"]
        holders = [node["name"] for node in nodes if node["lessons"]]
        return holders[0] if len(holders) == 1 else ""

    async def plan_lesson(self, *classrooms: Classroom, answered: bool = True) -> str:
        """A linked lesson now, hosted by the first classroom's school, accepted by all if it is `answered`."""
        now = datetime.now(UTC)
        body = {
            "title": "Nhịp cầu hai trường",
            "subject": "Tiếng Việt",
            "kind": "lesson",
            "host": classrooms[0].school,
            "start": (now - timedelta(minutes=1)).isoformat(),
            "end": (now + timedelta(minutes=45)).isoformat(),
            "rooms": [classroom.room_id for classroom in classrooms],
        }
        lesson = await self.call("POST", "/lessons", body)
        for classroom in classrooms[1:]:
            if answered and classroom.school != classrooms[0].school:
                await self.call("POST", f"/lessons/{lesson['id']}/sites/{classroom.room_id}/accept")
        lesson_id: str = lesson["id"]
        return lesson_id

    async def start_lesson(self, lesson_id: str) -> None:
        await self.call("POST", f"/lessons/{lesson_id}/start", token=self.teacher_token)

    async def end_lesson(self, lesson_id: str) -> None:
        await self.call("POST", f"/lessons/{lesson_id}/end", token=self.teacher_token)

    async def clear(self) -> None:
        """Leave no lesson that is live or planned, and no display: the next test finds its own alone."""
        for lesson in (await self.call("GET", "/lessons"))["lessons"]:
            if lesson["state"] == "live":
                await self.end_lesson(lesson["id"])
            elif lesson["state"] == "scheduled":
                await self.call("DELETE", f"/lessons/{lesson['id']}")
        for room in (await self.call("GET", "/rooms"))["rooms"]:
            for display in room["displays"]:
                await self.call("DELETE", f"/displays/{display['id']}")

    async def steps_settled(self, lesson_id: str, classroom: Classroom, *, within_s: float = 30.0) -> dict[str, str]:
        """Step id -> state, once all steps of the classroom have settled."""

        async def settled() -> bool:
            steps = (await self.site(lesson_id, classroom))["devices"]["steps"]
            return bool(steps) and all(step["state"] not in ("waiting", "running") for step in steps)

        await eventually(settled, within_s=within_s)
        steps = (await self.site(lesson_id, classroom))["devices"]["steps"]
        return {step["id"].rsplit("-", 1)[0] + " " + step["device"]["type"]: step["state"] for step in steps}

    async def site(self, lesson_id: str, classroom: Classroom) -> JsonObject:
        lesson = await self.call("GET", f"/lessons/{lesson_id}")
        site: JsonObject = next(each for each in lesson["sites"] if each["room"]["id"] == classroom.room_id)
        return site


def _link_in(file: Path) -> str:
    """The first administrator's."""
    return file.read_text().strip()


@asynccontextmanager
async def two_classrooms(directory: Path, host: str = "127.0.0.1", bridge_config: str = "") -> AsyncIterator[House]:
    """A house with a room at each of two schools."""
    async with House(directory, host, bridge_config) as house:
        await house.add_classroom("truong-a")
        await house.add_classroom("truong-b")
        yield house
