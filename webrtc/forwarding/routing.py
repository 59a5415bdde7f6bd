"""Which slots carry one track, or wait to carry it, and the routes by which its packets go to them."""

from collections.abc import Callable
from typing import NamedTuple

from webrtc.forwarding.slots import Carrier, Route, Slot
from webrtc.forwarding.track import Track
from webrtc.rtp.payload import Picture

# Sends a plain packet along routes: see `Forwarder.send`.
Send = Callable[[tuple[Route, ...], bytes, int, Picture, float], None]


class Reduction(NamedTuple):
    """How much of a track a slot gets: all of it, its base layer only, or single pictures."""

    base_only: bool = False
    still: bool = False


WHOLE = Reduction()


class RoutingTable:
    """The slots of one layer. `waiting`: those that wait for a packet to begin with, and how much they get then.

    `routes`: those of the slots that get every packet as it is. `stripped`: those of the slots that get what is inside
    of RED. `reduced`: the slots that do not get every packet.
    """

    def __init__(self) -> None:
        self.waiting: dict[Slot, Reduction] = {}
        self.carrying: list[Slot] = []
        self.routes: tuple[Route, ...] = ()
        self.stripped: tuple[Route, ...] = ()
        self.reduced: tuple[Slot, ...] = ()

    def begin(self, carrier: Carrier, track: Track, packet: bytes, number: int, now: float) -> None:
        """Have the slots that wait carry `track` from its plain `packet` on. `carrier`: their layer."""
        waiting, self.waiting = self.waiting, {}
        for slot, reduction in waiting.items():
            if not slot.takes(track):
                self.waiting[slot] = reduction
                continue
            if slot.carrier is not None:
                slot.carrier.release(slot)
            slot.switch(track, packet, number, now)
            slot.carrier = carrier
            slot.base_only, slot.still = reduction
            slot.resuming = False
            self.carrying.append(slot)
        self.update()

    def reduce(self, slot: Slot, reduction: Reduction) -> None:
        """Have `slot`, which carries the track, get so much of it."""
        slot.still = reduction.still
        if reduction.base_only:
            slot.base_only, slot.resuming = True, False
        elif slot.base_only:
            slot.resuming = True
        self.update()

    def release(self, slot: Slot, last: int | None = None) -> None:
        """Have `slot` carry nothing. `last`: the number of the last packet sent, the newest of the track if None."""
        slot.stop(last)
        slot.carrier = None
        self.carrying.remove(slot)
        self.update()

    def suspend(self) -> None:
        """Have the slots that carry the track wait, to go on as they are."""
        for slot in self.carrying:
            slot.stop()
            slot.carrier = None
            self.waiting[slot] = Reduction(slot.base_only and not slot.resuming, slot.still)
        self.carrying.clear()
        self.update()

    def clear(self) -> None:
        """Let go of all slots."""
        for slot in list(self.carrying):
            self.release(slot)
        self.waiting.clear()

    def update(self) -> None:
        """Sort the slots by what they get."""
        reduced, stripped, routes = list[Slot](), list[Route](), list[Route]()
        for slot in self.carrying:
            if slot.base_only or slot.still:
                reduced.append(slot)
            elif (route := slot.route) is not None:
                (stripped if slot.strips(route.track.codec) else routes).append(route)
        self.reduced, self.stripped, self.routes = tuple(reduced), tuple(stripped), tuple(routes)
