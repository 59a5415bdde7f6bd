"""Pages of rooms, lessons, people and the audit log: what is in them, and that they cost what they show."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event

from rooms.audit import AuditFilter
from rooms.folding import folded
from rooms.lesson import Lesson, LessonId
from rooms.page import Page, Wanted
from rooms.people.account import Account, AccountId, Role, RoleAt
from rooms.room import Room, RoomId
from rooms.school import OrganisationId, SchoolId
from store import Store, open_store
from tests.rooms.samples import LOI, LOI_ROOM, XUAN, XUAN_OTHER, XUAN_ROOM, plant

NINE = datetime(2026, 3, 2, 2, tzinfo=UTC)
FROM, TO = NINE - timedelta(hours=1), NINE + timedelta(hours=9)
DEEP = datetime(2026, 3, 2, 3, tzinfo=UTC)


def room(school: SchoolId, name: str) -> Room:
    return Room(id=RoomId(f"r-{folded(name).replace(' ', '-')}"), school_id=school, name=name)


def lesson(number: int, title: str, *rooms: Room) -> Lesson:
    return Lesson.planned(
        id=LessonId(f"page-{number}"),
        title=title,
        host_school_id=rooms[0].school_id,
        start=NINE + number * timedelta(hours=1),
        end=NINE + number * timedelta(hours=1) + timedelta(minutes=45),
        rooms=rooms,
    )


def person(id: str, display_name: str, *roles: RoleAt) -> Account:
    return Account(id=AccountId(id), name=id, display_name=display_name, roles=roles, created=NINE)


async def test_pages_of_rooms_neither_repeat_nor_miss_one_while_others_come_and_go(schools: Store) -> None:
    for name in ("4B", "4C", "4Đ", "5A"):
        await schools.rooms.add(room(LOI, name))
    first = await schools.rooms.page(Wanted(limit=2), {LOI})
    await schools.rooms.delete(first.items[-1].id, NINE)
    await schools.rooms.add(room(LOI, "3A"))
    rest = await schools.rooms.page(Wanted(limit=9, after=first.next), {LOI})
    assert [each.name for each in (*first.items, *rest.items)] == [LOI_ROOM.name, "4B", "4C", "4Đ", "5A"]
    assert (first.total, rest.total, rest.next) == (5, 5, None)


@pytest.mark.parametrize(
    ("q", "found"),
    [
        ("phong tin hoc", ["Phòng Tin học"]),
        ("tin le loi", ["Phòng Tin học"]),
        ("%", []),
        ("tin xuan", []),
    ],
)
async def test_rooms_are_found_by_words_of_theirs_and_of_their_school(schools: Store, q: str, found: list[str]) -> None:
    await schools.rooms.add(room(LOI, "Phòng Tin học"))
    page = await schools.rooms.page(Wanted(limit=9, words=tuple(q.split())))
    assert ([each.name for each in page.items], page.total) == (found, len(found))


async def test_a_room_is_found_by_its_new_name_alone(schools: Store) -> None:
    renamed = await schools.rooms.update(Room(id=LOI_ROOM.id, school_id=LOI, name="Đa năng"), LOI_ROOM.version)
    assert (await schools.rooms.page(Wanted(limit=9, words=("da", "nang")))).items == (renamed,)
    assert (await schools.rooms.page(Wanted(limit=9, words=(LOI_ROOM.name.lower(),)), {LOI})).items == ()


async def test_lessons_are_listed_for_hosts_and_guests_and_for_nobody_else(schools: Store) -> None:
    linked, own = lesson(1, "Sông Hồng", XUAN_ROOM, LOI_ROOM), lesson(0, "Toán", XUAN_OTHER)
    for each in (linked, own):
        await schools.lessons.add(each)

    async def listed(*of: SchoolId, words: tuple[str, ...] = ()) -> list[str]:
        page = await schools.lessons.page(Wanted(limit=9, words=words), start=FROM, end=TO, school_ids=set(of) or None)
        assert page.total == len(page.items)
        return [each.id for each in page.items]

    assert await listed() == await listed(XUAN) == await listed(XUAN, LOI) == [own.id, linked.id]
    assert await listed(LOI) == [linked.id]
    assert await listed(words=("song", "hong")) == [linked.id]
    assert await listed(words=("nguyen", "viet", "toan")) == [own.id]
    first = await schools.lessons.page(Wanted(limit=1), start=FROM, end=TO, school_ids={XUAN})
    second = await schools.lessons.page(Wanted(limit=1, after=first.next), start=FROM, end=TO, school_ids={XUAN})
    assert [*first.items, *second.items] == [own, linked]


async def test_people_are_sorted_and_found_by_their_displayed_names(schools: Store) -> None:
    teacher = RoleAt(Role.TEACHER, XUAN)
    for each in (person("hoa", "Đỗ Hoa", teacher), person("an", "Ân", teacher), person("nobody", "Bình")):
        await schools.people.add_account(each, None)
    await schools.people.add_account(person("loi", "Lợi", RoleAt(Role.TEACHER, LOI)), None)

    async def found(where: set[OrganisationId] | None, *words: str) -> list[str]:
        page = await schools.people.page(Wanted(limit=9, words=words), where)
        assert page.total == len(page.items)
        return [each.id for each in page.items]

    assert await found(None) == ["an", "hoa", "loi"]
    assert await found({XUAN}) == ["an", "hoa"]
    assert await found(None, "do", "hoa") == ["hoa"]
    assert await found({XUAN}, "loi") == []


Reading = Callable[[Store], Awaitable[Page[Any]]]
COSTS: dict[str, Reading] = {
    "rooms of all": lambda store: store.rooms.page(Wanted(limit=5, after=("so", "4a", "r"))),
    "rooms of one": lambda store: store.rooms.page(Wanted(limit=5, after=("xuan", "4a", "r")), {XUAN}),
    "lessons of all": lambda store: store.lessons.page(Wanted(limit=5, after=(DEEP, "l")), start=FROM, end=TO),
    "people of all": lambda store: store.people.page(Wanted(limit=5, after=("a", "a")), None),
    "audit of all": lambda store: store.audit.page(AuditFilter(), Wanted(limit=5, after=(7,))),
    "audit of one": lambda store: store.audit.page(
        AuditFilter(organisations=frozenset({XUAN})), Wanted(limit=5, after=(7,))
    ),
    "audit of two": lambda store: store.audit.page(
        AuditFilter(organisations=frozenset({XUAN, LOI})), Wanted(limit=5, after=(7,))
    ),
}


@contextmanager
def statements(store: Store) -> Iterator[list[tuple[str, Any]]]:
    """What is asked of the database meanwhile."""
    asked: list[tuple[str, Any]] = []

    def note(_: Connection, cursor: object, statement: str, parameters: object, *rest: object) -> None:
        if statement.startswith("SELECT"):
            asked.append((statement, parameters))

    event.listen(store.engine.sync_engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(store.engine.sync_engine, "before_cursor_execute", note)


@pytest.mark.parametrize("reading", COSTS.values(), ids=COSTS.keys())
async def test_a_page_is_read_along_an_index_in_its_order(tmp_path: Path, reading: Reading) -> None:
    """By SQLite's plan: nothing is gathered and sorted, and what lies before the page is not gone through."""
    async with open_store(f"sqlite:///{tmp_path / 'store.db'}") as store:
        with statements(store) as asked:
            await reading(store)
        [(statement, parameters)] = [each for each in asked if "LIMIT" in each[0]]
        async with store.reading() as db:
            connection = await db.connection()
            explained = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            plan = [row.detail for row in explained]
    assert plan[0].startswith("SEARCH"), plan
    assert not any("TEMP" in each or each.startswith("SCAN") for each in plan), plan


def _pages_of(limit: int) -> dict[str, Reading]:
    return {
        "rooms": lambda store: store.rooms.page(Wanted(limit=limit)),
        "lessons": lambda store: store.lessons.page(Wanted(limit=limit), start=FROM, end=TO, school_ids={LOI}),
        "people": lambda store: store.people.page(Wanted(limit=limit), {XUAN}),
    }


async def test_a_page_takes_as_many_queries_however_long_it_is(tmp_path: Path) -> None:
    counts: dict[str, list[int]] = {}
    async with open_store(f"sqlite:///{tmp_path / 'store.db'}") as store:
        await plant(store)
        for number in range(6):
            await store.lessons.add(lesson(number, f"Tiết {number}", XUAN_ROOM, LOI_ROOM))
            await store.people.add_account(person(f"p{number}", f"Lan {number}", RoleAt(Role.TEACHER, XUAN)), None)
        for limit in (1, 6):
            for name, reading in _pages_of(limit).items():
                with statements(store) as asked:
                    await reading(store)
                counts.setdefault(name, []).append(len(asked))
    assert counts == {"rooms": [2, 2], "lessons": [3, 3], "people": [3, 3]}
