"""A core for a process of a benchmark, ahead of the machine's other work where we may."""

import os
from collections.abc import Callable
from contextlib import suppress


def on_core(core: int) -> Callable[[], None]:
    """For `preexec_fn`."""

    def claim() -> None:
        os.sched_setaffinity(0, {core})
        with suppress(PermissionError):
            os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))

    return claim
