"""A room's part in a live lesson, over the API and by its display: answered late, reminded, muted, left, resumed."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest

from rooms.lesson import LessonId
from rooms.people.account import Role
from rooms.school import SchoolId
from tests.controller.web.house import GUEST, HOST, LESSON, ROOMS, House, Visitor, lesson_at
from tests.controller.web.sockets import Json, WebSocket, receive

PATH = f"/lessons/{LESSON}"
GUEST_ROOM, HOST_ROOM = ROOMS[GUEST].id, ROOMS[HOST].id
COOKIE = "nhipcau_display=display-secret"


@pytest.fixture
async def teacher(house: House) -> Visitor:
    """Of the host, in a live lesson to which the guest has said nothing."""
    teacher = await house.logged_in(HOST, Role.TEACHER)
    assert (await teacher.ask("POST", f"{PATH}/start"))[0] == 200
    return teacher


@pytest.fixture
async def guest(house: House) -> Visitor:
    return await house.logged_in(GUEST, Role.TEACHER)


def site(lesson: dict[str, object], room: str = GUEST_ROOM) -> dict[str, object]:
    sites = lesson["sites"]
    assert isinstance(sites, list)
    found: dict[str, object] = next(each for each in sites if each["room"]["id"] == room)
    return found


async def actions(house: House) -> list[tuple[str, str]]:
    entries = await house.store.audit.list(object_kind="lesson", object_id=LESSON)
    return [(each.actor, each.action) for each in reversed(entries)]


async def test_guest_accepts_in_mid_lesson_leaves_and_is_back(house: House, teacher: Visitor, guest: Visitor) -> None:
    _, seen = await guest.ask("GET", PATH)
    assert (site(seen)["own"], site(seen, HOST_ROOM)["own"]) == (True, False)
    for answer, invitation in (("accept", "accepted"), ("decline", "declined"), ("accept", "accepted")):
        status, lesson = await guest.ask("POST", f"{PATH}/sites/{GUEST_ROOM}/{answer}")
        assert (status, site(lesson)["invitation"]) == (200, invitation)
        _, told = await teacher.ask("GET", PATH)
        assert site(told)["invitation"] == invitation


async def test_only_a_rooms_own_school_mutes_and_unmutes_it(house: House, teacher: Visitor, guest: Visitor) -> None:
    sending = f"{PATH}/sites/{GUEST_ROOM}/sending"
    assert (await guest.ask("PUT", sending, {"muted": True}))[0] == 409  # takes no part
    await guest.ask("POST", f"{PATH}/sites/{GUEST_ROOM}/accept")
    status, lesson = await guest.ask("PUT", sending, {"muted": True, "camera_off": True})
    assert (status, site(lesson)["muted"], site(lesson)["camera_off"]) == (200, True, True)
    for role in Role:
        person = await house.program(HOST, role)
        for body in ({"muted": False}, {"camera_off": False}, {"muted": True}):
            assert (await person.ask("PUT", sending, body))[0] == 403
    _, lesson = await teacher.ask("GET", PATH)
    assert (site(lesson)["muted"], site(lesson)["camera_off"]) == (True, True)
    status, lesson = await guest.ask("PUT", sending, {"camera_off": False})
    assert (site(lesson)["muted"], site(lesson)["camera_off"]) == (True, False)
    status, lesson = await teacher.ask("PUT", f"{PATH}/sites/{HOST_ROOM}/sending", {"muted": True})
    assert (status, site(lesson, HOST_ROOM)["muted"]) == (200, True)
    assert (await guest.ask("PUT", sending, {"muted": 1}))[0] == 422


async def test_host_reminds_once_a_minute(house: House, teacher: Visitor, guest: Visitor) -> None:
    await house.display(GUEST)
    screen = await house.visitor()
    async with screen.socket("/display/events", Cookie=COOKIE) as socket:
        first = await asking(socket, lambda each: True)
        assert (first["title"], first["reminded_at"], first["stepped_out"]) == ("Sông Hồng", None, False)
        statuses = [await teacher.ask("POST", f"{PATH}/sites/{GUEST_ROOM}/remind") for _ in range(2)]
        assert [(status, answer.get("type")) for status, answer in statuses] == [
            (200, None),
            (409, "/problems/reminded-lately"),
        ]
        _, seen = await guest.ask("GET", PATH)
        told = await asking(socket, lambda each: each["reminded_at"] is not None)
        assert site(seen)["reminded_at"] == told["reminded_at"]
    assert [action for _, action in await actions(house)].count("lesson.remind") == 1


async def test_display_leaves_and_comes_back_and_decides_what_it_sends(
    house: House, teacher: Visitor, guest: Visitor
) -> None:
    await house.display(GUEST)
    screen = await house.visitor()
    async with screen.socket("/display/events", Cookie=COOKIE) as socket:
        await receive(socket, "state")
        await socket.send_json({"type": "part", "lesson": LESSON, "present": True})
        assert (await receive(socket, "error"))["code"] == "invalid-state"  # the school has to accept first
        await guest.ask("POST", f"{PATH}/sites/{GUEST_ROOM}/accept")
        await socket.send_json({"type": "sending", "lesson": LESSON, "muted": True})
        await until(teacher, lambda each: each["muted"] is True)
        await socket.send_json({"type": "part", "lesson": LESSON, "present": False})
        assert (await asking(socket, lambda each: each["stepped_out"] is True))["lesson"] == LESSON
        await until(teacher, lambda each: each["invitation"] == "declined")
        await socket.send_json({"type": "part", "lesson": LESSON, "present": True})
        await until(teacher, lambda each: each["invitation"] == "accepted" and each["muted"] is True)
        await guest.ask("POST", f"{PATH}/sites/{GUEST_ROOM}/decline")
        await socket.send_json({"type": "part", "lesson": LESSON, "present": True})
        assert (await receive(socket, "error"))["code"] == "invalid-state"  # a person's no is not the display's
        await socket.send_json({"type": "sending", "lesson": "unknown", "muted": True})
        assert (await receive(socket, "error"))["code"] == "lesson-not-found"
        await socket.send_json({"type": "sending", "lesson": LESSON, "muted": "yes"})
        assert (await receive(socket, "error"))["code"] == "invalid-sending"
    assert ("display display-1", "lesson.sending") in await actions(house)


async def test_display_of_the_host_cannot_leave_its_own_lesson(house: House, teacher: Visitor) -> None:
    await house.display()
    screen = await house.visitor()
    async with screen.socket("/display/events", Cookie=COOKIE) as socket:
        await receive(socket, "state")
        await socket.send_json({"type": "part", "lesson": LESSON, "present": False})
        assert (await receive(socket, "error"))["code"] == "invalid-state"


async def test_ended_lesson_is_resumed_by_who_may_run_it(house: House, teacher: Visitor, guest: Visitor) -> None:
    _, ended = await teacher.ask("POST", f"{PATH}/end")
    can = ended["can"]
    assert isinstance(can, dict)
    assert can["resume"] is not None
    assert site(ended)["invitation"] == "expired"
    assert (await guest.ask("POST", f"{PATH}/resume"))[0] == 404  # its invitation is over
    for _ in range(2):
        status, lesson = await teacher.ask("POST", f"{PATH}/resume")
        assert (status, lesson["state"], lesson["ended_at"]) == (200, "live", None)
        assert site(lesson)["invitation"] == "pending"  # asked again
    assert [action for _, action in await actions(house)] == ["lesson.start", "lesson.end", "lesson.resume"]


async def test_who_cannot_start_is_told_why_and_who_can(house: House) -> None:
    async def block(school: SchoolId, role: Role) -> object:
        person = await house.program(school, role)
        _, answer = await person.ask("GET", PATH)
        can = answer["can"]
        assert isinstance(can, dict)
        assert can["start"] is (can["start_block"] is None)
        return can["start_block"]

    blank = {"who": [], "count": 0, "at": None, "room": None, "lesson": None}
    named = {**blank, "code": "no_role", "who": [f"teacher {HOST}"], "count": 1}
    assert await block(HOST, Role.TEACHER) is None
    assert [await block(HOST, role) for role in (Role.TECHNICIAN, Role.ADMINISTRATOR)] == [named, named]
    assert [await block(GUEST, role) for role in Role] == [{**blank, "code": "not_yours"}] * 3  # and no name


async def test_start_says_that_it_is_too_early_or_that_the_room_is_taken(house: House, teacher: Visitor) -> None:
    now = house.clock()
    for id, start in (("next", now + timedelta(minutes=36)), ("far", now + timedelta(hours=3))):
        await house.store.lessons.add(lesson_at(LessonId(id), start))
    _, early = await teacher.ask("GET", "/lessons/far")
    _, busy = await teacher.ask("GET", "/lessons/next")
    blocks = [each["can"]["start_block"] for each in (early, busy)]  # type: ignore[index]
    assert [each["code"] for each in blocks] == ["too_early", "room_busy"]
    assert blocks[0]["at"] is not None
    assert (blocks[1]["room"], blocks[1]["lesson"]) == ("4A", "Sông Hồng")
    with house.services.changes.subscribe() as changes:
        await teacher.ask("POST", f"{PATH}/end")
        async with asyncio.timeout(10):
            async for change in changes:
                if change.id == "next":  # who waits for the room is told
                    break
    _, free = await teacher.ask("GET", "/lessons/next")
    assert free["can"]["start_block"] is None  # type: ignore[index]


async def asking(socket: WebSocket, holds: Callable[[Json], bool]) -> Json:
    """What a display is told of the lesson that waits for it, once it is so."""
    while True:
        state = await receive(socket, "state")
        each = state["asking"]
        if isinstance(each, dict) and holds(each):
            return each


async def until(visitor: Visitor, holds: Callable[[dict[str, object]], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds(site((await visitor.ask("GET", PATH))[1])):
            pass  # asked over HTTP as a page would
