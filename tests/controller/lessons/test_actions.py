"""What people do to lessons is done with its audit line or not at all, and reads the lesson twice at most."""

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import pytest
from sqlalchemy import event, text

from controller.lessons.lesson_run import SceneRuns, read_plan
from rooms.errors import StoreUnavailable
from rooms.invitation import InvitationState
from rooms.lesson import EndReason, Lesson, LessonState
from rooms.people.account import Role
from rooms.scene import LESSON_SCENE, StepId
from store import Store
from tests.controller.web.house import GUEST, HOST, LESSON, OTHER, ROOMS, House, Visitor, lesson_at, open_house
from tests.controller.web.sockets import receive

ON = StepId("on")
PATH = f"/lessons/{LESSON}"
SITE, OWN_SITE = (f"{PATH}/sites/{ROOMS[school].id}" for school in (GUEST, HOST))


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(tmp_path) as opened:
        yield opened


class Ask(NamedTuple):
    method: str
    path: str
    body: object = None
    live: bool = True  # the lesson has begun
    guest: bool = False  # a teacher of the guest asks

    async def by(self, visitors: tuple[Visitor, Visitor]) -> int:
        """The status."""
        headers = {"If-Match": "1"} if self.method == "PATCH" else {}
        return (await visitors[self.guest].ask(self.method, self.path, self.body, headers=headers))[0]


NEW = {"title": "Sông Lam", "host": HOST, "rooms": [ROOMS[HOST].id]}
ASKS = {
    "lesson.add": Ask("POST", "/lessons", NEW, live=False),
    "lesson.edit": Ask("PATCH", PATH, {"title": "Sông Lam"}, live=False),
    "lesson.cancel": Ask("DELETE", PATH, live=False),
    "lesson.start": Ask("POST", f"{PATH}/start", live=False),
    "lesson.mode": Ask("PUT", f"{PATH}/mode", {"mode": "called"}),
    "lesson.floor": Ask("PUT", f"{PATH}/floor", {"room": ROOMS[HOST].id}),
    "lesson.invitation": Ask("POST", f"{SITE}/accept", guest=True),
    "lesson.sending": Ask("PUT", f"{OWN_SITE}/sending", {"muted": True}),
    "lesson.remind": Ask("POST", f"{SITE}/remind"),
    "lesson.restore": Ask("POST", f"{OWN_SITE}/steps/on/restore"),
}


async def prepared(house: House, ask: Ask) -> tuple[tuple[Visitor, Visitor], Ask]:
    """Teachers of both schools, the lesson begun where it has to be, and what is asked with the times of now."""
    teachers = [await house.program(school, Role.TEACHER) for school in (HOST, GUEST)]
    if ask.live:
        assert (await teachers[0].ask("POST", f"{PATH}/start"))[0] == 200
    if ask.path == "/lessons":
        start = house.clock() + timedelta(hours=2)
        times = {"start": start.isoformat(), "end": (start + timedelta(minutes=35)).isoformat()}
        ask = ask._replace(body={**NEW, **times})
    return (teachers[0], teachers[1]), ask


async def all_lessons(house: House) -> tuple[Lesson, ...]:
    now = house.clock()
    return await house.store.lessons.list(start=now - timedelta(days=1), end=now + timedelta(days=1))


async def recorded(house: House) -> list[str]:
    """Actions, oldest first."""
    return [each.action for each in reversed(await house.store.audit.list(object_kind="lesson"))]


@asynccontextmanager
async def without_audit_log(store: Store) -> AsyncIterator[None]:
    """While the block runs, the database takes everything but audit lines."""

    async def rename(old: str, new: str) -> None:
        async with store.writing() as db:
            await db.execute(text(f"ALTER TABLE {old} RENAME TO {new}"))

    await rename("audit", "audit_away")
    try:
        yield
    finally:
        await rename("audit_away", "audit")


@contextmanager
def statements(store: Store) -> Iterator[list[str]]:
    """What is asked of the database while the block runs."""
    found: list[str] = []

    def note(_c: object, _u: object, statement: str, _p: object, _x: object, _m: bool) -> None:
        found.append(statement)

    event.listen(store.engine.sync_engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(store.engine.sync_engine, "before_cursor_execute", note)


@pytest.mark.parametrize("action", ASKS)
async def test_nothing_happens_without_its_audit_line_and_it_can_be_tried_again(house: House, action: str) -> None:
    visitors, ask = await prepared(house, ASKS[action])
    lessons, lines = await all_lessons(house), await recorded(house)
    async with without_audit_log(house.store):
        assert await ask.by(visitors) == 503
        assert await all_lessons(house) == lessons
        assert [each.id for each in house.services.conductor.live()] == ([LESSON] if ask.live else [])
    assert await ask.by(visitors) in (200, 201, 204)
    assert await recorded(house) == [*lines, action]


async def test_an_end_that_cannot_be_recorded_frees_the_class_and_is_written_with_its_line(house: House) -> None:
    visitors, _ = await prepared(house, ASKS["lesson.mode"])
    async with without_audit_log(house.store):
        for _ in range(2):
            assert await Ask("POST", f"{PATH}/end").by(visitors) == 200
        assert (await house.store.lessons.get(LESSON)).state is LessonState.ENDED
    await house.store.lessons.catch_up()
    await house.store.lessons.catch_up()
    assert await recorded(house) == ["lesson.start", "lesson.end"]
    assert (await house.store.audit.list(object_kind="lesson"))[0].actor == visitors[0].account.id  # type: ignore[union-attr]


async def test_time_moves_nothing_without_its_audit_line(house: House) -> None:
    house.clock.move(timedelta(minutes=36))
    async with without_audit_log(house.store):
        with pytest.raises(StoreUnavailable):
            await house.services.conductor.look(LESSON)
        assert (await house.store.lessons.get(LESSON)).state is LessonState.SCHEDULED
    await house.services.conductor.look(LESSON)
    assert (await house.store.lessons.get(LESSON)).end_reason is EndReason.NOT_STARTED
    assert await recorded(house) == ["lesson.cancel"]


def reads_of_the_lesson(asked: list[str]) -> int:
    """Of its row, by its id; what other lessons want its rooms is another question."""
    return sum(bool(re.search(r"\bFROM lessons\s+WHERE lessons\.id = ", each)) for each in asked)


@pytest.mark.parametrize("action", [*ASKS, "lesson.end", "lesson.resume"])
async def test_a_tap_reads_the_lesson_twice_at_most(house: House, action: str) -> None:
    ask = ASKS.get(action) or Ask("POST", f"{PATH}/{action.removeprefix('lesson.')}")
    visitors, ask = await prepared(house, ask)
    if action == "lesson.resume":
        assert await Ask("POST", f"{PATH}/end").by(visitors) == 200
    with statements(house.store) as asked:
        assert await ask.by(visitors) in (200, 201, 204)
    assert reads_of_the_lesson(asked) <= 2
    assert sum("INSERT INTO audit " in each for each in asked) == 1
    assert (reads_of_the_lesson(asked) > 0) is (action != "lesson.add")  # what is counted is what is read


async def test_what_changes_in_a_live_lesson_is_shown_to_all_pages_without_a_read_of_it(house: House) -> None:
    await prepared(house, ASKS["lesson.mode"])
    run = house.services.conductor.scene_in(LESSON, ROOMS[HOST].id)
    pages = [
        await house.program(*each) for each in ((HOST, Role.TEACHER), (HOST, Role.TECHNICIAN), (GUEST, Role.TEACHER))
    ]
    async with AsyncExitStack() as stack:
        sockets = [await stack.enter_async_context(page.socket()) for page in pages]
        for socket in sockets:
            await receive(socket, "hello")
        with statements(house.store) as asked:
            run.restore(ON)
            seen = [await receive(socket, "lesson") for socket in sockets]
    assert [each["lesson"]["id"] for each in seen] == [LESSON] * 3  # type: ignore[index]
    assert [each for each in asked if re.search(r"\bFROM (lessons|sites|rooms|organisations|scenes)\b", each)] == []


async def test_a_lesson_of_many_rooms_is_read_in_as_many_queries_as_one_of_one(house: House) -> None:
    async def asked(lesson: Lesson) -> int:
        with statements(house.store) as found:
            await read_plan(house.store, lesson)
            scenes = await SceneRuns.of(
                lesson,
                LESSON_SCENE,
                store=house.store,
                hub=house.hub,
                clock=house.clock,
                changed=lambda: None,
            )
        assert scenes.runs.keys() == {site.room_id for site in lesson.accepted}
        # The conductor reads lessons meanwhile: it takes up what is live.
        return sum(bool(re.search(r"\bFROM (rooms|organisations|scenes)\b", each)) for each in found)

    one = lesson_at(LESSON, house.clock())
    own, guest = one.sites
    other = replace(guest, room_id=ROOMS[OTHER].id, school_id=OTHER)
    three = replace(one, sites=(own, *(replace(each, invitation=InvitationState.ACCEPTED) for each in (guest, other))))
    assert await asked(three) == await asked(replace(one, sites=(own,))) == 2  # organisations are in memory
