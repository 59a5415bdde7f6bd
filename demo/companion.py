"""Programs that play along in the demo, as processes of their own; those that an earlier demo left are replaced."""

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from controller.processes.child import Child, ChildProgram


@asynccontextmanager
async def companion(name: str, *arguments: str, directory: Path, settings: str) -> AsyncIterator[None]:
    """`python -m` with these arguments runs while the block does. `settings`: what it reads when it starts."""
    program = ChildProgram(
        name=name, arguments=(sys.executable, "-m", *arguments), settings=settings, probe=_ready_at_once
    )
    running = asyncio.create_task(Child(program, directory=directory).run(), name=f"companion {name}")
    try:
        yield
    finally:
        running.cancel()
        await asyncio.wait([running])


async def _ready_at_once() -> Mapping[str, object]:
    return {}
