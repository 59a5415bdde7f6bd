"""A school behind a bad link: a network namespace with a browser in it, whose only way out is a `Wire`. Linux, root."""

import asyncio
import json
import os
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import Browser, async_playwright

from bench.link_wire import Wire
from testing.chromium import FLAGS
from testing.installation import ROOT

NAMESPACE = "nhipcau-school"
READY_S = 20.0
REFUSED = "needs network namespaces and TUN devices: run it as root on Linux, with the `iproute2` package"


async def _run(*command: str) -> None:
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
    _, error = await process.communicate()
    if process.returncode != 0:
        raise PermissionError(f"bench.links {REFUSED} ({' '.join(command)}: {error.decode().strip()})")


class School:
    """`set` changes its link."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.wire = Wire()

    async def set(self, wire: Wire) -> None:
        """Returns once it holds."""
        self.wire = wire
        await self.counters()

    async def counters(self) -> dict[str, int]:
        """Packets and octets so far."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{self.wire.to_json()}\n".encode())
        counted: dict[str, int] = json.loads(await self._process.stdout.readline())
        return counted


@asynccontextmanager
async def school() -> AsyncIterator[School]:
    """Behind a good link at first. Raises `PermissionError` where the machine does not let us."""
    if os.geteuid() != 0 or not shutil.which("ip"):
        raise PermissionError(f"bench.links {REFUSED}")
    await _run("ip", "netns", "add", NAMESPACE)
    try:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bench.link_wire", NAMESPACE),
            cwd=ROOT,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        try:
            assert process.stdout is not None
            async with asyncio.timeout(READY_S):
                if (await process.stdout.readline()).strip() != b"ready":
                    raise PermissionError(f"bench.links {REFUSED}")
            yield School(process)
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()
    finally:
        await _run("ip", "netns", "delete", NAMESPACE)


@asynccontextmanager
async def chromium_at(origin: str, *, directory: Path, in_school: bool) -> AsyncIterator[Browser]:
    """Like `testing.chromium.chromium`. `origin` may use camera and microphone although it is plain HTTP."""
    program = directory / f"chromium-{in_school}"
    prefix = f"ip netns exec {NAMESPACE} " if in_school else ""
    program.write_text(f'#!/bin/sh\nexec {prefix}{shutil.which("chromium")} "$@"\n')
    program.chmod(0o700)
    flags = [*FLAGS, f"--unsafely-treat-insecure-origin-as-secure={origin}"]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, headless=True, args=flags)
        try:
            yield browser
        finally:
            await browser.close()
