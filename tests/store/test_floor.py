"""Mode and floor of a lesson, in the database."""

import asyncio

import pytest

from rooms.errors import InvalidState, LessonNotFound, SiteNotFound
from rooms.floor import FLOOR_LENGTH, Floor, Mode
from rooms.invitation import InvitationState
from rooms.lesson import EndReason, Lesson, LessonId
from rooms.room import Room, RoomId
from store import Store
from tests.rooms.samples import LOI_ROOM, MINUTE, NINE, XUAN_OTHER, XUAN_ROOM, lesson

ID = lesson().id
GRACE = 10 * MINUTE


def floor(room: Room = LOI_ROOM) -> Floor:
    return Floor(room_id=room.id, until=NINE + FLOOR_LENGTH)


async def live(store: Store) -> Lesson:
    await store.lessons.add(lesson())
    await store.lessons.set_invitation(ID, LOI_ROOM.id, InvitationState.ACCEPTED)
    return (await store.lessons.start(ID, NINE)).after


async def test_mode_and_floor_are_kept(schools: Store) -> None:
    started = await live(schools)
    assert (started.mode, started.floor) == (Mode.DISCUSSION, None)
    await schools.lessons.set_mode(ID, Mode.CALLED)
    given = (await schools.lessons.set_floor(ID, floor())).after
    assert (given.mode, given.floor, given.version) == (Mode.CALLED, floor(), started.version + 2)
    assert await schools.lessons.get(ID) == given


async def test_what_is_so_already_changes_nothing(schools: Store) -> None:
    await live(schools)
    await schools.lessons.set_mode(ID, Mode.TEACHER)
    given = (await schools.lessons.set_floor(ID, floor())).after
    assert await schools.lessons.set_mode(ID, Mode.TEACHER) == (given, given)
    assert await schools.lessons.set_floor(ID, floor()) == (given, given)


async def test_the_floor_goes_to_another_room_and_is_taken_back(schools: Store) -> None:
    await live(schools)
    await schools.lessons.set_floor(ID, floor())
    assert (await schools.lessons.set_floor(ID, floor(XUAN_ROOM))).after.floor == floor(XUAN_ROOM)
    assert (await schools.lessons.set_floor(ID, None)).after.floor is None


async def test_a_floor_expires_once_and_not_early(schools: Store) -> None:
    await live(schools)
    given = (await schools.lessons.set_floor(ID, floor())).after
    assert not (await schools.lessons.move_by_time(ID, NINE + FLOOR_LENGTH - MINUTE / 60, GRACE)).happened
    assert await schools.lessons.get(ID) == given
    async with asyncio.timeout(30):
        taken = await asyncio.gather(*(schools.lessons.move_by_time(ID, NINE + FLOOR_LENGTH, GRACE) for _ in range(5)))
    assert [each.after.floor for each in taken if each.happened] == [None]
    assert (await schools.lessons.get(ID)).floor is None


async def test_a_room_that_leaves_gives_the_floor_up(schools: Store) -> None:
    await live(schools)
    await schools.lessons.set_floor(ID, floor())
    left = (await schools.lessons.set_invitation(ID, LOI_ROOM.id, InvitationState.DECLINED)).after
    assert left.floor is None
    with pytest.raises(InvalidState):
        await schools.lessons.set_floor(ID, floor())


async def test_nobody_has_the_floor_after_the_lesson(schools: Store) -> None:
    await live(schools)
    await schools.lessons.set_floor(ID, floor())
    assert (await schools.lessons.end(ID, NINE + MINUTE, EndReason.TAP)).after.floor is None
    assert not (await schools.lessons.move_by_time(ID, NINE + 60 * MINUTE, GRACE)).happened


async def test_only_a_live_lesson_and_its_rooms_have_a_floor(schools: Store) -> None:
    await schools.lessons.add(lesson())
    with pytest.raises(InvalidState):
        await schools.lessons.set_mode(ID, Mode.CALLED)
    with pytest.raises(InvalidState):
        await schools.lessons.set_floor(ID, floor(XUAN_ROOM))
    await schools.lessons.start(ID, NINE)
    with pytest.raises(InvalidState):  # not accepted
        await schools.lessons.set_floor(ID, floor())
    with pytest.raises(SiteNotFound):
        await schools.lessons.set_floor(ID, floor(XUAN_OTHER))
    with pytest.raises(SiteNotFound):
        await schools.lessons.set_floor(ID, Floor(room_id=RoomId("nowhere"), until=NINE))
    with pytest.raises(LessonNotFound):
        await schools.lessons.set_floor(LessonId("nothing"), None)
