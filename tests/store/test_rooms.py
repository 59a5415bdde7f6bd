from dataclasses import replace

import pytest

from rooms.errors import (
    AlreadyExists,
    InvalidValue,
    OrganisationNotFound,
    RoomInUse,
    RoomNotFound,
    VersionConflict,
)
from rooms.lesson import EndReason
from rooms.room import Display, DisplayId, Room, RoomId
from rooms.scene import Scene
from rooms.school import Organisation, OrganisationId, OrganisationKind, SchoolId
from store import Store
from tests.rooms.samples import LOI, LOI_ROOM, NINE, XUAN, XUAN_OTHER, XUAN_ROOM, lesson, projector


async def test_rooms_are_found_by_school(schools: Store) -> None:
    assert await schools.rooms.get(XUAN_ROOM.id) == XUAN_ROOM
    assert await schools.rooms.list([XUAN]) == (XUAN_ROOM, XUAN_OTHER)
    assert await schools.rooms.list() == (LOI_ROOM, XUAN_ROOM, XUAN_OTHER)
    assert await schools.rooms.list([]) == ()


async def test_a_room_needs_a_school_and_a_name_of_its_own(schools: Store) -> None:
    with pytest.raises(AlreadyExists, match="4A"):
        await schools.rooms.add(Room(id=RoomId("new"), school_id=XUAN, name="4A"))
    with pytest.raises(AlreadyExists, match=XUAN_ROOM.id):
        await schools.rooms.add(Room(id=XUAN_ROOM.id, school_id=XUAN, name="5A"))
    nowhere = SchoolId(OrganisationId("nowhere"))
    with pytest.raises(OrganisationNotFound, match="nowhere"):
        await schools.rooms.add(Room(id=RoomId("new"), school_id=nowhere, name="4A"))
    office = Organisation(id=OrganisationId("so"), kind=OrganisationKind.DEPARTMENT, name="Sở")
    await schools.organisations.add(office)
    with pytest.raises(InvalidValue, match="rooms belong to schools"):
        await schools.rooms.add(Room(id=RoomId("new"), school_id=SchoolId(office.id), name="4A"))


async def test_an_edit_of_an_older_version_is_refused(schools: Store) -> None:
    renamed = await schools.rooms.update(replace(XUAN_ROOM, name="4C"), expected_version=1)
    assert renamed == replace(XUAN_ROOM, name="4C", version=2)
    with pytest.raises(VersionConflict) as caught:
        await schools.rooms.update(replace(XUAN_ROOM, name="4D"), expected_version=1)
    assert (caught.value.expected, caught.value.current) == (1, 2)
    with pytest.raises(AlreadyExists, match="4B"):
        await schools.rooms.update(replace(XUAN_ROOM, name="4B"), expected_version=2)
    with pytest.raises(RoomNotFound, match="nowhere"):
        await schools.rooms.update(replace(XUAN_ROOM, id=RoomId("nowhere")), expected_version=1)
    assert await schools.rooms.get(XUAN_ROOM.id) == renamed


async def test_a_deleted_room_is_gone_but_still_has_its_name(schools: Store) -> None:
    display = Display(id=DisplayId("d1"), room_id=XUAN_ROOM.id, name="Màn hình", paired_at=NINE)
    await schools.displays.add(display, "hash")
    await schools.scenes.put(Scene(room_id=XUAN_ROOM.id, name="end", steps=()))
    await schools.rooms.delete(XUAN_ROOM.id, NINE)
    for call in (schools.rooms.get(XUAN_ROOM.id), schools.rooms.delete(XUAN_ROOM.id, NINE)):
        with pytest.raises(RoomNotFound):
            await call
    assert await schools.rooms.list([XUAN]) == (XUAN_OTHER,)
    assert (await schools.displays.list(), await schools.scenes.list(XUAN_ROOM.id)) == ((), ())
    assert await schools.rooms.named([XUAN_ROOM.id, RoomId("nowhere")]) == {XUAN_ROOM.id: XUAN_ROOM}
    await schools.rooms.add(replace(XUAN_ROOM, id=RoomId("again")))


async def test_a_room_with_devices_stays(schools: Store) -> None:
    await schools.devices.save([projector()])
    await schools.devices.claim(projector().device.id, XUAN_ROOM.id)
    with pytest.raises(RoomInUse, match="devices"):
        await schools.rooms.delete(XUAN_ROOM.id, NINE)
    await schools.devices.release(projector().device.id)
    await schools.rooms.delete(XUAN_ROOM.id, NINE)


async def test_a_room_with_lessons_that_are_not_over_stays(schools: Store) -> None:
    await schools.lessons.add(lesson())
    for room in (XUAN_ROOM, LOI_ROOM):
        with pytest.raises(RoomInUse, match="lessons"):
            await schools.rooms.delete(room.id, NINE)
    await schools.lessons.start(lesson().id, NINE)
    with pytest.raises(RoomInUse, match="lessons"):
        await schools.rooms.delete(XUAN_ROOM.id, NINE)
    await schools.lessons.end(lesson().id, NINE, EndReason.TAP)
    await schools.rooms.delete(XUAN_ROOM.id, NINE)
    assert [site.room_id for site in (await schools.lessons.get(lesson().id)).sites] == [XUAN_ROOM.id, LOI_ROOM.id]
    assert await schools.rooms.list([LOI]) == (LOI_ROOM,)
