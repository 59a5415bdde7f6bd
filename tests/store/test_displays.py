from dataclasses import replace

import pytest

from rooms.errors import AlreadyExists, DisplayNotFound, RoomNotFound
from rooms.room import Display, DisplayId, RoomId
from store import Store
from tests.rooms.samples import LOI_ROOM, MINUTE, NINE, XUAN_ROOM

PANEL = Display(id=DisplayId("panel"), room_id=XUAN_ROOM.id, name="Bảng tương tác", paired_at=NINE)
PC = Display(id=DisplayId("pc"), room_id=LOI_ROOM.id, name="Máy tính", paired_at=NINE, last_seen=NINE)


async def test_a_display_is_known_by_its_secret_until_it_is_unpaired(schools: Store) -> None:
    await schools.displays.add(PANEL, "hash-1")
    await schools.displays.add(PC, "hash-2")
    assert await schools.displays.get_by_secret_hash("hash-1") == PANEL
    assert await schools.displays.list() == (PANEL, PC)
    await schools.displays.touch(PANEL.id, NINE + MINUTE)
    assert await schools.displays.list(XUAN_ROOM.id) == (replace(PANEL, last_seen=NINE + MINUTE),)
    await schools.displays.delete(PANEL.id)
    assert await schools.displays.get_by_secret_hash("hash-1") is None
    for call in (schools.displays.get(PANEL.id), schools.displays.delete(PANEL.id)):
        with pytest.raises(DisplayNotFound, match="panel"):
            await call
    assert await schools.displays.get(PC.id) == PC


async def test_a_display_needs_a_room_and_a_secret_of_its_own(schools: Store) -> None:
    await schools.displays.add(PANEL, "hash-1")
    with pytest.raises(AlreadyExists, match="pc"):
        await schools.displays.add(PC, "hash-1")
    with pytest.raises(RoomNotFound, match="nowhere"):
        await schools.displays.add(replace(PC, room_id=RoomId("nowhere")), "hash-2")
