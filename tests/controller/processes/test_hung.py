"""Real processes: one that serves, one that is stopped, one that only computes."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from controller.processes.hung import Look, look_at

SERVES = """
import http.server
server = http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
print(server.server_port, flush=True)
server.serve_forever()
"""
COMPUTES = """
import socket
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
while True: pass
"""


@asynccontextmanager
async def process(script: str) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    started = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    assert started.stdout is not None
    try:
        async with asyncio.timeout(20):
            yield started, f"http://127.0.0.1:{int(await started.stdout.readline())}"
    finally:
        started.kill()
        await started.wait()


async def test_whoever_answers_at_all_does_not_hang() -> None:
    async with process(SERVES) as (serving, url):
        assert await look_at(serving.pid, url) is Look.ANSWERS


async def test_stopped_process_stands_still() -> None:
    async with process(SERVES) as (stopped, url):
        stopped.send_signal(signal.SIGSTOP)
        assert await look_at(stopped.pid, url) is Look.STANDS


async def test_process_that_computes_works_though_it_answers_nobody() -> None:
    async with process(COMPUTES) as (computing, url):
        assert await look_at(computing.pid, url) is Look.WORKS
