"""The minimum of recent measurements: as of a delay, the part that is there without any queue."""

from math import inf


class WindowedMin:
    """`value`: the minimum over the last one to two times `window_s`; infinite before the first measurement."""

    def __init__(self, window_s: float) -> None:
        self.value = inf
        self._window_s = window_s
        self._this = self._before = inf  # the minimum of this window, and of the last one
        self._until = -inf

    def take(self, value: float, now: float) -> None:
        if now >= self._until:
            self._before, self._this = self._this, inf
            self._until = now + self._window_s
        self._this = min(self._this, value)
        self.value = min(self._before, self._this)
