"""Whether a device can be reached, from what it says and what the broker says of it. Rules only.

The broker's last will is a hint: it may belong to the connection before this one (a late will after a reconnect), and a
retained "online" may be from yesterday. A live message from the device itself outranks both.
"""

from datetime import datetime, timedelta

from devices.device import Availability

OFFLINE_AFTER = timedelta(seconds=3)
"""How long an "offline" must stand without a live message before we believe it."""


class Presence:
    """One device's availability. Every method but `disconnected` takes `now`, aware UTC."""

    __slots__ = ("_announced", "_offline_at", "last_heard", "met", "stale_after", "state")

    def __init__(self, *, stale_after: timedelta | None) -> None:
        self.state = Availability.UNKNOWN
        self.last_heard: datetime | None = None  # live, from the device itself
        self.stale_after = stale_after
        self.met = False  # heard of, live or retained, since we are connected
        self._offline_at: datetime | None = None
        self._announced = False  # described itself live since we are connected

    @property
    def due(self) -> datetime | None:
        """When `tick` has something to decide next, should nothing be heard until then."""
        if self._offline_at is not None:
            return self._offline_at
        if self.state is Availability.ONLINE and self.stale_after is not None and self.last_heard is not None:
            return self.last_heard + self.stale_after
        return None

    def heard(self, now: datetime) -> bool:
        """A live message of the device that does not say it is going. True if the state changed."""
        self.last_heard = now
        self.met = True
        self._offline_at = None
        return self._move_to(Availability.ONLINE)

    def announced(self, now: datetime) -> bool:
        """It described itself live: with its retained "online" as good as being heard. True if the state changed."""
        self._announced = True
        self.last_heard = now
        believed = self.state is Availability.STALE and self.met and self._offline_at is None
        return self._move_to(Availability.ONLINE) if believed else False

    def said_online(self) -> bool:
        """A retained "online": it was so once. True if the state changed."""
        self.met = True
        self._offline_at = None
        if self.state is Availability.ONLINE:
            return False
        return self._move_to(Availability.ONLINE if self._announced else Availability.STALE)

    def said_offline(self, now: datetime) -> None:
        """An "offline", live or retained: most often the last will. Believed once it has stood for a while."""
        if self.state is not Availability.OFFLINE and self._offline_at is None:
            self._offline_at = now + OFFLINE_AFTER

    def removed(self) -> bool:
        """The device took its own description back. True if the state changed."""
        self._offline_at = None
        return self._move_to(Availability.OFFLINE)

    def disconnected(self) -> bool:
        """We lost the broker: nothing can be heard. True if the state changed."""
        self.met = False
        self._announced = False
        self._offline_at = None
        return self._move_to(Availability.STALE) if self.state is Availability.ONLINE else False

    def tick(self, now: datetime) -> bool:
        """Decide what is due. True if the state changed."""
        if self.due is None or now < self.due:
            return False
        silent = self._offline_at is None
        self._offline_at = None
        return self._move_to(Availability.STALE if silent else Availability.OFFLINE)

    def _move_to(self, state: Availability) -> bool:
        changed = self.state is not state
        self.state = state
        return changed
