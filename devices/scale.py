"""How a device itself counts a number of ours: 50 % of its 99 steps is 50, and comes back as 51 %.

A count that goes out, comes back and is compared, is compared as a count: whatever the scale, the echo of a command is
the command's value.
"""

import math
from dataclasses import dataclass

MIREDS = 1e6  # by the kelvins of a colour temperature


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """Whole counts: `zero` at our 0 and `per_unit` more for each of our units; or mireds for kelvins."""

    zero: float = 0.0
    per_unit: float = 1.0
    least: int | None = None
    most: int | None = None
    up: bool = False  # a part of a count is a whole one
    mired: bool = False

    def count(self, value: float) -> int:
        """The device's whole number for ours."""
        exact = self._exact(value)
        count = math.ceil(exact) if self.up else round(exact)
        if self.most is not None:
            count = min(count, self.most)
        return count if self.least is None else max(count, self.least)

    def value(self, count: float) -> int | float:
        """Ours, with no more decimals than lead back to `count`. Raises `ZeroDivisionError` for 0 mireds."""
        exact = MIREDS / count if self.mired else (count - self.zero) / self.per_unit
        for digits in range(4):
            shorter = math.floor(exact * 10**digits + 1e-9) / 10**digits if self.up else round(exact, digits)
            if self.count(shorter) == count:
                return shorter if digits else int(shorter)
        return round(exact, 3)

    def _exact(self, value: float) -> float:
        if self.mired:
            return MIREDS / value if value >= 1 else 0.0
        return round(self.zero + value * self.per_unit, 9)  # without the dust of binary fractions
