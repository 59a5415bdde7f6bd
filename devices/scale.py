"""How a device itself counts a number of ours: 50 % of its 99 steps is 50, and comes back as 51 %.

A count that goes out, comes back and is compared, is compared as a count: whatever the scale, the echo of a command is
the command's value.
"""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LinearScale:
    """`zero` counts at our 0 and `per_unit` more for each of our units, rounded to whole ones (`up`: never down)."""

    zero: float
    per_unit: float
    least: float = -math.inf
    most: float = math.inf
    up: bool = False

    def count(self, value: float) -> int | float:
        exact = round(self.zero + value * self.per_unit, 9)  # without the dust of binary fractions
        return max(self.least, min(self.most, math.ceil(exact) if self.up else round(exact)))

    def value(self, count: float) -> int | float:
        """Ours, with no more decimals than lead back to `count`."""
        exact = (count - self.zero) / self.per_unit
        for digits in range(4):
            shorter = math.floor(exact * 10**digits + 1e-9) / 10**digits if self.up else round(exact, digits)
            if self.count(shorter) == count:
                return shorter if digits else int(shorter)
        return round(exact, 3)


@dataclass(frozen=True, slots=True)
class MiredScale:
    """Colour temperatures in K, counted in mired: a million by the kelvins."""

    def count(self, value: float) -> int:
        return round(1e6 / value) if value >= 1 else 0

    def value(self, count: float) -> int:
        """Raises `ZeroDivisionError` for a count of 0, which is no colour."""
        return round(1e6 / count)


Scale = LinearScale | MiredScale
