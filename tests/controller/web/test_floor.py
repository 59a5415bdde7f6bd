"""Mode and floor over the API: what is answered, told and recorded."""

from datetime import datetime, timedelta

import pytest

from rooms.invitation import InvitationState
from rooms.people.account import Role
from tests.controller.web.house import GUEST, HOST, LESSON, OTHER, ROOMS, House, Visitor

PATH = f"/lessons/{LESSON}"
GUEST_ROOM = ROOMS[GUEST].id


@pytest.fixture
async def teacher(house: House) -> Visitor:
    """Of the host, in a live lesson that the guest takes part in."""
    await house.store.lessons.set_invitation(LESSON, GUEST_ROOM, InvitationState.ACCEPTED)
    teacher = await house.logged_in(HOST, Role.TEACHER)
    status, lesson = await teacher.ask("POST", f"{PATH}/start")
    assert (status, lesson["mode"], lesson["floor"]) == (200, "discussion", None)
    return teacher


def floor_of(lesson: dict[str, object]) -> tuple[str, datetime]:
    floor = lesson["floor"]
    assert isinstance(floor, dict)
    return floor["room"], datetime.fromisoformat(floor["until"])


async def recorded(house: House, action: str) -> list[tuple[object, object]]:
    """Before and after, oldest first."""
    entries = await house.store.audit.list(object_kind="lesson", object_id=LESSON)
    return [(each.before, each.after) for each in reversed(entries) if each.action == action]


async def test_the_floor_is_given_extended_and_taken_back(house: House, teacher: Visitor) -> None:
    now = house.clock()
    _, given = await teacher.ask("PUT", f"{PATH}/floor", {"room": GUEST_ROOM})
    room, until = floor_of(given)
    assert room == GUEST_ROOM
    assert timedelta(minutes=3) <= until - now < timedelta(minutes=3, seconds=30)
    _, longer = await teacher.ask("PUT", f"{PATH}/floor", {"room": GUEST_ROOM, "seconds": 600})
    assert floor_of(longer)[1] > until
    _, taken = await teacher.ask("PUT", f"{PATH}/floor", {"room": None})
    assert taken["floor"] is None
    await teacher.ask("PUT", f"{PATH}/floor", {"room": None})
    first, second, third = await recorded(house, "lesson.floor")
    assert first == ({"room": None}, {"room": GUEST_ROOM, "until": until.isoformat()})
    assert second[0] == first[1]
    assert third == (second[1], {"room": None})


async def test_a_mode_is_set_and_recorded_once(house: House, teacher: Visitor) -> None:
    for _ in range(2):
        status, lesson = await teacher.ask("PUT", f"{PATH}/mode", {"mode": "called"})
        assert (status, lesson["mode"]) == (200, "called")
    assert await recorded(house, "lesson.mode") == [({"mode": "discussion"}, {"mode": "called"})]


@pytest.mark.parametrize(
    ("what", "body", "expected"),
    [
        ("floor", {"room": ROOMS[OTHER].id}, 404),
        ("floor", {"room": "nowhere"}, 404),
        ("floor", {"room": GUEST_ROOM, "seconds": 1}, 422),
        ("floor", {"room": GUEST_ROOM, "seconds": 3601}, 422),
        ("floor", {}, 422),
        ("mode", {"mode": "lecture"}, 422),
    ],
)
async def test_what_cannot_be_is_refused(teacher: Visitor, what: str, body: object, expected: int) -> None:
    status, _ = await teacher.ask("PUT", f"{PATH}/{what}", body)
    assert status == expected


async def test_a_guest_that_leaves_loses_the_floor_and_is_not_given_it(house: House, teacher: Visitor) -> None:
    await teacher.ask("PUT", f"{PATH}/floor", {"room": GUEST_ROOM})
    guest = await house.logged_in(GUEST, Role.TEACHER)
    _, left = await guest.ask("POST", f"{PATH}/sites/{GUEST_ROOM}/decline")
    assert left["floor"] is None
    assert (await teacher.ask("PUT", f"{PATH}/floor", {"room": GUEST_ROOM}))[0] == 409
