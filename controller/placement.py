"""Which node a lesson is put on. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

OVERLOADED = 0.8
"""Of a core. A node runs on one core, and above this packets begin to wait for it."""
LESSON_CPU = 0.05
"""What a lesson is taken to need until the node's own figures show it."""
IDLE_LESSON_CPU = 0.01
"""What a lesson counts beside the measured load: rooms may still be joining it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A node that answers. `cpu`: share of one core; `expected`: lessons just placed that it does not show yet.

    `expected` falls from 1 for each lesson to 0 as the smoothed load comes to show it. `capacity`: 0 is without limit.
    """

    name: str
    cpu: float = 0.0
    expected: float = 0.0
    bridges: int = 0
    connections: int = 0
    capacity: int = 0
    draining: bool = False
    recovering: bool = False  # it was given up for dead a moment ago

    @property
    def coming_cpu(self) -> float:
        return self.cpu + self.expected * LESSON_CPU

    @property
    def overloaded(self) -> bool:
        return self.coming_cpu >= OVERLOADED or 0 < self.capacity <= self.connections


def least_loaded(candidates: Iterable[Candidate]) -> Candidate | None:
    """The best place for one more lesson; a draining, recovering or overloaded node only where there is no other."""
    return min(candidates, key=_reluctance, default=None)


def _reluctance(node: Candidate) -> tuple[bool, bool, bool, float, str]:
    load = node.coming_cpu + node.bridges * IDLE_LESSON_CPU
    return node.draining, node.recovering, node.overloaded, load, node.name
