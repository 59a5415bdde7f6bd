"""Which displays have a page open now, so that people see who is there, and a display that is unpaired is sent away."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from rooms.room import DisplayId


class DisplayConnections:
    """Which displays have a page open here."""

    def __init__(self) -> None:
        self._open: dict[DisplayId, set[asyncio.Event]] = {}

    def connected(self, display_id: DisplayId) -> bool:
        return display_id in self._open

    def unpair(self, display_id: DisplayId) -> None:
        """Its pages' connections end."""
        for event in self._open.get(display_id, ()):
            event.set()

    @contextmanager
    def open(self, display_id: DisplayId) -> Iterator[asyncio.Event]:
        """One page's connection; the event is set when the display is unpaired."""
        event = asyncio.Event()
        self._open.setdefault(display_id, set()).add(event)
        try:
            yield event
        finally:
            events = self._open[display_id]
            events.discard(event)
            if not events:
                del self._open[display_id]
