"""What a link does to packets, and which of them it does it to: decided by a seed, without I/O and without a clock."""

import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """One direction of a link.

    `loss`, `reorder`: share of the packets, 0 to 1. `delay_s`: one way. `jitter_s`: each packet takes up to this much
    longer, in order. A packet that is `reorder`ed is held for `REORDERED_S` more, so that later ones overtake it.
    `rate_bps`: None for no limit; `queue_s`: what would wait longer for its turn is dropped. `dark`: nothing passes.
    """

    loss: float = 0.0
    delay_s: float = 0.0
    jitter_s: float = 0.0
    reorder: float = 0.0
    rate_bps: float | None = None
    queue_s: float = 0.5
    dark: bool = False


REORDERED_S = 0.030
GOOD = Conditions()
DARK = Conditions(dark=True)


class Direction:
    """Tells when each packet of one direction arrives. `conditions` may be replaced at any time."""

    def __init__(self, conditions: Conditions = GOOD, *, seed: int) -> None:
        self.conditions = conditions
        self.packets = 0
        self.lost = 0  # by chance, or in the dark
        self.overflowed = 0  # because the queue was full
        self._random = random.Random(seed)
        self._free_at = 0.0  # when the sender's line is free again
        self._latest = 0.0  # the arrival that the next packet does not overtake

    def arrival(self, size: int, now: float) -> float | None:
        """When a packet of `size` octets, sent at `now`, arrives; None where it does not."""
        of, chance = self.conditions, self._random.random
        self.packets += 1
        # Always three draws, so that the fate of a packet depends on its number alone.
        lost, jitter, late = chance() < of.loss, chance() * of.jitter_s, chance() < of.reorder
        at = now
        if of.rate_bps is not None:
            start = max(now, self._free_at)
            if start - now > of.queue_s:
                self.overflowed += 1
                return None
            at = self._free_at = start + 8 * size / of.rate_bps
        if lost or of.dark:
            self.lost += 1
            return None
        at += of.delay_s + jitter
        if late:
            return at + REORDERED_S
        self._latest = at = max(at, self._latest)
        return at
