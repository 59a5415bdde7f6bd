"""The displays that are here now: whose pages are connected and what they say of themselves. In memory only."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from controller.displays.report import Camera, DisplayReport, SiteDisplay
from rooms.room import Display, DisplayId, RoomId


@dataclass(slots=True)
class _Presence:
    display: Display | None = None  # known once its page has asked for its state
    pages: set[asyncio.Event] = field(default_factory=set)  # each set when the display is unpaired
    report: DisplayReport | None = None


class Displays:
    """Of several displays in one room the one paired last is active: only it takes part, so that nothing echoes."""

    def __init__(self, changed: Callable[[RoomId], None]) -> None:
        self._present: dict[DisplayId, _Presence] = {}
        self._changed = changed

    @contextmanager
    def open(self, id: DisplayId) -> Iterator[asyncio.Event]:
        """One page's connection; the event is set when the display is unpaired."""
        unpaired = asyncio.Event()
        presence = self._present.setdefault(id, _Presence())
        presence.pages.add(unpaired)
        try:
            yield unpaired
        finally:
            presence.pages.discard(unpaired)
            if not presence.pages:
                del self._present[id]
                self._tell(presence)

    def connected(self, id: DisplayId) -> bool:
        """Whether a page of it is connected."""
        return id in self._present

    def unpair(self, id: DisplayId) -> None:
        """Its pages' connections end."""
        if (presence := self._present.get(id)) is not None:
            for unpaired in presence.pages:
                unpaired.set()

    def introduce(self, display: Display) -> None:
        """Say which room a connected display belongs to; again when it may have moved."""
        presence = self._present.get(display.id)
        if presence is None or presence.display == display:
            return
        presence.display = display
        self._tell(presence)

    def report(self, id: DisplayId, report: DisplayReport) -> None:
        presence = self._present.get(id)
        if presence is None:
            return
        before, presence.report = presence.report, report
        if before is None or (before.joined, before.camera) != (report.joined, report.camera):
            self._tell(presence)

    def active(self, room_id: RoomId) -> DisplayId | None:
        """The display that takes part for this room; None while none is connected."""
        here = [each.display for each in self._present.values() if each.display and each.display.room_id == room_id]
        return max(here, key=lambda display: (display.paired_at, display.id)).id if here else None

    def said(self, room_id: RoomId) -> DisplayReport | None:
        """The last report of the display that takes part for this room."""
        active = self.active(room_id)
        return None if active is None else self._present[active].report

    def in_room(self, room_id: RoomId) -> tuple[DisplayId, ...]:
        """All connected displays of a room."""
        return tuple(
            id for id, each in self._present.items() if each.display is not None and each.display.room_id == room_id
        )

    def state(self, room_id: RoomId, *, called: bool) -> tuple[SiteDisplay, Camera]:
        """How far the room's display has come with a call (`called`: it has been given one)."""
        active = self.active(room_id)
        if active is None:
            return SiteDisplay.ABSENT, Camera.UNKNOWN
        report = self._present[active].report
        if report is None:
            return (SiteDisplay.JOINING if called else SiteDisplay.CONNECTED), Camera.UNKNOWN
        if not called:
            return SiteDisplay.CONNECTED, report.camera
        return (SiteDisplay.JOINED if report.joined else SiteDisplay.JOINING), report.camera

    def _tell(self, presence: _Presence) -> None:
        if presence.display is not None:
            self._changed(presence.display.room_id)
