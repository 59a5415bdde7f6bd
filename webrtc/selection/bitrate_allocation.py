"""How the bits of one subscriber's link are shared among its slots.

After Jitsi and mediasoup (shared priorities, one step at a time), with three rules for classrooms: voices are served
first and never paused; a picture falls to a still before it disappears; a step up needs a margin, a step down none.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, IntEnum
from math import ceil, inf

MARGIN = 1.15  # after a step up, what is left for pictures must be so many times what they use
# A large picture that moves stops only where more than this share of the budget is missing: no estimate is more exact.
SLACK = 0.15


class Priority(IntEnum):
    VOICE = 0
    SLIDES = 1
    STAGE = 2
    THUMBNAIL = 3


LARGE = (Priority.SLIDES, Priority.STAGE)


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
    """`bps`: the rate of all choices; above the budget only where the voices alone are, or by `SLACK`.

    `wanted_bps`: the budget that would bring every wish to its top, with the margin: a probe tries no more.
    """

    choices: Mapping[str, Choice]
    bps: int
    wanted_bps: int


def allocate(wishes: Sequence[Wish], budget_bps: int, held: Mapping[str, Choice]) -> Allocation:
    """One choice per wish, by mid. `held`: the choices until now. Among equals the wish that comes first wins.

    Voices keep at least their lowest step, whatever the budget. Pictures get what is left, in this order: slides and
    stage a still, then their lowest step; each of them up to its preferred step; thumbnails one step per round; slides
    and stage up to the top. A step that does not fit is left out, and the next one tried. A large picture that moves
    goes on at its lowest step where only a little is missing for it: to begin again costs a keyframe.
    """
    ladders = [_Ladder(wish, held.get(wish.mid)) for wish in wishes]
    voices = [ladder for ladder in ladders if ladder.wish.priority is Priority.VOICE]
    pictures = [ladder for ladder in ladders if ladder.wish.priority is not Priority.VOICE]
    for ladder, level in _by_level(voices):
        ladder.rise(level, budget_bps - sum(voice.bps for voice in voices))
    room_bps = budget_bps - sum(voice.bps for voice in voices)
    used_bps = 0
    for ladder, level in _rises(pictures):
        slack_bps = SLACK * budget_bps if ladder.moved(level) else 0.0
        used_bps += ladder.rise(level, room_bps + slack_bps - used_bps, spare_bps=room_bps / MARGIN - used_bps)
    return Allocation(
        choices={ladder.wish.mid: ladder.choice for ladder in ladders},
        bps=sum(ladder.bps for ladder in ladders),
        wanted_bps=sum(voice.top_bps for voice in voices) + ceil(MARGIN * sum(picture.top_bps for picture in pictures)),
    )


def least_bps(wishes: Sequence[Wish], mids: Collection[str]) -> int:
    """The budget at which the first large picture among `mids` moves, beside the voices; 0 where there is none."""
    large = sorted((wish for wish in wishes if wish.priority in LARGE and wish.steps), key=lambda wish: wish.priority)
    first = next((wish for wish in large if wish.mid in mids), None)
    if first is None:
        return 0
    voices_bps = sum(wish.steps[0].bps for wish in wishes if wish.priority is Priority.VOICE and wish.steps)
    others_bps = sum(wish.still_bps for wish in large if wish is not first)
    return voices_bps + ceil(MARGIN * (first.steps[-1].bps + others_bps))


class _Ladder:
    """The choices of one wish from nothing to the top, and how far it has come."""

    def __init__(self, wish: Wish, held: Choice | None) -> None:
        self.wish = wish
        self._choices: list[tuple[int, Choice]] = [(step.bps, step) for step in wish.steps]
        if wish.priority is not Priority.VOICE or not wish.steps:
            if wish.steps and 0 < wish.still_bps < wish.steps[0].bps:
                self._choices.insert(0, (wish.still_bps, Rest.STILL))
            self._choices.insert(0, (0, Rest.PAUSED))
        self.lowest = len(self._choices) - len(wish.steps)  # the level of the lowest step
        self._level = 0
        self._held = self._held_level(held)

    def __len__(self) -> int:
        return len(self._choices)

    @property
    def choice(self) -> Choice:
        return self._choices[self._level][1]

    @property
    def bps(self) -> int:
        return self._choices[self._level][0]

    @property
    def top_bps(self) -> int:
        return self._choices[-1][0]

    def moved(self, level: int) -> bool:
        """Whether this is a large picture that has moved until now, and `level` its lowest one that moves."""
        large = self.wish.priority in LARGE
        return large and level == self.lowest and level <= self._held

    def rise(self, level: int, left_bps: float, *, spare_bps: float = inf) -> int:
        """Go up to `level` if it costs at most `left_bps`, and if it is new, `spare_bps`. The cost; 0 if it stays."""
        cost = self._choices[level][0] - self.bps
        if level <= self._level or cost > left_bps or (level > self._held and cost > spare_bps):
            return 0
        self._level = level
        return cost

    def _held_level(self, held: Choice | None) -> int:
        """The level of `held`; where its step is no longer offered, that of the next one below."""
        if held is None or held is Rest.PAUSED:
            return 0
        if held is Rest.STILL:
            return max(0, self.lowest - 1)
        return max(
            (
                level
                for level, (_, choice) in enumerate(self._choices)
                if isinstance(choice, Step) and _quality(choice) <= _quality(held)
            ),
            default=0,
        )


def _rises(pictures: list[_Ladder]) -> Iterator[tuple[_Ladder, int]]:
    """Every step up that pictures may take, in the order in which they get it."""
    large = sorted((one for one in pictures if one.wish.priority is not Priority.THUMBNAIL), key=_priority)
    for ladder, level in _by_level(large):
        if level <= ladder.lowest:
            yield ladder, level
    for ladder in large:
        for level in range(ladder.lowest + 1, min(ladder.lowest + ladder.wish.preferred + 1, len(ladder))):
            yield ladder, level
    yield from _by_level([one for one in pictures if one.wish.priority is Priority.THUMBNAIL])
    for ladder in large:
        for level in range(ladder.lowest + 1, len(ladder)):
            yield ladder, level


def _by_level(ladders: list[_Ladder]) -> Iterator[tuple[_Ladder, int]]:
    for level in range(1, max(map(len, ladders), default=0)):
        for ladder in ladders:
            if level < len(ladder):
                yield ladder, level


def _priority(ladder: _Ladder) -> Priority:
    return ladder.wish.priority


def _quality(step: Step) -> tuple[int, float]:
    return step.layer, inf if step.temporal is None else step.temporal
