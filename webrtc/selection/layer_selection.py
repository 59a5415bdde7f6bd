"""Which layer each slot of one subscriber carries: as large as its tile shows, as far as its link takes it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from webrtc.forwarding.layers import Layer, Source
from webrtc.forwarding.routing import Reduction
from webrtc.forwarding.slots import STILL_S, Slot
from webrtc.selection.bitrate_allocation import Allocation, Choice, Priority, Rest, Step, Wish, allocate, least_bps
from webrtc.shared.state import Flow, Role

VOICE_BPS = 45_000  # reserved for each voice: the rate of Opus from browsers, with headers
GUESSED_BPS = (150_000, 500_000, 1_500_000, 2_500_000)  # of a layer that has not been measured yet
BASE_SHARE = 0.6  # of a layer's bits that are in its base temporal layer
ENOUGH = 0.85  # a layer that has this share of a tile's height is sharp enough for it
PREFERRED_HEIGHT = 360  # what the stage gets before thumbnails get anything
STILL_SHARE = 0.12  # of the lowest layer's rate: a keyframe every `STILL_S`
EARLY_S = 1.0  # a still may come so much sooner where another slot asks for a keyframe: browsers send it in all layers
MIN_STILL_BPS = 8_000


@dataclass(eq=False, slots=True, kw_only=True)
class _Place:
    """A slot, its source, and the layer that it is to carry."""

    slot: Slot
    source: Source
    target: Layer | None = None
    choice: Choice | None = None


class LayerSelection:
    """The layers of one subscription. `allocation`: the last one."""

    def __init__(self, slots: Sequence[Slot]) -> None:
        self.allocation = Allocation(choices={}, bps=0, wanted_bps=0)
        self.trial_bps = 0  # the budget that a trial needs, beyond the estimate; 0 where none runs
        self._slots = slots
        self._places: dict[Slot, _Place] = {}
        self._heights: dict[str, int] = {}  # of the tiles, by mid

    @property
    def sources(self) -> Mapping[Slot, Source]:
        """The source that each slot was given."""
        return {slot: place.source for slot, place in self._places.items()}

    def assign(self, wanted: Mapping[Slot, Source]) -> bool:
        """Have each slot carry its source in `wanted`, and the others nothing; whether that changes anything.

        Among equals, the picture that comes first in `wanted` is served first.
        """
        changed = _pictures(wanted) != _pictures(self._places)
        for slot in self._slots:
            before, after = self._places.get(slot), wanted.get(slot)
            if (before.source if before is not None else None) is after:
                continue
            changed = True
            if before is not None:
                self._leave(before, keep=after is not None)
                del self._places[slot]
            if after is not None:
                self._places[slot] = _Place(slot=slot, source=after)
            else:
                slot.flow = Flow.NONE
        self._places = {slot: self._places[slot] for slot in wanted}
        return changed

    def layout(self, heights: Mapping[str, int]) -> None:
        """Take the heights of tiles by mid, in pixels of the screen; 0 for a hidden one. Others keep theirs."""
        mids = {slot.mid for slot in self._slots}
        self._heights.update({mid: height for mid, height in heights.items() if mid in mids})

    def allocate(self, budget_bps: int, now: float, *, trial_bps: int = 0) -> None:
        """Choose again. `trial_bps`: the most for a large picture of one layer, which cannot begin with less."""
        wishes = [self._wish(place, now) for place in self._places.values()]
        needed_bps = least_bps(wishes, [place.slot.mid for place in self._places.values() if _is_single(place.source)])
        self.trial_bps = needed_bps if budget_bps < needed_bps <= trial_bps else 0
        if self.trial_bps:  # the others keep what they would have without the trial
            budget_bps = min(budget_bps + needed_bps, trial_bps)
        held = {place.slot.mid: place.choice for place in self._places.values() if place.choice is not None}
        self.allocation = allocate(wishes, budget_bps, held)
        for place in self._places.values():
            self._apply(place, self.allocation.choices[place.slot.mid], now)

    def starved(self) -> bool:
        """Whether a slot carries a layer whose sender has stopped it, though another one comes."""
        return any(
            place.target is not None and len(place.source.layers) > 1 and not place.source.alive(place.target)
            for place in self._places.values()
        )

    # -- wishes

    def _wish(self, place: _Place, now: float) -> Wish:
        slot, source = place.slot, place.source
        if slot.kind == "audio":
            step = Step(bps=max(VOICE_BPS, source.layers[0].track.bitrate_bps), layer=0)
            source.layers[0].want(now)
            return Wish(mid=slot.mid, priority=Priority.VOICE, steps=(step,))
        priority = _priority(slot, source)
        top = self._top(slot, source)
        if top is None:
            return Wish(mid=slot.mid, priority=priority, steps=())
        self._want(place, top, now)
        steps = tuple(_steps(source, _available(source, top)))
        preferred = next(
            (i for i, step in enumerate(steps) if source.layers[step.layer].track.size.height >= PREFERRED_HEIGHT),
            len(steps) - 1,
        )
        keyframe_bps = int(source.layers[0].track.keyframe_octets * 8 / STILL_S)
        still_bps = max(MIN_STILL_BPS, keyframe_bps, int(steps[0].bps * STILL_SHARE))
        return Wish(mid=slot.mid, priority=priority, steps=steps, preferred=preferred, still_bps=still_bps)

    def _top(self, slot: Slot, source: Source) -> int | None:
        """The index of the lowest layer that fills the slot's tile; None where it is hidden."""
        height = self._heights.get(slot.mid)
        if height == 0:
            return None
        last = len(source.layers) - 1
        if height is None:
            return last
        sizes = [layer.track.size.height for layer in source.layers]
        return next((i for i, size in enumerate(sizes) if size >= height * ENOUGH), last)

    def _want(self, place: _Place, top: int, now: float) -> None:
        """Want the layer that fills the tile, and those that stand in for it while the link does not take it."""
        layers = place.source.layers
        layers[top].want(now)
        layers[0].want(now)
        if place.choice is not None and (not isinstance(place.choice, Step) or place.choice.layer < top):
            for layer in layers[:top]:
                layer.want(now)

    # -- aims

    def _apply(self, place: _Place, choice: Choice, now: float) -> None:
        slot, layers = place.slot, place.source.layers
        place.choice = choice
        match choice:
            case Rest.PAUSED:
                self._leave(place)
                slot.flow = Flow.PAUSED
            case Rest.STILL:
                self._aim(place, layers[0], Reduction(still=True), now)
                slot.flow = Flow.STILL
            case Step(layer=index, temporal=temporal):
                self._aim(place, layers[index], Reduction(base_only=temporal == 0), now)
                slot.flow = Flow.LIVE if slot.route is not None else Flow.NONE

    def _aim(self, place: _Place, layer: Layer, reduction: Reduction, now: float) -> None:
        """Have the slot carry `layer`, reduced so. Until that begins, a larger layer that it carries is reduced."""
        slot, layers = place.slot, place.source.layers
        if place.target is not layer:
            if place.target is not None and place.target is not slot.carrier:
                place.target.remove(slot)
            place.target = layer
        carried = next((each for each in layers if each is slot.carrier), None)
        if carried is layer:
            layer.reduce(slot, reduction)
            return
        if carried is not None and layers.index(carried) > layers.index(layer):
            carried.reduce(slot, Reduction(base_only=True))
        if reduction.still and slot.carrier is None:
            due = slot.shown_at(layer.track) + STILL_S
            if now >= due - EARLY_S:
                layer.add(slot, now, reduction, ask=now >= due and slot.takes(layer.track))
        else:
            layer.add(slot, now, reduction)

    def _leave(self, place: _Place, *, keep: bool = False) -> None:
        """Have the slot carry nothing. `keep`: what it carries goes on until another source has begun."""
        slot, target = place.slot, place.target
        place.target = None
        if target is not None and target is not slot.carrier:
            target.remove(slot)
        if not keep and slot.carrier is not None:
            slot.carrier.release(slot)


def _pictures(slots: Iterable[Slot]) -> list[Slot]:
    return [slot for slot in slots if slot.kind == "video"]


def _is_single(source: Source) -> bool:
    return len(source.rids) <= 1 and len(source.layers) == 1


def _priority(slot: Slot, source: Source) -> Priority:
    if source.slides:
        return Priority.SLIDES
    return Priority.STAGE if slot.role is Role.STAGE else Priority.THUMBNAIL


def _available(source: Source, top: int) -> Sequence[int]:
    """The layers to choose from: those that come, up to `top`, or else the next larger one."""
    alive = [i for i, layer in enumerate(source.layers) if source.alive(layer)]
    return [i for i in alive if i <= top] or alive[:1] or range(top + 1)


def _steps(source: Source, indexes: Sequence[int]) -> list[Step]:
    """The steps of these layers, from low to high, without those that cost more than a better one."""
    steps: list[Step] = []
    for index in reversed(indexes):
        track = source.layers[index].track
        bps = track.steady_bps or GUESSED_BPS[min(index, len(GUESSED_BPS) - 1)]
        if not steps or bps < steps[0].bps:
            steps.insert(0, Step(bps=bps, layer=index))
    first = steps[0]
    if source.layers[first.layer].track.temporal_layers > 1:
        steps.insert(0, Step(bps=int(first.bps * BASE_SHARE), layer=first.layer, temporal=0))
    return steps
