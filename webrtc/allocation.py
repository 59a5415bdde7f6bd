"""How the bits of one subscriber's link are shared among its slots.

After Jitsi and mediasoup (shared priorities, one step at a time), with three rules of a classroom: voices are reserved
first and never paused; a picture falls to a still before it disappears; going up needs a margin, going down none.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, IntEnum

MARGIN = 1.15  # the budget must exceed by so much what would be used after a step up


class Priority(IntEnum):
    VOICE = 0
    SLIDES = 1
    STAGE = 2
    THUMBNAIL = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One way to send a source: a simulcast layer, up to a temporal layer (None: all of it), at `bps`."""

    bps: int
    layer: int
    temporal: int | None = None


class Rest(Enum):
    STILL = "still"  # a keyframe every few seconds
    PAUSED = "paused"


Choice = Step | Rest


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a slot could carry: `steps` from low to high, as far as the tile's size makes sense.

    `preferred`: the index of the step that slides and stage reach before thumbnails get anything. `still_bps`: what a
    still costs on average; 0 where there is none, as for sound.
    """

    mid: str
    priority: Priority
    steps: tuple[Step, ...]
    preferred: int = 0
    still_bps: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocation:
    """`bps`: what the choices take; above the budget only where voices alone are. `wanted_bps`: the budget that would
    bring every wish to its top, with the margin; to be probed for."""

    choices: Mapping[str, Choice]
    bps: int
    wanted_bps: int


def allocate(wishes: Sequence[Wish], budget_bps: int, held: Mapping[str, Choice]) -> Allocation:
    """One choice per wish, by mid. `held`: the choices until now; wishes of equal priority come in order."""
    raise NotImplementedError
