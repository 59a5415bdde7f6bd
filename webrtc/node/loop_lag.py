"""How late the node's event loop runs what is due: packets wait as long, whatever the CPU share is."""

import asyncio
from collections.abc import Sequence

STEP_S = 0.1
BOUNDS_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)


class LoopLag:
    """Counts of late wake-ups, by how late."""

    def __init__(self) -> None:
        self.sum_s = 0.0
        self._counts = [0] * (len(BOUNDS_S) + 1)

    async def watch(self, duration_s: float) -> None:
        """Sleep for `duration_s` in small steps, and count how late each of them ends."""
        loop = asyncio.get_running_loop()
        end = loop.time() + duration_s
        while (due := loop.time() + STEP_S) <= end + STEP_S / 2:
            await asyncio.sleep(STEP_S)
            self.note(loop.time() - due)

    def note(self, lag_s: float) -> None:
        lag_s = max(0.0, lag_s)
        self.sum_s += lag_s
        self._counts[next((at for at, bound in enumerate(BOUNDS_S) if lag_s <= bound), len(BOUNDS_S))] += 1

    @property
    def count(self) -> int:
        return sum(self._counts)

    @property
    def buckets(self) -> Sequence[tuple[str, int]]:
        """Upper bound in seconds and the count up to it, as Prometheus has them."""
        below, found = 0, []
        for bound, count in zip((*map(str, BOUNDS_S), "+Inf"), self._counts, strict=True):
            below += count
            found.append((bound, below))
        return found
