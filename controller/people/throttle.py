"""How often something may be tried. Pure: the clock is given, memory is bounded."""

from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime, timedelta

from rooms.people.errors import TooManyAttempts

NOTHING = timedelta(0)


class Throttle:
    """At most `burst` attempts per key at once, then one per `interval`. Knows at most `capacity` keys.

    GCRA: each key holds the moment at which its burst would be whole again. When `capacity` is reached the key that was
    used longest ago is forgotten; an attacker with that many keys is held by another throttle.
    """

    def __init__(
        self, *, burst: int, interval: timedelta, clock: Callable[[], datetime], capacity: int = 10_000
    ) -> None:
        self._tolerance = interval * (burst - 1)
        self._interval = interval
        self._clock = clock
        self._capacity = capacity
        self._whole_at: OrderedDict[str, datetime] = OrderedDict()

    def __len__(self) -> int:
        return len(self._whole_at)

    def wait(self, key: str) -> timedelta:
        """How long until one more attempt is allowed; counts nothing."""
        now = self._clock()
        return max(self._whole_at.get(key, now) - now - self._tolerance, NOTHING)

    def attempt(self, key: str) -> None:
        """Count one attempt. Raises `TooManyAttempts`, which does not count."""
        wait = self.wait(key)
        if wait > NOTHING:
            raise TooManyAttempts(wait)
        self._count(key)

    def fail(self, key: str, *, at_most: timedelta) -> None:
        """Count one failure, allowed or not, as long as the next attempt has less than `at_most` to wait."""
        if self.wait(key) < at_most:
            self._count(key)

    def refund(self, key: str) -> None:
        """This one attempt was right and does not count; others do."""
        if key in self._whole_at:
            self._whole_at[key] -= self._interval

    def forgive(self, key: str) -> None:
        """The attempt was right: forget this key's failures."""
        self._whole_at.pop(key, None)

    def _count(self, key: str) -> None:
        now = self._clock()
        self._whole_at[key] = max(self._whole_at.get(key, now), now) + self._interval
        self._whole_at.move_to_end(key)
        if len(self._whole_at) > self._capacity:
            self._whole_at.popitem(last=False)
