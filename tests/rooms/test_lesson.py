from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta, timezone
from itertools import product

import pytest

from rooms.errors import InvalidLesson, InvalidState, SiteNotFound
from rooms.invitation import INVITATION_MOVES, InvitationState, checked_move
from rooms.lesson import (
    MOVES,
    EndReason,
    Lesson,
    LessonState,
    Site,
    StartBlock,
    can_resume,
    can_start,
    due_at,
    gives_way,
    start_block,
)
from rooms.lesson_moves import cancelled, ended, moved_by_time, reinstated, replanned, resumed, started
from tests.rooms.samples import LOI, LOI_ROOM, MINUTE, NINE, XUAN, XUAN_OTHER, XUAN_ROOM, lesson

SCHEDULED, LIVE, ENDED, CANCELLED = LessonState
PENDING, ACCEPTED, DECLINED, REVOKED, EXPIRED = InvitationState


def test_a_planned_lesson_has_its_own_rooms_and_asks_for_others() -> None:
    assert lesson().sites == (
        Site(room_id=XUAN_ROOM.id, school_id=XUAN, invitation=ACCEPTED),
        Site(room_id=LOI_ROOM.id, school_id=LOI, invitation=PENDING),
    )
    assert lesson().accepted == lesson().sites[:1]
    assert lesson().site(LOI_ROOM.id) == lesson().sites[1]
    with pytest.raises(SiteNotFound, match="xuan-4b"):
        lesson().site(XUAN_OTHER.id)


@pytest.mark.parametrize("current", list(LessonState))
@pytest.mark.parametrize("wanted", list(LessonState))
def test_a_lesson_moves_along_the_table_only(current: LessonState, wanted: LessonState) -> None:
    moving = replace(lesson(), state=current)
    legal = {(SCHEDULED, LIVE), (SCHEDULED, CANCELLED), (CANCELLED, SCHEDULED), (LIVE, ENDED), (ENDED, LIVE)}
    if (current, wanted) in legal:
        assert moving.moved_to(wanted) == replace(moving, state=wanted)
        return
    with pytest.raises(InvalidState, match=f"{current} -> {wanted}"):
        moving.moved_to(wanted)
    assert MOVES.keys() == set(LessonState)


@pytest.mark.parametrize("current", list(InvitationState))
@pytest.mark.parametrize("wanted", list(InvitationState))
def test_an_invitation_moves_along_the_table_only(current: InvitationState, wanted: InvitationState) -> None:
    if wanted in INVITATION_MOVES[current]:
        assert checked_move(current, wanted) is wanted
        return
    with pytest.raises(InvalidState, match=f"{current} -> {wanted}"):
        checked_move(current, wanted)


def test_only_the_guest_that_was_asked_can_accept() -> None:
    assert {state for state in InvitationState if ACCEPTED in INVITATION_MOVES[state]} == {PENDING, DECLINED}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"end": NINE}, "ends after it starts"),
        ({"end": NINE - MINUTE}, "ends after it starts"),
        ({"end": NINE + timedelta(hours=24, seconds=1)}, "within"),
        ({"start": NINE.replace(tzinfo=None), "end": NINE.replace(tzinfo=None) + MINUTE}, "aware"),
        ({"start": NINE.astimezone(timezone(timedelta(hours=7)))}, "UTC"),
        ({"title": "  "}, "title is empty"),
        ({"title": "x" * 201}, "at most 200"),
        ({"subject": "a\x00b"}, "not text"),
        ({"title": "\ud800"}, "not text"),
        ({"sites": ()}, "1 to 100 rooms"),
        ({"sites": lesson().sites[:1] * 2}, "once"),
    ],
)
def test_an_impossible_lesson_is_refused(changes: dict[str, object], says: str) -> None:
    fields = {name: getattr(lesson(), name) for name in ("id", "title", "host_school_id", "start", "end", "sites")}
    with pytest.raises(InvalidLesson, match=says):
        Lesson(**(fields | changes))


@pytest.mark.parametrize(
    ("state", "after_start_min", "expected"),
    [
        (SCHEDULED, -61, False),
        (SCHEDULED, -60, True),
        (SCHEDULED, 34, True),
        (SCHEDULED, 35, False),
        (LIVE, 0, False),
        (ENDED, 0, False),
        (CANCELLED, 0, False),
    ],
)
def test_a_tap_on_start_counts_around_the_lesson(state: LessonState, after_start_min: int, expected: bool) -> None:
    assert can_start(replace(lesson(), state=state), NINE + after_start_min * MINUTE) is expected


@pytest.mark.parametrize(
    ("state", "after_end_min", "expected"),
    [
        (SCHEDULED, -1, None),
        (SCHEDULED, 0, (CANCELLED, EndReason.NOT_STARTED)),
        (LIVE, 9, None),
        (LIVE, 10, (ENDED, EndReason.TIME)),
        (ENDED, 99, None),
        (CANCELLED, 99, None),
    ],
)
def test_time_alone_moves_a_lesson_after_its_end(
    state: LessonState, after_end_min: int, expected: tuple[LessonState, EndReason] | None
) -> None:
    moving = replace(lesson(), state=state)
    now = moving.end + after_end_min * MINUTE
    after = moved_by_time(moving, now, grace=10 * MINUTE)
    assert (None if after is moving else (after.state, after.end_reason)) == expected
    due = due_at(moving, grace=10 * MINUTE)
    assert (due is not None and due <= now) is (expected is not None)


@pytest.mark.parametrize(
    ("after_start_min", "expected"),
    [(-61, StartBlock.TOO_EARLY), (-60, None), (34, None), (35, StartBlock.TOO_LATE)],
)
def test_what_keeps_a_lesson_from_starting_is_named(after_start_min: int, expected: StartBlock | None) -> None:
    assert start_block(lesson(), NINE + after_start_min * MINUTE) is expected


def test_a_lesson_without_a_room_does_not_start() -> None:
    asked = replace(lesson(), sites=lesson().sites[1:])
    assert (start_block(asked, NINE), can_start(asked, NINE)) == (StartBlock.NO_ROOM, False)
    assert can_start(_answered(lesson(), PENDING), NINE)


@pytest.mark.parametrize(
    ("state", "after_end_min", "expected"),
    [
        (ENDED, -20, True),
        (ENDED, 9, True),
        (ENDED, 10, False),
        (LIVE, 0, False),
        (SCHEDULED, 0, False),
        (CANCELLED, -20, False),
    ],
)
@pytest.mark.parametrize("reason", [EndReason.TAP, EndReason.TIME])
def test_an_ended_lesson_goes_on_until_time_would_have_ended_it(
    state: LessonState, after_end_min: int, expected: bool, reason: EndReason
) -> None:
    over = replace(lesson(), state=state, end_reason=reason)
    assert can_resume(over, over.end + after_end_min * MINUTE, grace=10 * MINUTE) is expected


def test_a_live_lesson_past_its_end_gives_way() -> None:
    live = replace(lesson(), state=LIVE)
    assert [gives_way(live, live.end - MINUTE), gives_way(live, live.end)] == [False, True]
    assert not gives_way(lesson(), live.end)


def _answered(planned: Lesson, invitation: InvitationState) -> Lesson:
    own, guest = planned.sites
    return replace(planned, sites=(own, replace(guest, invitation=invitation)))


@pytest.mark.parametrize(
    ("answer", "later_min", "expected"),
    [
        (ACCEPTED, 0, ACCEPTED),
        (ACCEPTED, 5, PENDING),
        (DECLINED, 0, DECLINED),
        (DECLINED, 5, DECLINED),
        (PENDING, 5, PENDING),
    ],
)
def test_a_guest_that_accepted_is_asked_again_only_about_other_times(
    answer: InvitationState, later_min: int, expected: InvitationState
) -> None:
    current = _answered(lesson(), answer)
    wanted = replace(
        _answered(lesson(), ACCEPTED), title="Sông Lam", start=NINE + later_min * MINUTE, state=LIVE, version=7
    )
    assert replanned(current, wanted) == replace(
        _answered(lesson(), expected), title="Sông Lam", start=NINE + later_min * MINUTE, version=2
    )


def test_rooms_added_later_are_planned_like_the_first() -> None:
    current = lesson("lesson-1", XUAN_ROOM)
    wanted = replace(lesson("lesson-1", XUAN_OTHER, LOI_ROOM), end=current.end)
    forged = replace(wanted, sites=tuple(replace(site, invitation=ACCEPTED) for site in wanted.sites))
    assert replanned(current, forged) == replace(wanted, version=2)


@pytest.mark.parametrize("state", [LIVE, ENDED, CANCELLED])
def test_only_a_scheduled_lesson_is_planned_anew(state: LessonState) -> None:
    with pytest.raises(InvalidState, match=state):
        replanned(replace(lesson(), state=state), lesson())


def test_each_rule_makes_one_move_along_the_table_once_and_no_other() -> None:
    rules: dict[LessonState, tuple[Callable[[Lesson], Lesson], ...]] = {
        LIVE: (lambda each: started(each, NINE), lambda each: resumed(each, NINE)),
        ENDED: (lambda each: ended(each, NINE, EndReason.TAP),),
        CANCELLED: (lambda each: cancelled(each, NINE),),
        SCHEDULED: (lambda each: reinstated(each, NINE),),
    }
    made = set()
    for wanted, state in product(LessonState, LessonState):
        for rule in rules[wanted]:
            current = replace(lesson(), state=state, end_reason=EndReason.NOT_STARTED)
            try:
                after = rule(current)
            except InvalidState:
                continue
            assert (after.state, after.version, after is current) == (
                wanted,
                1 if state is wanted else 2,
                state is wanted,
            )
            made.add((state, wanted))
    assert made == {(state, wanted) for state in MOVES for wanted in (MOVES[state] | {state})}
