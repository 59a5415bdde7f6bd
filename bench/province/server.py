"""A controller of its own process over a made-up province, and what it costs."""

import asyncio
import os
import re
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import aiohttp

STARTING_S = 300.0
ENDING_S = 30.0
QUIET_S, QUIET_SHARE = 2.0, 0.015
"""How long its CPU is watched, and what share of it is next to nothing."""
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A running controller. `ready_s`: from its start until `/readyz` said 200."""

    url: str
    pid: int
    broker_port: int
    ready_s: float

    def cpu_s(self) -> float:
        """CPU seconds of all its threads so far; those of its children are not in it."""
        total_ns = 0
        for task in Path(f"/proc/{self.pid}/task").iterdir():
            with suppress(FileNotFoundError):  # it ended meanwhile
                total_ns += int((task / "schedstat").read_text().split()[0])
        return total_ns / 1e9

    async def quiet(self) -> None:
        """Return once it does next to nothing. Raises `TimeoutError`."""
        async with asyncio.timeout(STARTING_S):
            busy = True
            while busy:
                before = self.cpu_s()
                await asyncio.sleep(QUIET_S)
                busy = self.cpu_s() - before > QUIET_S * QUIET_SHARE

    def resident_kb(self) -> float:
        return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * PAGE_BYTES / 1000


@asynccontextmanager
async def serving(directory: Path, http: aiohttp.ClientSession) -> AsyncIterator[Server]:
    """Run the controller on `directory/config.yaml` until the block ends. Raises `TimeoutError`."""
    output = directory / "controller.log"
    with output.open("wb") as log:
        begun = time.monotonic()
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "controller", "run", "--config", str(directory / "config.yaml")),
            stdout=log,
            stderr=log,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
    try:
        async with asyncio.timeout(STARTING_S):
            url = await _url(output, child)
            await _ready(http, url)
        ready_s = time.monotonic() - begun
        port = int((directory / "data" / "broker" / "port").read_text())
        yield Server(url=url, pid=child.pid, broker_port=port, ready_s=ready_s)
    finally:
        with suppress(ProcessLookupError):
            child.terminate()
        try:
            async with asyncio.timeout(ENDING_S):
                await child.wait()
        except TimeoutError:
            child.kill()
            await child.wait()


async def _url(output: Path, child: asyncio.subprocess.Process) -> str:
    while not (found := re.search(r"Nhịp Cầu: (http://\S+)", _text(output))):
        if child.returncode is not None:
            raise RuntimeError(f"the controller ended with {child.returncode}: {_text(output)[-2000:]}")
        await asyncio.sleep(0.05)
    return found.group(1)


def _text(output: Path) -> str:
    return output.read_text(errors="replace")


async def _ready(http: aiohttp.ClientSession, url: str) -> None:
    while True:
        with suppress(aiohttp.ClientError, TimeoutError):
            async with http.get(f"{url}/readyz", timeout=aiohttp.ClientTimeout(2)) as response:
                if response.status == 200:
                    return
        await asyncio.sleep(0.1)
