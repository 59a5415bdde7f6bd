"""`nhipcau nodes`, `drain`, `undrain`: real commands, a real controller process with real nodes."""

import asyncio
import json
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest

from controller.operator.socket import NAME, listen_for_operators, short_path
from tests.controller.test_main import CONFIG, WITHIN_S, controller, said, start

AS_ANYBODY = ("setpriv", "--bounding-set=-dac_override", "--inh-caps=-dac_override") if os.geteuid() == 0 else ()
"""Without root's right to open what is closed to it."""
TWO_NODES = CONFIG.replace("{udp_listen", "{count: 2, udp_listen")


@dataclass(frozen=True)
class Site:
    """A controller with two nodes, and a shell on its machine."""

    directory: Path

    async def says(self, *arguments: str) -> tuple[int | None, str, str]:
        return await said(self.directory, *arguments)

    async def listed(self) -> list[tuple[str, int]]:
        """State and lessons of the nodes, by name."""
        code, output, errors = await self.says("nodes")
        assert (code, errors) == (0, "")
        heading, *rows = output.splitlines()
        assert heading.split() == ["NODE", "STATE", "CPU", "LESSONS", "CONNECTIONS", "PACKETS/S", "ADDRESS"]
        found = [row.split() for row in rows]
        assert [name for name, *_ in found] == ["local-0", "local-1"]
        return [(state, int(lessons)) for _, state, _, lessons, *_ in found]

    async def until(self, *nodes: tuple[str, int]) -> None:
        async with asyncio.timeout(WITHIN_S):
            while await self.listed() != list(nodes):
                pass

    async def bridge(self, method: str, index: int, id: str) -> None:
        """Open or close a bridge on a node, of which the controller hears from the node itself."""
        state = json.loads((self.directory / f"data/bridge/bridge-{index}.state").read_text())
        url, secret = state["data"]["control"], (self.directory / "data/bridge/secret").read_text()
        body: object = {"order": []} if method == "PUT" else None
        async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {secret}"}) as http:
            async with http.request(method, f"{url}/v1/bridges/{id}", json=body) as answer:
                assert answer.status < 300


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    (tmp_path / "config.yaml").write_text(TWO_NODES)
    async with controller(tmp_path):
        site = Site(tmp_path)
        await site.until(("ready", 0), ("ready", 0))
        yield site


async def test_node_is_drained_and_used_again(site: Site) -> None:
    assert await site.says("drain", "local-1") == (0, "", "")
    await site.until(("ready", 0), ("draining", 0))
    assert await site.says("undrain", "local-1") == (0, "", "")
    await site.until(("ready", 0), ("ready", 0))


@asynccontextmanager
async def draining(site: Site) -> AsyncIterator[asyncio.subprocess.Process]:
    """A command that waits for the one lesson of local-0 to leave."""
    await site.bridge("PUT", 0, "lesson")
    await site.until(("ready", 1), ("ready", 0))
    process = await start(site.directory, "drain", "--wait", "local-0")
    assert process.stderr is not None
    async with asyncio.timeout(WITHIN_S):
        assert await process.stderr.readline() == b"local-0: lessons left: 1\n"
        yield process


async def test_draining_waits_for_the_last_lesson(site: Site) -> None:
    async with draining(site) as process:
        await site.bridge("DELETE", 0, "lesson")
        assert await process.communicate() == (b"", b"")
    assert process.returncode == 0
    assert await site.says("drain", "--wait", "local-0") == (0, "", "")


async def test_draining_that_somebody_takes_back_is_said(site: Site) -> None:
    async with draining(site) as process:
        assert await site.says("undrain", "local-0") == (0, "", "")
        assert await process.communicate() == (b"", b"nhipcau: node local-0 is in use again\n")
    assert process.returncode == 1


async def test_unknown_node_is_named(site: Site) -> None:
    for name in ("local-7", "../accounts"):
        said = await site.says("drain", name)
        assert said == (1, "", f"nhipcau: no node is called {name}; `nhipcau nodes` lists them\n")


async def test_who_may_not_open_the_socket_is_told_so(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(CONFIG)
    (tmp_path / "data").mkdir()
    with listen_for_operators(tmp_path / "data") as listener:
        listener.listen()
        file = tmp_path / "data" / NAME
        assert file.stat().st_mode & 0o777 == 0o600
        file.chmod(0)
        process = await start(tmp_path, "nodes", through=AS_ANYBODY)
        async with asyncio.timeout(WITHIN_S):
            _, errors = await process.communicate()
    refusal = f"nhipcau: you may not open {file}: be the controller's user, or root\n"
    assert (process.returncode, errors.decode()) == (1, refusal)


@pytest.mark.parametrize("left_behind", [False, True])
async def test_controller_that_does_not_run_is_said(tmp_path: Path, left_behind: bool) -> None:
    (tmp_path / "config.yaml").write_text(CONFIG)
    if left_behind:
        (tmp_path / "data").mkdir()
        listen_for_operators(tmp_path / "data").close()
        assert (tmp_path / "data" / NAME).is_socket()
    expected = (1, "", f"nhipcau: no controller is running with {tmp_path / 'data'}\n")
    assert await said(tmp_path, "drain", "local-0") == expected


async def test_data_directory_may_have_a_long_name(tmp_path: Path) -> None:
    deep = tmp_path / ("a" * 100) / ("b" * 100)
    deep.mkdir(parents=True)
    with listen_for_operators(deep) as listener, short_path(deep) as path, socket.socket(socket.AF_UNIX) as client:
        listener.listen()
        client.connect(path)
