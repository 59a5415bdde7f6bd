"""What changed, published once, to all who subscribed: pages' WebSockets, scenes, the conductor, the device records.

A change names a thing; the subscriber reads the thing's present state itself. So changes to one thing that a
subscriber has not yet taken collapse into one, and a subscriber can be slow without missing the last word. `grep` for
a topic finds who publishes it and who subscribes to it.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum

PENDING_LIMIT = 4096
"""Of a subscriber that names no other."""
TAKEN_AT_ONCE = 50
"""Changes that a reader takes before others have their turn, should more be waiting."""


class Topic(StrEnum):
    """What can change. Each package adds its own; their words differ."""


class ChangeKind(Topic):
    """What changed about a device; a change's `id` is the device's."""

    DISCOVERED = "discovered"
    UPDATED = "updated"  # described anew: other properties, other firmware
    REMOVED = "removed"
    REPORTED = "reported"  # a value or its freshness
    AVAILABILITY = "availability"
    COMMAND = "command"  # a pending command moved or ended
    CLAIM = "claim"


@dataclass(frozen=True, slots=True)
class Change:
    """The thing `id` is not what it was, in what `kind` says. It carries no values."""

    kind: Topic
    id: str


class Subscription:
    """One subscriber's changes, in the order of their first occurrence since they were last taken, each once.

    Iterating ends when the subscriber fell too far behind; it then has to read everything again.
    """

    def __init__(self, *, limit: int | None = None) -> None:
        """`limit`: of changes that wait; None: as many as there are things."""
        self._limit = limit
        self._pending: dict[Change, None] = {}
        self._wake = asyncio.Event()
        self._overflowed = False
        self._taken = 0

    def put(self, change: Change) -> None:
        if self._limit is not None and len(self._pending) >= self._limit and change not in self._pending:
            self._overflowed = True
        else:
            self._pending[change] = None
        self._wake.set()

    def overflow(self) -> None:
        """It missed something: its iteration ends."""
        self._overflowed = True
        self._wake.set()

    async def any(self) -> None:
        """Return once there was a change: for subscribers who then read everything again. May be cancelled."""
        await self._wake.wait()
        self._wake.clear()
        self._pending.clear()

    def __aiter__(self) -> "Subscription":
        return self

    async def __anext__(self) -> Change:
        self._taken += 1
        if self._taken >= TAKEN_AT_ONCE:
            self._taken = 0
            await asyncio.sleep(0)
        while not self._pending and not self._overflowed:
            self._wake.clear()
            await self._wake.wait()
            self._taken = 0
        if self._overflowed:
            raise StopAsyncIteration
        first = next(iter(self._pending))
        del self._pending[first]
        return first

    async def batches(self, gather_s: float) -> AsyncIterator[list[Change]]:
        """As iterating, but all that came within `gather_s` of the first at once."""
        while not self._overflowed:
            await self._wake.wait()
            await asyncio.sleep(gather_s)
            self._wake.clear()
            batch = list(self._pending)
            self._pending.clear()
            if not self._overflowed:
                yield batch


class Changes:
    """The one place where changes are published and subscribed to."""

    def __init__(self) -> None:
        self._subscriptions: dict[Topic | Change, set[Subscription]] = {}  # none that is empty
        self._hooks: dict[Topic, list[Callable[[Change], object]]] = {}

    def publish(self, kind: Topic, id: str) -> None:
        change = Change(kind, id)
        for hook in self._hooks.get(kind, ()):
            hook(change)
        for subscription in self._subscriptions.get(kind, ()):
            subscription.put(change)
        for subscription in self._subscriptions.get(change, ()):
            subscription.put(change)

    def on_publish(self, hook: Callable[[Change], object], *kinds: Topic) -> None:
        """Call this at each such change, at once and before any subscriber: for what must not outlive a change."""
        for kind in kinds:
            self._hooks.setdefault(kind, []).append(hook)

    @contextmanager
    def subscribe(self, *topics: Topic | Change, limit: int | None = PENDING_LIMIT) -> Iterator[Subscription]:
        """Changes of these kinds and these things, or of all, from now on, until the `with` block ends.

        A province has thousands of displays: what changes for one wakes that one only.
        """
        subscription = Subscription(limit=limit)
        topics = topics or tuple(topic for kind in Topic.__subclasses__() for topic in kind)
        for topic in topics:
            self._subscriptions.setdefault(topic, set()).add(subscription)
        try:
            yield subscription
        finally:
            for topic in topics:
                subscribers = self._subscriptions[topic]
                subscribers.discard(subscription)
                if not subscribers:
                    del self._subscriptions[topic]
