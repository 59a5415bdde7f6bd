"""Waiting for what tells nobody: another process, a file, a server."""

import asyncio
from collections.abc import Callable

LOOK_EVERY_S = 0.02


async def eventually(holds: Callable[[], bool]) -> None:
    """Return once `holds`. Raises `TimeoutError` after 20 s."""
    async with asyncio.timeout(20):
        while not holds():  # noqa: ASYNC110  # there is no event of ours
            await asyncio.sleep(LOOK_EVERY_S)
