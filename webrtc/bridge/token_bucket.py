"""A token bucket: how often a client may ask for something."""


class TokenBucket:
    """`most` at once, and `per_s` in the long run. `now` is in seconds of one monotonic clock."""

    def __init__(self, *, most: float, per_s: float) -> None:
        self._most = most
        self._per_s = per_s
        self._left = most
        self._at = 0.0

    def take(self, now: float) -> bool:
        """Whether one more may be had; counts it."""
        self._left = min(self._most, self._left + (now - self._at) * self._per_s)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True
