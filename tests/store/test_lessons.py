import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import replace

import pytest

from rooms.errors import (
    AlreadyExists,
    InvalidLesson,
    InvalidState,
    LessonNotFound,
    OrganisationNotFound,
    RemindedLately,
    RoomBusy,
    RoomNotFound,
    SiteNotFound,
    VersionConflict,
)
from rooms.invitation import InvitationState
from rooms.lesson import EndReason, Lesson, LessonId, LessonKind, LessonState
from rooms.room import RoomId
from rooms.scene import StepId
from rooms.school import OrganisationId, SchoolId
from store import Store
from store.lessons import LessonChange
from tests.rooms.samples import LOI, LOI_ROOM, MINUTE, NINE, XUAN, XUAN_OTHER, XUAN_ROOM, lesson

PENDING, ACCEPTED, DECLINED, REVOKED, EXPIRED = InvitationState
ID = lesson().id


def answered(planned: Lesson, invitation: InvitationState, version: int) -> Lesson:
    """The linked lesson with Lê Lợi's answer."""
    own, guest = planned.sites
    return replace(planned, sites=(own, replace(guest, invitation=invitation)), version=version)


async def all_at_once(
    calls: Sequence[Coroutine[None, None, LessonChange | None]],
) -> list[LessonChange | BaseException | None]:
    async with asyncio.timeout(30):
        return await asyncio.gather(*calls, return_exceptions=True)


def happened(result: LessonChange | BaseException | None) -> bool:
    return isinstance(result, LessonChange) and result.happened


async def test_a_lesson_comes_back_as_it_was(schools: Store) -> None:
    training = replace(lesson(), kind=LessonKind.TRAINING)
    await schools.lessons.add(training)
    assert await schools.lessons.get(ID) == training
    assert await schools.lessons.upcoming() == (training,)
    assert await schools.lessons.live() == ()


async def test_lessons_are_found_by_time_and_by_school(schools: Store) -> None:
    linked = lesson()
    own = lesson("lesson-2", XUAN_ROOM, start=linked.end)
    await schools.lessons.add(own)
    await schools.lessons.add(linked)

    async def found(start_min: int, end_min: int, *school_ids: SchoolId) -> list[str]:
        lessons = await schools.lessons.list(
            start=NINE + start_min * MINUTE, end=NINE + end_min * MINUTE, school_ids=school_ids or None
        )
        return [each.id for each in lessons]

    assert await found(0, 100) == ["lesson-1", "lesson-2"]
    assert await found(0, 100, LOI) == ["lesson-1"]
    assert await found(0, 100, LOI, XUAN) == ["lesson-1", "lesson-2"]
    assert await found(0, 100, SchoolId(OrganisationId("nowhere"))) == []
    assert (await found(-9, 0), await found(34, 35), await found(35, 36)) == ([], ["lesson-1"], ["lesson-2"])


async def test_a_lesson_nobody_can_hold_is_refused(schools: Store) -> None:
    nowhere = SchoolId(OrganisationId("nowhere"))
    guest = lesson().sites[1]
    for wrong, error in (
        (lesson(host=nowhere), OrganisationNotFound),
        (lesson("x", XUAN_ROOM, replace(LOI_ROOM, id=RoomId("nowhere"))), RoomNotFound),
        (lesson("x", XUAN_ROOM, replace(LOI_ROOM, school_id=XUAN)), InvalidLesson),
        (replace(lesson(), sites=(replace(guest, invitation=ACCEPTED),)), InvalidLesson),
        (replace(lesson(), state=LessonState.LIVE), InvalidLesson),
    ):
        with pytest.raises(error):
            await schools.lessons.add(wrong)
    assert await schools.lessons.upcoming() == ()
    await schools.lessons.add(lesson())
    with pytest.raises(AlreadyExists):
        await schools.lessons.add(lesson(start=NINE + 60 * MINUTE))


async def test_start_and_end_happen_once(schools: Store) -> None:
    await schools.lessons.add(lesson())
    live = replace(lesson(), state=LessonState.LIVE, started_at=NINE, version=2)
    assert await schools.lessons.start(ID, NINE) == (lesson(), live)
    assert not (await schools.lessons.start(ID, NINE + MINUTE)).happened
    assert await schools.lessons.live() == (live,)
    with pytest.raises(InvalidState, match="has begun"):
        await schools.lessons.cancel(ID, NINE)
    ended = replace(
        answered(live, EXPIRED, 3), state=LessonState.ENDED, ended_at=NINE + MINUTE, end_reason=EndReason.TAP
    )
    assert await schools.lessons.end(ID, NINE + MINUTE, EndReason.TAP) == (live, ended)
    assert not (await schools.lessons.end(ID, NINE + 2 * MINUTE, EndReason.TIME)).happened
    with pytest.raises(InvalidState, match="it is ended"):
        await schools.lessons.start(ID, NINE + 2 * MINUTE)
    assert await schools.lessons.get(ID) == ended


async def test_a_lesson_that_never_started_is_cancelled(schools: Store) -> None:
    await schools.lessons.add(lesson())
    with pytest.raises(InvalidState, match="never live"):
        await schools.lessons.end(ID, NINE, EndReason.TAP)
    cancelled = replace(
        answered(lesson(), EXPIRED, 2),
        state=LessonState.CANCELLED,
        ended_at=lesson().end,
        end_reason=EndReason.NOT_STARTED,
    )
    assert await schools.lessons.move_by_time(ID, lesson().end, MINUTE) == (lesson(), cancelled)
    assert not (await schools.lessons.cancel(ID, lesson().end)).happened
    assert await schools.lessons.upcoming() == ()


async def test_of_twenty_taps_one_starts_the_lesson(schools: Store) -> None:
    await schools.lessons.add(lesson())
    results = await all_at_once([schools.lessons.start(ID, NINE) for _ in range(20)])
    live = replace(lesson(), state=LessonState.LIVE, started_at=NINE, version=2)
    assert sorted(results, key=happened) == [(live, live)] * 19 + [(lesson(), live)]


async def test_of_two_lessons_that_want_a_room_one_has_it(schools: Store) -> None:
    wanted = [lesson(f"lesson-{number}", XUAN_ROOM, start=NINE + number * MINUTE) for number in range(10)]
    results = await all_at_once([schools.lessons.add(each) for each in wanted])
    (kept,) = await schools.lessons.upcoming()
    busy = [each for each in results if isinstance(each, RoomBusy)]
    assert [(each.room_id, each.lesson_id) for each in busy] == [(XUAN_ROOM.id, kept.id)] * 9
    await schools.lessons.cancel(kept.id, NINE)
    await schools.lessons.add(lesson("free-again", XUAN_ROOM))


async def test_lessons_one_after_the_other_share_a_room(schools: Store) -> None:
    first, second = lesson("first", XUAN_ROOM), lesson("second", XUAN_ROOM, start=lesson().end)
    await schools.lessons.add(first)
    await schools.lessons.add(second)
    await schools.lessons.start(first.id, NINE)
    with pytest.raises(RoomBusy) as caught:
        await schools.lessons.start(second.id, second.start)
    assert (caught.value.room_id, caught.value.lesson_id) == (XUAN_ROOM.id, first.id)
    assert await schools.lessons.get(second.id) == second
    await schools.lessons.end(first.id, second.start, EndReason.TIME)
    assert (await schools.lessons.start(second.id, second.start)).happened


async def test_of_two_lessons_started_at_once_in_a_room_one_is_live(schools: Store) -> None:
    both = [lesson("first", XUAN_ROOM), lesson("second", XUAN_ROOM, start=lesson().end)]
    for each in both:
        await schools.lessons.add(each)
    results = await all_at_once([schools.lessons.start(each.id, NINE) for each in both])
    assert {type(each) for each in results} == {LessonChange, RoomBusy}
    assert len(await schools.lessons.live()) == 1


async def test_a_room_asked_twice_accepts_once(schools: Store) -> None:
    invited = [lesson("first"), lesson("second", XUAN_OTHER, LOI_ROOM)]
    for each in invited:
        await schools.lessons.add(each)
    accept = [schools.lessons.set_invitation(each.id, LOI_ROOM.id, ACCEPTED) for each in invited]
    results = await all_at_once(accept)
    assert {type(each) for each in results} == {LessonChange, RoomBusy}
    answers = [each.site(LOI_ROOM.id).invitation for each in await schools.lessons.upcoming()]
    assert sorted(answers) == [ACCEPTED, PENDING]


async def test_an_invitation_is_answered_along_its_moves(schools: Store) -> None:
    await schools.lessons.add(lesson())
    answer = schools.lessons.set_invitation
    assert (await answer(ID, LOI_ROOM.id, ACCEPTED)).after == answered(lesson(), ACCEPTED, 2)
    assert (await answer(ID, LOI_ROOM.id, ACCEPTED)).after == answered(lesson(), ACCEPTED, 2)
    assert (await answer(ID, LOI_ROOM.id, DECLINED)).after == answered(lesson(), DECLINED, 3)
    assert (await answer(ID, LOI_ROOM.id, REVOKED)).after == answered(lesson(), REVOKED, 4)
    with pytest.raises(InvalidState, match="revoked -> accepted"):
        await answer(ID, LOI_ROOM.id, ACCEPTED)
    with pytest.raises(SiteNotFound, match="xuan-4b"):
        await answer(ID, XUAN_OTHER.id, ACCEPTED)
    await schools.lessons.cancel(ID, NINE)
    with pytest.raises(InvalidState, match="cancelled"):
        await answer(ID, LOI_ROOM.id, PENDING)


async def test_a_lesson_ended_by_mistake_goes_on(schools: Store) -> None:
    await schools.lessons.add(lesson())
    await schools.lessons.start(ID, NINE)
    await schools.lessons.end(ID, NINE + MINUTE, EndReason.TAP)
    results = await all_at_once([schools.lessons.resume(ID, NINE + 2 * MINUTE, 10 * MINUTE) for _ in range(5)])
    live = replace(lesson(), state=LessonState.LIVE, started_at=NINE, version=4)
    assert [each.after for each in results if isinstance(each, LessonChange)] == [live] * 5
    assert [happened(each) for each in results].count(True) == 1
    await schools.lessons.end(ID, NINE + 3 * MINUTE, EndReason.TAP)
    with pytest.raises(InvalidState, match="too long ago"):
        await schools.lessons.resume(ID, lesson().end + 10 * MINUTE, 10 * MINUTE)
    assert (await schools.lessons.get(ID)).ended_at == NINE + 3 * MINUTE


async def test_a_lesson_does_not_go_on_where_its_room_has_been_taken(schools: Store) -> None:
    next_one = lesson("next", XUAN_ROOM, start=lesson().end)
    await schools.lessons.add(lesson())
    await schools.lessons.add(next_one)
    await schools.lessons.start(ID, NINE)
    await schools.lessons.end(ID, NINE + MINUTE, EndReason.TAP)
    ended = await schools.lessons.get(ID)
    await schools.lessons.start(next_one.id, NINE + MINUTE)
    with pytest.raises(RoomBusy) as caught:
        await schools.lessons.resume(ID, NINE + 2 * MINUTE, 10 * MINUTE)
    assert (caught.value.room_id, caught.value.lesson_id) == (XUAN_ROOM.id, "next")
    assert await schools.lessons.get(ID) == ended


async def test_what_a_room_sends_is_kept_and_is_of_a_live_lesson_it_takes_part_in(schools: Store) -> None:
    send = schools.lessons.set_sending
    await schools.lessons.add(lesson())
    with pytest.raises(InvalidState, match="not live"):
        await send(ID, XUAN_ROOM.id, muted=True)
    await schools.lessons.start(ID, NINE)
    with pytest.raises(InvalidState, match="takes no part"):
        await send(ID, LOI_ROOM.id, muted=True)
    await schools.lessons.set_invitation(ID, LOI_ROOM.id, ACCEPTED)
    assert (await send(ID, LOI_ROOM.id, muted=True)).after.version == 4
    changed = (await send(ID, LOI_ROOM.id, camera_off=True)).after
    assert (await send(ID, LOI_ROOM.id, camera_off=True)).after == changed
    assert (changed.site(LOI_ROOM.id).muted, changed.site(LOI_ROOM.id).camera_off) == (True, True)
    assert await schools.lessons.get(ID) == changed
    assert (await send(ID, LOI_ROOM.id, muted=False, camera_off=False)).after.sites[1] == answered(
        lesson(), ACCEPTED, 1
    ).sites[1]


async def test_a_room_that_stepped_out_is_asked_until_somebody_answers(schools: Store) -> None:
    answer = schools.lessons.set_invitation
    await schools.lessons.add(lesson())
    assert await schools.lessons.asking(LOI_ROOM.id) is None
    await schools.lessons.start(ID, NINE)
    assert await schools.lessons.asking(LOI_ROOM.id) == await schools.lessons.get(ID)
    await answer(ID, LOI_ROOM.id, ACCEPTED)
    assert await schools.lessons.asking(LOI_ROOM.id) is None
    left = (await answer(ID, LOI_ROOM.id, DECLINED, stepped_out=True)).after
    assert left.site(LOI_ROOM.id).stepped_out
    assert await schools.lessons.asking(LOI_ROOM.id) == left
    assert not (await answer(ID, LOI_ROOM.id, DECLINED)).after.site(LOI_ROOM.id).stepped_out
    assert await schools.lessons.asking(LOI_ROOM.id) is None
    assert not (await answer(ID, LOI_ROOM.id, ACCEPTED)).after.site(LOI_ROOM.id).stepped_out
    assert await schools.lessons.asking(XUAN_ROOM.id) is None


async def test_a_room_is_reminded_once_a_minute_until_it_answers(schools: Store) -> None:
    remind = schools.lessons.remind
    await schools.lessons.add(lesson())
    with pytest.raises(InvalidState, match="not live"):
        await remind(ID, LOI_ROOM.id, NINE)
    await schools.lessons.start(ID, NINE)
    assert (await remind(ID, LOI_ROOM.id, NINE)).after.site(LOI_ROOM.id).reminded_at == NINE
    with pytest.raises(RemindedLately):
        await remind(ID, LOI_ROOM.id, NINE + 0.99 * MINUTE)
    assert (await remind(ID, LOI_ROOM.id, NINE + MINUTE)).after.site(LOI_ROOM.id).reminded_at == NINE + MINUTE
    await schools.lessons.set_invitation(ID, LOI_ROOM.id, DECLINED)
    with pytest.raises(InvalidState, match="has answered: declined"):
        await remind(ID, LOI_ROOM.id, NINE + 5 * MINUTE)


async def test_lessons_that_wait_for_a_room_are_found(schools: Store) -> None:
    await schools.lessons.add(lesson())
    await schools.lessons.add(lesson("later", XUAN_ROOM, start=NINE + 60 * MINUTE))
    found = schools.lessons.scheduled_in
    assert await found([XUAN_ROOM.id], before=NINE + 60 * MINUTE) == (ID,)
    assert set(await found([XUAN_ROOM.id], before=NINE + 61 * MINUTE)) == {ID, "later"}
    assert await found([LOI_ROOM.id], before=NINE + 61 * MINUTE) == ()


async def test_a_scheduled_lesson_is_planned_anew_at_its_version(schools: Store) -> None:
    await schools.lessons.add(lesson())
    await schools.lessons.set_invitation(ID, LOI_ROOM.id, ACCEPTED)
    moved = replace(lesson("lesson-1", XUAN_OTHER, LOI_ROOM, start=NINE + MINUTE), title="Sông Lam")
    assert (await schools.lessons.update(moved, expected_version=2)).after == replace(moved, version=3)
    assert await schools.lessons.get(ID) == replace(moved, version=3)
    with pytest.raises(VersionConflict) as caught:
        await schools.lessons.update(moved, expected_version=2)
    assert (caught.value.expected, caught.value.current) == (2, 3)
    await schools.lessons.start(ID, NINE)
    with pytest.raises(InvalidState, match="only a scheduled lesson"):
        await schools.lessons.update(moved, expected_version=4)


async def test_a_lesson_is_not_moved_onto_another(schools: Store) -> None:
    later = lesson("later", XUAN_ROOM, start=NINE + 60 * MINUTE)
    await schools.lessons.add(lesson())
    await schools.lessons.add(later)
    with pytest.raises(RoomBusy):
        await schools.lessons.update(replace(later, start=NINE), expected_version=1)
    assert await schools.lessons.get(later.id) == later


async def test_what_a_person_decided_otherwise_is_kept(schools: Store) -> None:
    await schools.lessons.add(lesson())
    steps = frozenset({StepId("projector"), StepId("lights")})
    changed = (await schools.lessons.set_overridden(ID, LOI_ROOM.id, steps)).after
    assert changed.site(LOI_ROOM.id).overridden == steps
    assert (await schools.lessons.set_overridden(ID, LOI_ROOM.id, steps)).after == changed
    assert await schools.lessons.get(ID) == changed


async def test_what_a_person_decided_otherwise_ends_where_the_room_is_put_to_rest(schools: Store) -> None:
    steps = frozenset({StepId("projector")})
    await schools.lessons.add(lesson())
    await schools.lessons.set_invitation(ID, LOI_ROOM.id, ACCEPTED)
    await schools.lessons.start(ID, NINE)
    for room in (XUAN_ROOM, LOI_ROOM):
        await schools.lessons.set_overridden(ID, room.id, steps)
    left = (await schools.lessons.set_invitation(ID, LOI_ROOM.id, DECLINED)).after
    assert [site.overridden for site in left.sites] == [steps, frozenset()]
    await schools.lessons.end(ID, NINE + MINUTE, EndReason.TAP)
    resumed = (await schools.lessons.resume(ID, NINE + 2 * MINUTE, MINUTE)).after
    assert [site.overridden for site in resumed.sites] == [frozenset(), frozenset()]


async def test_an_unknown_lesson_is_said_to_be_so(schools: Store) -> None:
    unknown = LessonId("unknown")
    for call in (
        schools.lessons.get(unknown),
        schools.lessons.start(unknown, NINE),
        schools.lessons.end(unknown, NINE, EndReason.TAP),
        schools.lessons.cancel(unknown, NINE),
        schools.lessons.update(replace(lesson(), id=unknown), expected_version=1),
        schools.lessons.set_invitation(unknown, LOI_ROOM.id, ACCEPTED),
        schools.lessons.set_overridden(unknown, LOI_ROOM.id, frozenset()),
        schools.lessons.set_sending(unknown, LOI_ROOM.id, muted=True),
        schools.lessons.resume(unknown, NINE, MINUTE),
    ):
        with pytest.raises(LessonNotFound, match="unknown"):
            await call
