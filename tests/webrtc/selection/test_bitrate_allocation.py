"""Who gets how much of a subscriber's link."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from webrtc.selection.bitrate_allocation import MARGIN, SLACK, Allocation, Choice, Priority, Rest, Step, Wish, allocate

STILL, PAUSED = Rest.STILL, Rest.PAUSED
SOUND = Step(bps=40_000, layer=0)
LOW, MIDDLE, HIGH = (Step(bps=bps, layer=layer) for layer, bps in enumerate((120_000, 500_000, 1_500_000)))
LESSON = (
    *(Wish(mid=f"v{i}", priority=Priority.VOICE, steps=(SOUND,)) for i in range(3)),
    Wish(mid="stage", priority=Priority.STAGE, steps=(LOW, MIDDLE, HIGH), preferred=1, still_bps=15_000),
    *(Wish(mid=f"t{i}", priority=Priority.THUMBNAIL, steps=(LOW, MIDDLE), still_bps=15_000) for i in range(2)),
)
TOP = 120_000 + MARGIN * (1_500_000 + 2 * 500_000)


@pytest.mark.parametrize(
    ("budget_bps", "stage", "thumbnails"),
    [
        (0, PAUSED, (PAUSED, PAUSED)),
        (130_000, PAUSED, (PAUSED, PAUSED)),
        (140_000, STILL, (PAUSED, PAUSED)),
        (160_000, STILL, (STILL, PAUSED)),
        (180_000, STILL, (STILL, STILL)),
        (270_000, LOW, (PAUSED, PAUSED)),
        (300_000, LOW, (STILL, STILL)),
        (600_000, LOW, (LOW, LOW)),
        (700_000, MIDDLE, (PAUSED, PAUSED)),
        (860_000, MIDDLE, (LOW, STILL)),
        (990_000, MIDDLE, (LOW, LOW)),
        (1_420_000, MIDDLE, (MIDDLE, LOW)),
        (2_000_000, MIDDLE, (MIDDLE, MIDDLE)),
        (TOP - 1, MIDDLE, (MIDDLE, MIDDLE)),
        (TOP, HIGH, (MIDDLE, MIDDLE)),
    ],
)
def test_pictures_rise_by_priority(budget_bps: int, stage: Choice, thumbnails: tuple[Choice, Choice]) -> None:
    allocation = allocate(LESSON, int(budget_bps), {})
    voices = {"v0": SOUND, "v1": SOUND, "v2": SOUND}
    assert allocation.choices == {**voices, "stage": stage, "t0": thumbnails[0], "t1": thumbnails[1]}
    assert allocation.wanted_bps == TOP


def test_large_picture_that_moves_stops_only_where_more_than_a_little_is_missing() -> None:
    moving = {"stage": LOW, "t0": LOW}
    for budget_bps, stage in ((240_000, LOW), (210_000, LOW), (200_000, STILL)):
        choices = allocate(LESSON, budget_bps, moving).choices
        assert (choices["stage"], choices["t0"]) == (stage, PAUSED if stage is LOW else STILL)
    assert allocate(LESSON, 240_000, {"stage": STILL}).choices["stage"] is STILL


def test_slides_go_before_the_stage_but_leave_it_its_lowest_step() -> None:
    slides = Wish(mid="slides", priority=Priority.SLIDES, steps=(LOW, MIDDLE, HIGH), preferred=2, still_bps=15_000)
    wishes = (*LESSON, slides)

    def large(budget_bps: int) -> tuple[Choice, Choice]:
        choices = allocate(wishes, budget_bps, {}).choices
        return choices["slides"], choices["stage"]

    assert [large(bps) for bps in (200_000, 280_000, 420_000, 900_000, 2_000_000, 2_500_000)] == [
        (STILL, STILL),
        (LOW, STILL),
        (LOW, LOW),
        (MIDDLE, LOW),
        (HIGH, LOW),
        (HIGH, MIDDLE),
    ]


def test_picture_goes_down_at_once_and_up_with_a_margin() -> None:
    wish = Wish(mid="stage", priority=Priority.STAGE, steps=(LOW, MIDDLE), still_bps=15_000)
    held: dict[str, Choice] = {}
    seen = []
    for budget_bps in (500_000, 575_000, 500_000, 499_999, 574_999, 575_000):
        choices = allocate([wish], budget_bps, held).choices
        held = dict(choices)
        seen.append(choices["stage"])
    assert seen == [LOW, MIDDLE, MIDDLE, LOW, LOW, MIDDLE]


def test_held_step_that_is_offered_no_more_counts_as_the_one_below() -> None:
    wish = Wish(mid="stage", priority=Priority.STAGE, steps=(LOW, MIDDLE))
    assert allocate([wish], 500_000, {"stage": HIGH}).choices == {"stage": MIDDLE}
    temporal = Step(bps=300_000, layer=1, temporal=0)
    wish = Wish(mid="stage", priority=Priority.STAGE, steps=(LOW, temporal, MIDDLE))
    assert allocate([wish], 510_000, {"stage": temporal}).choices == {"stage": temporal}
    assert allocate([wish], 300_000, {"stage": temporal}).choices == {"stage": temporal}


def test_wish_without_steps_is_paused() -> None:
    wishes = [Wish(mid="0", priority=Priority.VOICE, steps=()), Wish(mid="1", priority=Priority.STAGE, steps=())]
    assert allocate(wishes, 1_000_000, {"1": LOW}) == Allocation(
        choices={"0": PAUSED, "1": PAUSED}, bps=0, wanted_bps=0
    )


@st.composite
def lessons(draw: st.DrawFn) -> tuple[Wish, ...]:
    wishes = []
    for i in range(draw(st.integers(0, 6))):
        rates = sorted(draw(st.lists(st.integers(1_000, 2_000_000), min_size=1, max_size=5)))
        priority = draw(st.sampled_from(Priority))
        steps = tuple(Step(bps=bps, layer=layer) for layer, bps in enumerate(rates))
        still_bps, preferred = draw(st.integers(0, 20_000)), draw(st.integers(0, 6))
        wishes.append(Wish(mid=str(i), priority=priority, steps=steps, preferred=preferred, still_bps=still_bps))
    return tuple(wishes)


BUDGET = st.integers(0, 6_000_000)


@settings(deadline=None)
@given(lessons(), BUDGET, BUDGET)
def test_nothing_exceeds_the_budget_but_voices_and_a_little_what_moves(
    wishes: tuple[Wish, ...], before: int, budget_bps: int
) -> None:
    allocation = allocate(wishes, budget_bps, allocate(wishes, before, {}).choices)
    voices = [wish for wish in wishes if wish.priority is Priority.VOICE]
    assert allocation.bps <= max((1 + SLACK) * budget_bps, sum(wish.steps[0].bps for wish in voices))
    assert allocate(wishes, budget_bps, {}).bps <= max(budget_bps, sum(wish.steps[0].bps for wish in voices))
    assert PAUSED not in [allocation.choices[wish.mid] for wish in voices]


@settings(deadline=None)
@given(lessons(), BUDGET)
def test_choices_stay_while_the_budget_stays(wishes: tuple[Wish, ...], budget_bps: int) -> None:
    allocation = allocate(wishes, budget_bps, {})
    assert allocate(wishes, budget_bps, allocation.choices) == allocation


@settings(deadline=None)
@given(lessons(), BUDGET, BUDGET)
def test_more_budget_never_lowers_the_first_of_the_pictures(wishes: tuple[Wish, ...], one: int, other: int) -> None:
    first = min(
        (wish for wish in wishes if wish.priority in (Priority.SLIDES, Priority.STAGE)),
        key=lambda wish: wish.priority,
        default=None,
    )
    if first is None:
        return
    alone = [wish for wish in wishes if wish.priority in (Priority.VOICE, Priority.THUMBNAIL)] + [first]
    low, high = sorted((one, other))
    ladder: list[Choice] = [PAUSED, STILL, *first.steps[: first.preferred + 1]]
    levels = []
    for budget_bps in (low, high):
        choice = allocate(alone, budget_bps, {}).choices[first.mid]
        levels.append(ladder.index(choice) if choice in ladder else len(ladder))
    voices_bps = sum(wish.steps[-1].bps for wish in alone if wish.priority is Priority.VOICE)
    if low >= voices_bps:  # below it, voices rise too
        assert min(levels[0], len(ladder) - 1) <= min(levels[1], len(ladder) - 1)


@settings(deadline=None)
@given(lessons())
def test_what_is_wanted_brings_everything_to_the_top(wishes: tuple[Wish, ...]) -> None:
    allocation = allocate(wishes, allocate(wishes, 0, {}).wanted_bps + len(wishes), {})
    assert allocation.choices == {wish.mid: wish.steps[-1] for wish in wishes}
