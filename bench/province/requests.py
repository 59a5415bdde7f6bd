"""What one request costs the controller."""

import asyncio
import statistics
from dataclasses import dataclass

import aiohttp

from bench.province.server import Server

GIVEN_UP_S = 20.0
QUIET_S = 180.0
REPEATED = 5

LISTS = ("/rooms", "/devices", "/lessons", "/organisations", "/accounts")
"""What the department's officer and a school's teacher look through."""


@dataclass(frozen=True, slots=True)
class Cost:
    """`cpu_ms` of the controller, median; with `given_up` (no answer within `GIVEN_UP_S`) what it took until then."""

    cpu_ms: float
    given_up: bool
    size: int  # bytes of the answer


async def cost(http: aiohttp.ClientSession, server: Server, path: str, token: str) -> Cost:
    """The cost of `GET path`. The first request is not counted: it may fill what later ones find."""
    taken: list[float] = []
    size = 0
    for turn in range(REPEATED + 1):
        before = server.cpu_s()
        try:
            size = len(await get(http, server, path, token))
        except TimeoutError:
            spent = server.cpu_s() - before
            await _quiet(http, server)
            return Cost(spent * 1000, given_up=True, size=0)
        if turn:
            taken.append((server.cpu_s() - before) * 1000)
    return Cost(statistics.median(taken), given_up=False, size=size)


async def get(http: aiohttp.ClientSession, server: Server, path: str, token: str) -> bytes:
    """The body. Raises `TimeoutError`, `aiohttp.ClientResponseError`."""
    headers = {"Authorization": f"Bearer {token}"}
    timeout = aiohttp.ClientTimeout(GIVEN_UP_S)
    async with http.get(f"{server.url}/api/v1{path}", headers=headers, timeout=timeout) as response:
        response.raise_for_status()
        return await response.read()


async def _quiet(http: aiohttp.ClientSession, server: Server) -> None:
    """Return once the controller has answered a small request: what was given up is over. Raises `TimeoutError`."""
    async with asyncio.timeout(QUIET_S):
        async with http.get(f"{server.url}/healthz", timeout=aiohttp.ClientTimeout(QUIET_S)) as response:
            await response.read()
