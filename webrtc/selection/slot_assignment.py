"""Which source each slot of one subscriber gets: the best of each rank, and none moves without need."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from webrtc.forwarding.layers import Source
from webrtc.forwarding.slots import Slot
from webrtc.shared.state import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class RankedSources:
    """The sources for the slots of each role, the best first."""

    stage: Sequence[Source] = ()
    thumbnails: Sequence[Source] = ()
    voices: Sequence[Source] = ()


def assign_slots(slots: Sequence[Slot], assigned: Mapping[Slot, Source], ranks: RankedSources) -> dict[Slot, Source]:
    """The source of each slot, in the order of the ranks. `assigned`: the sources that the slots have now.

    The stage follows its rank at once. In the other slots a source keeps its place as long as it is among the best.
    """
    chosen: dict[Slot, Source] = {}
    for slot in slots:
        if slot.role is Role.STAGE:
            best = next((source for source in ranks.stage if _takes(slot, source)), None)
            if best is not None:
                chosen[slot] = best
    stage = set(chosen.values())
    others = (source for source in ranks.thumbnails if source not in stage)
    _assign_role([slot for slot in slots if slot.role is Role.THUMBNAIL], others, assigned, chosen)
    _assign_role([slot for slot in slots if slot.role is Role.VOICE], ranks.voices, assigned, chosen)
    return chosen


def _assign_role(
    slots: Sequence[Slot], ranked: Iterable[Source], assigned: Mapping[Slot, Source], chosen: dict[Slot, Source]
) -> None:
    best = [source for source in ranked if any(_takes(slot, source) for slot in slots)][: len(slots)]
    slot_of: dict[Source, Slot] = {}
    for slot in slots:
        if (kept := assigned.get(slot)) in best and kept is not None:
            slot_of.setdefault(kept, slot)
    for slot in [each for each in slots if each not in slot_of.values()]:
        source = next((each for each in best if each not in slot_of and _takes(slot, each)), None)
        if source is not None:
            slot_of[source] = slot
    chosen.update((slot_of[source], source) for source in best if source in slot_of)


def _takes(slot: Slot, source: Source) -> bool:
    return bool(source.layers) and slot.takes(source.layers[0].track)
