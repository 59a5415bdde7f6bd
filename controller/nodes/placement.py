"""Which node a lesson is put on, and which lesson leaves a node that has too much to do. Pure."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

OVERLOADED = 0.8
"""Of a core. A node runs on one core, and above this packets begin to wait for it."""
LESSON_CPU = 0.05
"""What a lesson is taken to need until the node's own figures show it."""
IDLE_LESSON_CPU = 0.01
"""What a lesson counts beside the measured load: rooms may still be joining it."""

STRAINED_CPU = 0.85
STRAINED_LAG_S = 0.05
"""A node is strained above either. Smoothed, they are over it only where people begin to hear and see it."""
STRAINED_FOR_S = 10.0
"""A burst passes; what stays so long will not go by itself, and is worth the keyframes that moving a lesson costs."""
RELIEVED_CPU = 0.75
"""A lesson is enough to move where the node is below this without it."""
ROOMY_CPU = 0.6
"""The node that takes it must stay below this, or it would be the next one to be strained."""
RELIEF = 0.1
"""What must go of the load of a node that is late though it has CPU left: others take its core from it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A node that answers. `cpu`: share of one core; `expected`: lessons just placed that it does not show yet.

    `expected` falls from 1 for each lesson to 0 as the smoothed load comes to show it. `connections`: there are, and
    will be once all rooms have joined. `capacity`: of them; 0 is without limit.
    """

    name: str
    cpu: float = 0.0
    expected: float = 0.0
    bridges: int = 0
    connections: int = 0
    capacity: int = 0
    draining: bool = False
    recovering: bool = False  # it was given up for dead a moment ago
    lag_s: float = 0.0  # how late it comes to what is due
    strained_s: float = 0.0  # for how long it has been strained

    @property
    def coming_cpu(self) -> float:
        return self.cpu + self.expected * LESSON_CPU

    @property
    def overloaded(self) -> bool:
        late = self.lag_s >= STRAINED_LAG_S
        return late or self.coming_cpu >= OVERLOADED

    @property
    def strained(self) -> bool:
        return self.cpu >= STRAINED_CPU or self.lag_s >= STRAINED_LAG_S

    def full_with(self, connections: int) -> bool:
        """Whether so many more are too many."""
        return 0 < self.capacity < self.connections + connections

    def takes(self, lesson: "LessonLoad") -> bool:
        """Whether it stays far from being strained with one more lesson, of this size."""
        unfit = self.draining or self.recovering or self.lag_s >= STRAINED_LAG_S / 2
        return not unfit and not self.full_with(lesson.connections) and self.coming_cpu + lesson.cpu < ROOMY_CPU


@dataclass(frozen=True, slots=True, kw_only=True)
class LessonLoad:
    """What a bridge costs the node that holds it. `cpu`: share of a core, estimated by what it forwards."""

    bridge: str
    node: str
    cpu: float
    connections: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    bridge: str
    node: str  # where to


def relieving_move(candidates: Collection[Candidate], lessons: Collection[LessonLoad]) -> Move | None:
    """The smallest lesson that is enough, off the busiest node that has been strained for long, to where most room is.

    Where no single lesson is enough the largest one that another node takes goes first. None: nothing, or nowhere.
    `lessons`: those that may be moved.
    """
    strained = [each for each in candidates if each.strained and each.strained_s >= STRAINED_FOR_S]
    for node in sorted(strained, key=lambda each: (-each.cpu, each.name)):
        enough = node.cpu - RELIEVED_CPU if node.cpu >= STRAINED_CPU else node.cpu * RELIEF
        there = sorted((each for each in lessons if each.node == node.name), key=lambda each: (each.cpu, each.bridge))
        sufficient = [each for each in there if each.cpu >= enough]
        for lesson in sufficient or reversed([each for each in there if each.cpu >= IDLE_LESSON_CPU]):
            to = least_loaded((each for each in candidates if each is not node and each.takes(lesson)), 0)
            if to is not None:
                return Move(bridge=lesson.bridge, node=to.name)
    return None


def least_loaded(candidates: Iterable[Candidate], connections: int) -> Candidate | None:
    """The best place for a lesson of so many; a draining, recovering or full node only where there is no other."""
    return min(candidates, key=lambda node: _reluctance(node, connections), default=None)


def _reluctance(node: Candidate, connections: int) -> tuple[bool, bool, bool, float, str]:
    load = node.coming_cpu + node.bridges * IDLE_LESSON_CPU
    return node.draining, node.recovering, node.overloaded or node.full_with(connections), load, node.name
