"""A TURN server for schools whose firewall passes one port only: coturn with the shared secret of our nodes."""

import asyncio
import secrets
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

PORT = 443  # as the school's firewall wants it
READY_S = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """`config`: the lines that tell the controller of it, for its section `bridge`."""

    config: str


@asynccontextmanager
async def turn(host: str, *, directory: Path) -> AsyncIterator[Turn]:
    """coturn at `host`, over TCP. Raises `FileNotFoundError` without coturn."""
    program = shutil.which("turnserver")
    if program is None:
        raise FileNotFoundError("bench.links needs coturn: install the `coturn` package")
    secret = secrets.token_urlsafe(24)
    secret_file = directory / "turn-secret"
    secret_file.write_text(secret)
    process = await asyncio.create_subprocess_exec(
        program,
        *("-n", f"--listening-ip={host}", f"--relay-ip={host}", f"--listening-port={PORT}", "--realm=nhipcau"),
        *("--use-auth-secret", f"--static-auth-secret={secret}", "--no-tls", "--no-dtls", "--no-cli", "--no-udp"),
        *("--log-file=stdout", f"--pidfile={directory / 'turn.pid'}"),
        cwd=directory,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(READY_S):
            while not await _answers(host):  # noqa: ASYNC110  # it says nothing when it is ready
                await asyncio.sleep(0.1)
        yield Turn(config=f'  turn: {{urls: ["turn:{host}:{PORT}?transport=tcp"], secret: {{file: {secret_file}}}}}\n')
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _answers(host: str) -> bool:
    try:
        _, writer = await asyncio.open_connection(host, PORT)
    except OSError:
        return False
    writer.close()
    return True
