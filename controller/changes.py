"""What changed, said once, to all who listen: pages' WebSockets, the conductor, the registry's keeper.

A change names a thing; the listener reads the thing's present state itself. So changes to one thing that a listener
has not yet taken collapse into one, and a listener can be slow without missing the last word.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum

PENDING_LIMIT = 4096


class ChangeKind(StrEnum):
    """The kinds of things whose changes are told."""

    LESSON = "lesson"
    DEVICE = "device"
    ROOM = "room"
    DISPLAY = "display"  # what the display should do
    CALL = "call"  # what the bridge makes of the display's call, and no more than that; id is the display
    ACCOUNT = "account"  # what somebody may do, or what lets them in: never for pages, they are closed or go on
    WATCH = "watch"  # which room a watching page's slots show; id is the watcher


@dataclass(frozen=True, slots=True)
class Change:
    """`id` of the thing of that kind is not what it was."""

    kind: ChangeKind
    id: str


class Subscription:
    """One listener's changes, in the order of their first occurrence, each thing once."""

    def __init__(self) -> None:
        self._pending: dict[Change, None] = {}
        self._wake = asyncio.Event()
        self._overflowed = False

    def put(self, change: Change) -> None:
        if len(self._pending) >= PENDING_LIMIT and change not in self._pending:
            self._overflowed = True
        else:
            self._pending[change] = None
        self._wake.set()

    def overflow(self) -> None:
        """It missed something: its iteration ends."""
        self._overflowed = True
        self._wake.set()

    async def any(self) -> None:
        """Return once there was a change: for listeners who then read everything anew. May be cancelled."""
        await self._wake.wait()
        self._wake.clear()
        self._pending.clear()

    async def __aiter__(self) -> AsyncIterator[Change]:
        """Yield until the listener fell too far behind; it then has to read everything anew."""
        while not self._overflowed:
            await self._wake.wait()
            self._wake.clear()
            while self._pending and not self._overflowed:
                change = next(iter(self._pending))
                del self._pending[change]
                yield change

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
        self._subscriptions: dict[ChangeKind | Change, set[Subscription]] = {}  # none that is empty
        self._hooks: list[Callable[[Change], object]] = []

    def publish(self, kind: ChangeKind, id: str) -> None:
        change = Change(kind, id)
        for hook in self._hooks:
            hook(change)
        for topic in (kind, change):
            for subscription in self._subscriptions.get(topic, ()):
                subscription.put(change)

    def on_publish(self, hook: Callable[[Change], object]) -> None:
        """Call this at each change, at once and before any listener is told: for what must not outlive a change."""
        self._hooks.append(hook)

    @contextmanager
    def subscribe(self, *topics: ChangeKind | Change) -> Iterator[Subscription]:
        """Changes from now on, until the `with` block ends: of these kinds and these things, or all of them.

        A province has thousands of displays: what changes for one wakes that one only.
        """
        subscription = Subscription()
        topics = topics or tuple(ChangeKind)
        for topic in topics:
            self._subscriptions.setdefault(topic, set()).add(subscription)
        try:
            yield subscription
        finally:
            for topic in topics:
                listeners = self._subscriptions[topic]
                listeners.discard(subscription)
                if not listeners:
                    del self._subscriptions[topic]
