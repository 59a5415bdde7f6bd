"""The events of a node for all listeners: one snapshot, then whole bridge states, never differences.

The node's load comes with them about every second: a listener knows by its absence that a node is in trouble.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import contextmanager

from webrtc.bridge.media_plane import MediaPlane
from webrtc.node.status import NodeStatus
from webrtc.shared.ids import BridgeId

MIN_INTERVAL_S = 0.1  # between two states of one bridge
PER_PARTICIPANT_S = 0.01  # more between them for each participant: a state of many costs both sides more
MAX_INTERVAL_S = 1.0  # between two states of a bridge that has participants: counters move without any other change

Event = dict[str, object]


class Listener:
    """The events for one listener. It keeps only the names of changed bridges: a slow reader gets fewer states."""

    def __init__(self, plane: MediaPlane, status: NodeStatus) -> None:
        self._plane = plane
        self._status = status
        self._status_is_news = False
        self._changed: set[BridgeId] = set()
        self._known: set[BridgeId] = set()
        self._sent_at: dict[BridgeId, float] = {}
        self._woken = asyncio.Event()

    def note(self, bridge_id: BridgeId) -> None:
        self._changed.add(bridge_id)
        self._woken.set()

    def note_status(self) -> None:
        self._status_is_news = True
        self._woken.set()

    async def events(self) -> AsyncGenerator[Event, None]:
        """A snapshot, then every change. Without end."""
        clock = asyncio.get_running_loop().time
        self._known = set(self._plane.bridges)
        self._sent_at = dict.fromkeys(self._known, clock())
        states = [bridge.state().to_json() for bridge in self._plane.bridges.values()]
        yield {"type": "snapshot", "node": self._status.node, "load": self._status.to_json(), "bridges": states}
        while True:
            if self._status_is_news:
                self._status_is_news = False
                yield {"type": "load", **self._status.to_json()}
            await self._pause(self._next_due() - clock())
            self._woken.clear()
            for bridge_id in self._due(clock()):
                self._changed.discard(bridge_id)
                bridge = self._plane.bridges.get(bridge_id)
                if bridge is not None:
                    self._known.add(bridge_id)
                    self._sent_at[bridge_id] = clock()
                    yield {"type": "bridge", "bridge": bridge.state().to_json()}
                elif bridge_id in self._known:
                    self._known.discard(bridge_id)
                    self._sent_at.pop(bridge_id, None)
                    yield {"type": "closed", "bridge": bridge_id}

    async def _pause(self, delay_s: float) -> None:
        """Return after `delay_s`, or earlier when a bridge has changed."""
        if delay_s <= 0:
            return
        try:
            async with asyncio.timeout(None if delay_s == float("inf") else delay_s):
                await self._woken.wait()
        except TimeoutError:
            pass

    def _next_due(self) -> float:
        return min((self._due_at(bridge_id) for bridge_id in self._watched()), default=float("inf"))

    def _due(self, now: float) -> list[BridgeId]:
        return [bridge_id for bridge_id in self._watched() if self._due_at(bridge_id) <= now]

    def _watched(self) -> set[BridgeId]:
        return self._changed | self._known

    def _due_at(self, bridge_id: BridgeId) -> float:
        """When the next state of `bridge_id` is due, on the loop's clock."""
        sent_at, bridge = self._sent_at.get(bridge_id), self._plane.bridges.get(bridge_id)
        if sent_at is None or bridge is None:
            return 0.0
        if bridge_id in self._changed:
            return sent_at + MIN_INTERVAL_S + PER_PARTICIPANT_S * len(bridge.participants)
        return sent_at + MAX_INTERVAL_S if bridge.participants else float("inf")


class Events:
    """Hands the plane's changes to all listeners, and notices when nobody has listened for long."""

    def __init__(self, status: NodeStatus) -> None:
        self._status = status
        self._listeners: set[Listener] = set()
        self._joined = asyncio.Event()
        self._deserted = asyncio.Event()
        self._news = asyncio.Event()
        status.on_change(self._status_changed)

    @property
    def has_listeners(self) -> bool:
        return bool(self._listeners)

    def changed(self, bridge_id: BridgeId) -> None:
        self._news.set()
        for listener in self._listeners:
            listener.note(bridge_id)

    async def until(self, holds: Callable[[], bool]) -> None:
        """Return once `holds` is true. It is called at each change of a bridge, and when a listener leaves."""
        while not holds():
            self._news.clear()
            await self._news.wait()

    @contextmanager
    def listen(self, plane: MediaPlane) -> Iterator[Listener]:
        listener = Listener(plane, self._status)
        self._listeners.add(listener)
        self._joined.set()
        self._deserted.clear()
        try:
            yield listener
        finally:
            self._listeners.discard(listener)
            self._news.set()
            if not self._listeners:
                self._joined.clear()
                self._deserted.set()

    async def orphaned(self, timeout_s: float) -> None:
        """Return once nobody has listened for `timeout_s` without a break."""
        while True:
            try:
                async with asyncio.timeout(timeout_s):
                    await self._joined.wait()
            except TimeoutError:
                return
            await self._deserted.wait()

    def _status_changed(self) -> None:
        for listener in self._listeners:
            listener.note_status()
