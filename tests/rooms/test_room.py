from datetime import datetime

import pytest

from rooms.errors import InvalidValue
from rooms.room import Display, DisplayId, Room, RoomId
from tests.rooms.samples import NINE, XUAN


@pytest.mark.parametrize(
    ("room_id", "name", "says"),
    [("a/b", "4A", "room id"), ("", "4A", "room id"), ("r", " ", "empty"), ("r", "4\tA", "not text")],
)
def test_an_impossible_room_is_refused(room_id: str, name: str, says: str) -> None:
    with pytest.raises(InvalidValue, match=says):
        Room(id=RoomId(room_id), school_id=XUAN, name=name)


@pytest.mark.parametrize(("paired", "seen"), [(NINE.replace(tzinfo=None), None), (NINE, NINE.replace(tzinfo=None))])
def test_a_display_with_a_time_of_no_zone_is_refused(paired: datetime, seen: datetime | None) -> None:
    with pytest.raises(InvalidValue, match="UTC"):
        Display(id=DisplayId("d"), room_id=RoomId("r"), name="Màn hình", paired_at=paired, last_seen=seen)
