"""The whole program: on a full disk, out of descriptors, beside another one, with damaged files."""

import asyncio
import json
import os
import resource
import signal
import socket
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import psycopg
import pytest

from controller.clock import machine as machine_clock
from store.leadership import leadership
from testing.postgres import PostgresServer
from tests.controller.test_main import CONFIG, WITHIN_S, said, start
from tests.filesystem import small_disk

READY = {"database": True, "database_writes": True, "files": True, "mqtt": True, "bridge": True, "clock": True}


@dataclass
class Running:
    """`log`: what it has written to standard error until now."""

    process: asyncio.subprocess.Process
    url: str
    data: Path
    log: bytearray

    async def ready(self) -> tuple[int, dict[str, object]]:
        """/readyz, on a connection of its own."""
        async with aiohttp.ClientSession() as http:
            return await self.ready_by(http)

    async def ready_by(self, http: aiohttp.ClientSession) -> tuple[int, dict[str, object]]:
        async with http.get(f"{self.url}/readyz") as answer:
            return answer.status, await answer.json()

    async def until_ready(self, wanted: Callable[[dict[str, object]], bool]) -> None:
        async with asyncio.timeout(WITHIN_S):
            while not wanted((await self.ready())[1]):  # noqa: ASYNC110  # it tells nobody
                await asyncio.sleep(0.2)

    async def until_parts(self, parts: dict[str, bool]) -> None:
        await self.until_ready(lambda answer: answer["parts"] == parts)

    def child(self, name: str) -> int:
        """Its process, by the record that the next controller would read."""
        return int(json.loads((self.data / name).read_text())["process"]["pid"])


@asynccontextmanager
async def program(directory: Path, *, ends_with: int | None = 0, port: int = 0) -> AsyncIterator[Running]:
    """`ends_with`: its exit code; None: the test has ended it. `port`: where it serves, if it says nothing yet."""
    process = await start(directory, "run")
    assert process.stdout is not None
    assert process.stderr is not None
    log = bytearray()

    async def read(stream: asyncio.StreamReader) -> None:
        while line := await stream.read(1 << 16):
            log.extend(line)

    reading = asyncio.create_task(read(process.stderr))
    try:
        url = f"http://127.0.0.1:{port}"
        if not port:
            async with asyncio.timeout(WITHIN_S):
                url = (await process.stdout.readline()).decode().split()[-1]
        yield Running(process, url, directory / "data", log)
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(WITHIN_S):
            await process.wait()
            await reading
    assert ends_with is None or process.returncode == ends_with, log.decode()


async def test_full_disk_and_a_dead_node_end_nothing_and_readyz_says_so(tmp_path: Path) -> None:
    with small_disk(tmp_path) as disk:
        (disk.path / "config.yaml").write_text(CONFIG)
        async with program(disk.path) as running:
            await running.until_parts(READY)
            with disk.full(running.process.pid):
                node = running.child("bridge/bridge-0.state")
                os.kill(node, signal.SIGKILL)
                await running.until_parts({**READY, "database_writes": False, "files": False})
                assert running.process.returncode is None
            await running.until_parts(READY)
            assert b"Traceback" not in running.log


async def test_connections_leave_descriptors_to_the_database_and_the_children(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(CONFIG)
    async with program(tmp_path) as running, aiohttp.ClientSession() as http:
        await running.until_parts(READY)
        resource.prlimit(running.process.pid, resource.RLIMIT_NOFILE, (256, 256))
        address = running.url.removeprefix("http://").split(":")
        with ExitStack() as stack:
            status, _ = await running.ready_by(http)  # this connection is kept
            for _ in range(400):
                strange = stack.enter_context(socket.create_connection((address[0], int(address[1])), timeout=10))
                strange.sendall(b"G")
            os.kill(running.child("bridge/bridge-0.state"), signal.SIGKILL)
            async with asyncio.timeout(WITHIN_S):
                parts: object = None
                while parts != READY:
                    await asyncio.sleep(0.2)
                    status, answer = await running.ready_by(http)
                    parts = answer["parts"]
            assert status == 200
        assert b"file descriptors run out" in running.log
        assert len(running.log) < 20_000
        assert b"Traceback" not in running.log


async def test_second_controller_on_one_postgresql_stands_by_and_takes_over(
    tmp_path: Path, postgres: PostgresServer
) -> None:
    with postgres.database() as url:
        ports = [_free_port() for _ in range(2)]
        for name, port in zip(("one", "two"), ports, strict=True):
            (tmp_path / name).mkdir()
            (tmp_path / name / "config.yaml").write_text(
                CONFIG.replace("listen: auto}\nmqtt", f'listen: "127.0.0.1:{port}"}}\nmqtt')
                + f'database: {{url: "{url}"}}\n'
            )
        async with program(tmp_path / "one", ends_with=None) as one:
            await one.until_parts(READY)
            async with program(tmp_path / "two", port=ports[1]) as two:
                await until_listening(ports[1])
                await two.until_ready(lambda answer: answer == {"ready": False, "standby": True, "parts": {}})
                assert (await two.ready())[0] == 503
                assert not (tmp_path / "two" / "data" / "bridge").exists()
                with psycopg.connect(url) as looking:  # it has not touched the database either
                    assert looking.execute("SELECT count(*) FROM alembic_version").fetchone() == (1,)
                one.process.kill()
                await two.until_parts(READY)
                assert b"standing by" in two.log
                os.kill(one.child("bridge/bridge-0.state"), signal.SIGKILL)
                os.kill(one.child("broker/broker.state"), signal.SIGKILL)


async def test_controller_that_stands_by_can_be_stopped(tmp_path: Path, postgres: PostgresServer) -> None:
    with postgres.database() as url:
        port = _free_port()
        (tmp_path / "config.yaml").write_text(
            CONFIG.replace("listen: auto}\nmqtt", f'listen: "127.0.0.1:{port}"}}\nmqtt')
            + f'database: {{url: "{url}"}}\n'
        )
        async with leadership(url) as first:
            await first.acquire(_never)
            async with program(tmp_path, port=port) as second:
                await until_listening(port)
                await second.until_ready(lambda answer: answer.get("standby") is True)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"[1"])
async def test_damaged_small_files_stop_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "config.yaml").write_text(CONFIG)
    for name in (
        *("bridge/secret", "bridge/placements.json", "bridge/bridge-0.state"),
        *("broker/schools.json", "broker/controller.password", "broker/port", "broker/passwords", "broker/acl"),
    ):
        file = tmp_path / "data" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    async with program(tmp_path) as running:
        await running.until_parts(READY)
        assert b"Traceback" not in running.log
        for name in ("bridge/secret", "broker/schools.json", "broker/controller.password"):
            assert f"data/{name} is damaged".encode() in running.log


async def test_clock_that_was_a_day_ahead_is_doubted_until_an_operator_accepts_it(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(CONFIG)
    async with program(tmp_path) as running:
        await running.until_parts(READY)
    with sqlite3.connect(tmp_path / "data" / "nhipcau.sqlite") as database:
        database.execute("UPDATE clock SET boot = 'another', at = datetime(at, '+1 day')")
    database.close()
    doubted = not machine_clock.synchronised()  # where a time server keeps this machine's clock, it is right
    async with program(tmp_path) as running:
        await running.until_parts({**READY, "clock": not doubted})
        code, output, errors = await said(tmp_path, "clock", "accept")
        word = "believed from now on" if doubted else "it was believed already"
        assert (code, output.rstrip().rpartition(": ")[2], errors) == (0, word, "")
        await running.until_parts(READY)
        assert (b"the clock jumped" in running.log) == doubted


async def test_next_controller_takes_over_on_a_full_disk(tmp_path: Path) -> None:
    with small_disk(tmp_path) as disk:
        (disk.path / "config.yaml").write_text(CONFIG)
        async with program(disk.path, ends_with=None) as first:
            await first.until_parts(READY)
            children = [first.child(name) for name in ("bridge/bridge-0.state", "broker/broker.state")]
            with disk.full():
                first.process.kill()
                await first.process.wait()
                if disk.mounted:
                    async with program(disk.path) as second:
                        await second.until_parts({**READY, "database_writes": False, "files": False})
                        assert [second.child(n) for n in ("bridge/bridge-0.state", "broker/broker.state")] == children
                else:  # without room in any file at all SQLite cannot begin: then what runs goes on without us
                    code, _, errors = await said(disk.path, "run")
                    assert (code, "cannot be opened" in errors, "Traceback" in errors) == (1, True, False)
                    for child in children:
                        os.kill(child, signal.SIGKILL)  # raises where it has ended


async def until_listening(port: int) -> None:
    async with asyncio.timeout(WITHIN_S):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.1)
            else:
                writer.close()
                return


async def _never() -> None:
    raise AssertionError("it stands by")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
