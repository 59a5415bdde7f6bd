"""A child process that outlives the controller: started detached, watched, restarted, adopted by the next controller.

Media and MQTT go on while the controller restarts, even after SIGKILL: the child is in a session of its own, and a
state file tells the next controller which process it is.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildProgram:
    """What to start. `name` is for logs and file names."""

    name: str
    arguments: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)  # added to ours


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """A child that has said it is ready."""

    generation: int  # 1 for the first process this object saw, one more for each process after it
    pid: int
    adopted: bool  # started by an earlier controller
    data: Mapping[str, object]  # its ready line


class Child:
    """Owner calls `run()` in its TaskGroup; everybody may await `ready()` and `changed()`."""

    def __init__(self, program: ChildProgram, *, directory: Path) -> None:
        """`directory` gets `<name>.state.json` and `<name>.log`."""
        self.program = program
        self._directory = directory
        self.current: Ready | None = None
        """The process that is ready now; None while there is none."""
        self._condition = asyncio.Condition()

    async def run(self) -> None:
        """Keep one process running until cancelled; then stop it: SIGTERM, and SIGKILL if it does not go."""
        raise NotImplementedError

    async def ready(self, *, after: int = 0) -> Ready:
        """The ready process, once there is one of a generation greater than `after`."""
        raise NotImplementedError

    async def lost(self, generation: int) -> None:
        """Return once the process of `generation` is not the ready one (any more)."""
        raise NotImplementedError
