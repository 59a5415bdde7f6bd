"""A wrong password costs whoever guesses, not the account's owner.

| who | what failures there cost |
|---|---|
| a browser that was logged in under this name before | its own bucket: no stranger's guess counts there |
| others, by (name, network) | five, then one in 30 s |
| others, by network | from the 21st failure on, up to 15 s of waiting before the password is looked at |
| others, by name, from all networks | from the 51st on, more than 6 in a minute: 5 s of waiting; the log says so |

Pure: the clock is given, memory is bounded.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from controller.people.throttle import NOTHING, Throttle
from rooms.people.errors import LoginFailed, LoginsBusy

AT_ONCE_PER_NETWORK = 64  # unknown browsers that log in now
SLOWED = timedelta(seconds=5)
MOST_SLOWED = timedelta(seconds=15)
BUSY = timedelta(seconds=5)


class Guesses:
    """Attempts to log in by a password."""

    def __init__(self, *, clock: Callable[[], datetime]) -> None:
        self._by_browser = Throttle(burst=5, interval=timedelta(seconds=30), clock=clock)
        self._by_place = Throttle(burst=5, interval=timedelta(seconds=30), clock=clock, capacity=50_000)
        self._by_network = Throttle(burst=20, interval=timedelta(seconds=2), clock=clock)
        self._by_name = Throttle(burst=50, interval=timedelta(seconds=10), clock=clock)
        self._now: Counter[str] = Counter()

    @contextmanager
    def attempt(self, name: str, network: str, browser: str | None) -> Iterator[timedelta]:
        """One attempt: gives how long to wait before the password is looked at, counts `LoginFailed` from the block.

        `browser`: what tells a browser that knows this name from others. Raises `TooManyAttempts`, `LoginsBusy`.
        """
        bucket, key = (self._by_place, f"{name}@{network}") if browser is None else (self._by_browser, browser)
        if browser is None and self._now[network] >= AT_ONCE_PER_NETWORK:
            raise LoginsBusy(BUSY)
        bucket.attempt(key)  # before the block, or many at once would be free
        self._now[network] += 1
        try:
            yield NOTHING if browser is not None else self._slowed(name, network)
        except LoginFailed:
            if browser is None:
                self._by_network.fail(network, at_most=MOST_SLOWED)
                self._by_name.fail(name, at_most=SLOWED)
            raise
        except BaseException:
            bucket.refund(key)  # nobody learned whether it was right
            raise
        else:
            bucket.forgive(key)
        finally:
            self._now[network] -= 1
            if not self._now[network]:
                del self._now[network]

    def guessed(self, name: str) -> bool:
        """Whether so many guess at this name, wherever they are, that all unknown browsers are slowed."""
        return self._by_name.wait(name) > NOTHING

    def _slowed(self, name: str, network: str) -> timedelta:
        return max(self._by_network.wait(network), SLOWED if self.guessed(name) else NOTHING)
