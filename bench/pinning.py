"""Giving a measured process a core, and precedence on it where we may, so that other work disturbs it less."""

import os
from contextlib import suppress

NICENESS = -15  # not real time: it would wake the receiving process for every single packet, which no machine does


def pin(core: int) -> None:
    """To be called in the new process, before it starts its program."""
    os.sched_setaffinity(0, {core})
    with suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, NICENESS)
