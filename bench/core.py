"""A core for a process of a benchmark."""

import os
from collections.abc import Callable


def on_core(core: int) -> Callable[[], None]:
    """For `preexec_fn`."""
    return lambda: os.sched_setaffinity(0, {core})
