"""Lists over HTTP: paged, searched, and no dearer the more is in them."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, event

from controller.changes import ChangeKind
from controller.web.page_changes import PAGE_CHANGES
from rooms.lesson import LessonId
from rooms.people.account import Role, RoleAt
from rooms.people.rights import OWNER
from rooms.room import Room, RoomId
from rooms.school import SchoolId, namespace
from tests.controller.web.house import GUEST, HOST, LESSON, OTHER, ROOMS, House, Visitor, claimed, lesson_at, unclaimed
from tests.controller.web.sockets import receive

LISTS = ("rooms", "devices", "lessons", "accounts", "organisations", "audit")
FIELDS = {"audit": "entries"}


async def ids(visitor: Visitor, path: str, field: str) -> list[str]:
    status, body = await visitor.ask("GET", path)
    assert status == 200, body
    return [each["id"] for each in _items(body, field)]


def _items(body: dict[str, object], field: str) -> list[dict[str, Any]]:
    found = body[field]
    assert isinstance(found, list)
    return found


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize(
    "query", ["limit=0", "limit=201", "limit=2.5", "cursor=x", "cursor=AAAA", "cursor=WzFd.", "cursor=WyIiLG51bGxd"]
)
async def test_what_is_no_page_is_refused_in_words(house: House, name: str, query: str) -> None:
    administrator = await house.program(HOST, Role.ADMINISTRATOR)
    status, problem = await administrator.ask("GET", f"/{name}?{query}")
    assert status == 422
    [error] = _items(problem, "errors")
    assert error["where"] == f"/query/{query.partition('=')[0]}"


async def test_a_cursor_of_another_list_is_refused(house: House) -> None:
    administrator = await house.program(HOST, Role.ADMINISTRATOR)
    _, page = await administrator.ask("GET", "/accounts?limit=1")
    for name in ("rooms", "devices", "lessons", "audit"):
        assert (await administrator.ask("GET", f"/{name}?cursor={page['next']}"))[0] == 422, name


@pytest.mark.parametrize("name", LISTS)
async def test_pages_put_together_are_the_list(house: House, name: str) -> None:
    """And one page is all, where all fits."""
    administrator = await house.program(HOST, Role.ADMINISTRATOR)
    for number in range(3):
        await house.store.rooms.add(Room(id=RoomId(f"r{number}"), school_id=HOST, name=f"{number}E"))
        await house.discovered(HOST, f"more-{number}")
        start = house.clock() + timedelta(minutes=40 * (number + 1))
        await house.store.lessons.add(lesson_at(LessonId(f"l{number}"), start))
    field = FIELDS.get(name, name)
    _, whole = await administrator.ask("GET", f"/{name}")
    assert whole["next"] is None
    together: list[dict[str, Any]] = []
    query = "limit=2"
    while True:
        _, page = await administrator.ask("GET", f"/{name}?{query}")
        assert page["total"] == whole["total"]
        together += _items(page, field)
        if page["next"] is None:
            break
        query = f"limit=2&cursor={page['next']}"
    assert together == _items(whole, field)
    assert whole["total"] in (None, len(together))
    assert len(together) > 2


async def test_devices_come_once_each_while_others_come_and_go(house: House) -> None:
    technician = await house.program(HOST, Role.TECHNICIAN)
    for key in ("b", "d", "f"):
        await house.discovered(HOST, key)
    _, first = await technician.ask("GET", "/devices?limit=2")
    seen = [each["id"] for each in _items(first, "devices")]
    house.hub.forget(seen[0])
    new = await house.discovered(HOST, "g")
    later = await ids(technician, f"/devices?cursor={first['next']}", "devices")
    assert not set(seen) & set(later)
    there = {each.id for each in house.hub.devices() if each.namespace == namespace(HOST)}
    assert there - set(seen) - set(later) <= {new.id}


async def test_lists_are_searched_as_people_type(house: House) -> None:
    operator = await house.operator()
    await house.people.accounts.grant(
        house.accounts[HOST, Role.ADMINISTRATOR].id, RoleAt(Role.TEACHER, GUEST), rights=OWNER, actor="test"
    )
    found = {
        "organisations": await ids(operator, "/organisations?q=le%20loi", "organisations"),
        "rooms": await ids(operator, "/rooms?q=LE%20loi%204a", "rooms"),
        "devices": await ids(operator, f"/devices?q=may%20chieu&school={GUEST}&claimed=true", "devices"),
        "lessons": await ids(operator, "/lessons?q=song%20h%E1%BB%93ng%20xuan", "lessons"),
        "accounts": await ids(operator, "/accounts?q=teacher", "accounts"),
    }
    assert found == {
        "organisations": [GUEST],
        "rooms": [ROOMS[GUEST].id],
        "devices": [claimed(GUEST)],
        "lessons": [LESSON],
        "accounts": [house.accounts[HOST, Role.TEACHER].id],
    }
    for name in LISTS[:-1]:
        status, page = await operator.ask("GET", f"/{name}?q=h%E1%BA%A3i%20ph%C3%B2ng")
        assert (status, _items(page, name), page["total"]) == (200, [], 0)


async def test_a_search_finds_nothing_of_other_schools(house: House) -> None:
    stranger = await house.program(OTHER, Role.ADMINISTRATOR)
    for path in ("/rooms?q=le%20loi", "/devices?q=may&claimed=false", "/lessons?q=song", f"/rooms?school={HOST}"):
        field = path[1:].partition("?")[0]
        assert set(await ids(stranger, path, field)) <= {unclaimed(OTHER)}
    assert await ids(stranger, "/accounts?q=xuan", "accounts") == []


async def test_organisations_are_those_that_one_administers_or_of_one_kind(house: House) -> None:
    administrator = await house.program(HOST, Role.ADMINISTRATOR)
    assert await ids(administrator, "/organisations?administered=true", "organisations") == [HOST]
    assert len(await ids(administrator, "/organisations?kind=school", "organisations")) == 3
    assert await ids(administrator, "/organisations?kind=department", "organisations") == []


@pytest.mark.parametrize("path", ["/rooms", "/lessons", "/devices", "/accounts", "/organisations", "/me"])
async def test_a_list_asks_the_database_as_often_however_long_it_is(house: House, path: str) -> None:
    administrator = await house.program(HOST, Role.ADMINISTRATOR)
    counts = [await _least_asked(house, administrator, path)]
    for number in range(5):
        await house.store.rooms.add(Room(id=RoomId(f"r{number}"), school_id=HOST, name=f"{number}E"))
        await house.discovered(HOST, f"more-{number}")
        start = house.clock() + timedelta(minutes=40 * (number + 1))
        await house.store.lessons.add(lesson_at(LessonId(f"l{number}"), start))
        await house.people.accounts.add(
            name=f"lan{number}", display_name="Lan", roles=[RoleAt(Role.TEACHER, HOST)], rights=OWNER, actor="test"
        )
    counts.append(await _least_asked(house, administrator, path))
    assert counts[0] == counts[1] <= 8


async def _least_asked(house: House, visitor: Visitor, path: str) -> int:
    """Of several times: the conductor reads, too, now and then."""
    return min([await _asked(house, visitor, path) for _ in range(3)])


async def _asked(house: House, visitor: Visitor, path: str) -> int:
    count = 0

    def note(_: Connection, cursor: object, statement: str, *rest: object) -> None:
        nonlocal count
        count += statement.startswith("SELECT")

    event.listen(house.store.engine.sync_engine, "before_cursor_execute", note)
    try:
        assert (await visitor.ask("GET", path))[0] == 200
    finally:
        event.remove(house.store.engine.sync_engine, "before_cursor_execute", note)
    return count


async def test_a_change_wakes_the_pages_of_its_schools_alone(house: House) -> None:
    """Of the school and of what is above it; how many other pages are open costs nothing."""
    changes = house.runner.app[PAGE_CHANGES]
    with changes.subscribe({HOST}) as host, changes.subscribe({OTHER}) as other:
        house.services.changes.publish(ChangeKind.DEVICE, claimed(HOST))
        house.services.changes.publish(ChangeKind.DEVICE, claimed(OTHER))
        async with asyncio.timeout(5):
            assert [(await anext(aiter(page))).id for page in (host, other)] == [claimed(HOST), claimed(OTHER)]


async def test_a_lesson_that_a_school_is_taken_out_of_is_gone_from_its_pages(house: House) -> None:
    teacher, guest = await house.program(HOST, Role.TEACHER), await house.program(GUEST, Role.TEACHER)
    later = lesson_at(LessonId("later"), house.clock() + timedelta(hours=2))
    await house.store.lessons.add(later)
    async with guest.socket() as socket:
        await receive(socket, "hello")
        assert later.id in await ids(guest, "/lessons", "lessons")
        edit = {"rooms": [ROOMS[HOST].id]}
        status, _ = await teacher.ask("PATCH", f"/lessons/{later.id}", edit, headers={"If-Match": '"1"'})
        assert status == 200
        assert await receive(socket, "lesson_removed", "lesson") == {"type": "lesson_removed", "id": later.id}


async def test_a_school_that_is_added_is_seen_at_once_by_those_above(house: House) -> None:
    operator = await house.operator()
    _, department = await operator.ask("POST", "/organisations", {"name": "Sở Huế", "kind": "department"})
    _, school = await operator.ask("POST", "/organisations", {"name": "Trường An Cựu", "parent": department["id"]})
    room = Room(id=RoomId("new"), school_id=SchoolId(school["id"]), name="1A")  # type: ignore[arg-type]
    await house.store.rooms.add(room)
    assert room.id in await ids(operator, "/rooms", "rooms")
