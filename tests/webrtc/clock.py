"""A clock of the plane's own, so that minutes take no time."""

from time import monotonic


class Clock:
    """Stands until `now` is set, in seconds."""

    def __init__(self) -> None:
        self.now = monotonic()

    def __call__(self) -> float:
        return self.now
