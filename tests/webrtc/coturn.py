"""Debian's coturn as a real TURN server on loopback, with the shared-secret credentials that nodes hand out."""

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

from webrtc.shared.turn import TurnServers

SECRET = "shared with coturn in a test"


@asynccontextmanager
async def coturn(directory: Path, transport: str = "udp") -> AsyncIterator[TurnServers]:
    """The running server, by its URL over `transport`."""
    program = shutil.which("turnserver")
    assert program, "coturn is missing; `make packages` installs it"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        *(program, "-n", "--listening-ip=127.0.0.1", f"--listening-port={port}", "--relay-ip=127.0.0.1"),
        *("--use-auth-secret", f"--static-auth-secret={SECRET}", "--realm=nhipcau.test"),
        *("--denied-peer-ip=0.0.0.0-255.255.255.255", "--allowed-peer-ip=127.0.0.1", "--user-quota=12"),
        *("--no-tls", "--no-dtls", "--no-cli", "--allow-loopback-peers", "--log-file=stdout", "--simple-log"),
        *(f"--pidfile={directory / 'turnserver.pid'}", f"--userdb={directory / 'turndb'}"),
        cwd=directory,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(20):
            while not await _listens(port):  # noqa: ASYNC110  # it tells nobody when it is ready
                await asyncio.sleep(0.05)
        url = f"turn:127.0.0.1:{port}?transport={transport}"
        yield TurnServers(urls=(url,), secret=SECRET, lifetime=timedelta(hours=1))
    finally:
        process.terminate()
        await process.wait()


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except ConnectionRefusedError:
        return False
    writer.close()
    await writer.wait_closed()
    return True
