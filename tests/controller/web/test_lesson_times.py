"""When a lesson may be planned, and one that a wrong clock has cancelled."""

from datetime import datetime, timedelta

import pytest

from rooms.lesson import EndReason, LessonId
from rooms.people.account import Role
from rooms.room import RoomId
from store import Store
from tests.controller.web.house import GUEST, HOST, LESSON, ROOMS, House, lesson_at

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def times(start: datetime, end: datetime) -> dict[str, object]:
    return {"start": start.isoformat(), "end": end.isoformat()}


@pytest.mark.parametrize(
    ("start", "end", "where"),
    [
        (-2 * HOUR, -HOUR, "/body/end"),
        (-2 * HOUR, timedelta(0), "/body/end"),
        (800 * DAY, 800 * DAY + HOUR, "/body/start"),
        (60_000 * DAY, 60_000 * DAY + HOUR, "/body/start"),
    ],
)
async def test_lesson_wholly_past_or_far_off_is_refused_at_its_field(
    house: House, start: timedelta, end: timedelta, where: str
) -> None:
    teacher = await house.program(HOST, Role.TEACHER)
    now = house.clock()
    body = {"title": "Toán", "host": HOST, "rooms": [ROOMS[HOST].id], **times(now + start, now + end)}
    status, problem = await teacher.ask("POST", "/lessons", body)
    assert (status, problem["type"]) == (422, "/problems/invalid-request")
    assert [each["where"] for each in problem["errors"]] == [where]  # type: ignore[attr-defined]  # JSON
    moved = times(now + start, now + end)
    status, problem = await teacher.ask("PATCH", f"/lessons/{LESSON}", moved, headers={"If-Match": '"1"'})
    assert (status, [each["where"] for each in problem["errors"]]) == (422, [where])  # type: ignore[attr-defined]


async def test_lesson_that_is_under_way_and_one_of_next_year_can_be_planned(house: House) -> None:
    teacher = await house.program(HOST, Role.TEACHER)
    now = house.clock()
    body = {"title": "Toán", "host": HOST, "rooms": [ROOMS[HOST].id]}
    assert (await teacher.ask("DELETE", f"/lessons/{LESSON}"))[0] == 204  # its room is free
    for start, end in ((-HOUR, timedelta(minutes=1)), (400 * DAY, 400 * DAY + HOUR)):
        assert (await teacher.ask("POST", "/lessons", {**body, **times(now + start, now + end)}))[0] == 201


async def test_title_of_a_lesson_can_be_changed_whenever_it_is(house: House) -> None:
    teacher = await house.program(HOST, Role.TEACHER)
    house.clock.move(-1000 * DAY)
    status, _ = await teacher.ask("PATCH", f"/lessons/{LESSON}", {"title": "Toán"}, headers={"If-Match": '"1"'})
    assert status == 200


async def cancel_by_time(house: House) -> None:
    await house.store.lessons.cancel(LESSON, house.clock(), EndReason.NOT_STARTED)


async def test_lesson_that_time_cancelled_is_planned_again_by_its_planner(house: House) -> None:
    await cancel_by_time(house)
    teacher, guest = await house.program(HOST, Role.TEACHER), await house.program(GUEST, Role.TEACHER)
    assert (await guest.ask("POST", f"/lessons/{LESSON}/reinstate"))[0] == 404  # it expired for them
    for _ in range(2):  # a second tap changes nothing
        status, lesson = await teacher.ask("POST", f"/lessons/{LESSON}/reinstate")
        assert (status, lesson["state"], lesson["end_reason"], lesson["ended_at"]) == (200, "scheduled", "", None)
    assert await invitations(house.store) == {ROOMS[HOST].id: "accepted", ROOMS[GUEST].id: "pending"}
    actions = [each.action for each in await house.store.audit.list(object_kind="lesson")]
    assert actions.count("lesson.reinstate") == 1
    assert (await guest.ask("POST", f"/lessons/{LESSON}/sites/{ROOMS[GUEST].id}/accept"))[0] == 200


async def test_lesson_that_a_person_cancelled_stays_cancelled(house: House) -> None:
    teacher = await house.program(HOST, Role.TEACHER)
    assert (await teacher.ask("DELETE", f"/lessons/{LESSON}"))[0] == 204
    assert (await teacher.ask("POST", f"/lessons/{LESSON}/reinstate"))[0] == 409


async def test_lesson_whose_end_is_past_stays_cancelled(house: House) -> None:
    teacher = await house.program(HOST, Role.TEACHER)
    await cancel_by_time(house)
    house.clock.move(HOUR)
    assert (await teacher.ask("POST", f"/lessons/{LESSON}/reinstate"))[0] == 409


async def test_lesson_whose_room_is_taken_by_now_stays_cancelled(house: House) -> None:
    teacher = await house.program(HOST, Role.TEACHER)
    await cancel_by_time(house)
    await house.store.lessons.add(lesson_at(LessonId("other"), house.clock()))
    status, problem = await teacher.ask("POST", f"/lessons/{LESSON}/reinstate")
    assert (status, problem["type"]) == (409, "/problems/room-busy")


async def invitations(store: Store) -> dict[RoomId, str]:
    return {site.room_id: site.invitation.value for site in (await store.lessons.get(LESSON)).sites}
