"""How long an event loop is held by what runs on it."""

import asyncio
import time
from dataclasses import dataclass


@dataclass(slots=True)
class Heartbeat:
    """How late short sleeps end at most: by the clock, and in processor time of this thread, which no other process
    of a busy machine can make longer."""

    held_s: float = 0.0
    held_cpu_s: float = 0.0

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            due, cpu = time.perf_counter() + 0.005, time.thread_time()
            await asyncio.sleep(0.005)
            self.held_s = max(self.held_s, time.perf_counter() - due)
            self.held_cpu_s = max(self.held_cpu_s, time.thread_time() - cpu)
