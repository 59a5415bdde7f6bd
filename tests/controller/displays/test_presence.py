from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import pytest

from controller.displays.presence import Displays
from controller.displays.report import Camera, DisplayReport, SiteDisplay
from rooms.room import Display, DisplayId, RoomId

ROOM, OTHER = RoomId("4a"), RoomId("4b")
NOON = datetime(2026, 3, 2, 5, tzinfo=UTC)


def display(id: str, *, minutes: int = 0, room: RoomId = ROOM) -> Display:
    return Display(id=DisplayId(id), room_id=room, name=id, paired_at=NOON + timedelta(minutes=minutes))


def report(*, joined: bool, camera: Camera = Camera.OK, frames: int = 0) -> DisplayReport:
    return DisplayReport(
        joined=joined, camera=camera, publishing=joined, playing=1, frames_decoded=frames, audio_energy=0.0, weak=False
    )


class House:
    def __init__(self) -> None:
        self.told: list[RoomId] = []
        self.displays = Displays(self.told.append)

        self._pages: dict[DisplayId, list[ExitStack]] = {}

    def connect(self, id: DisplayId) -> None:
        page = ExitStack()
        page.enter_context(self.displays.open(id))
        self._pages.setdefault(id, []).append(page)

    def come(self, display: Display) -> None:
        self.connect(display.id)
        self.displays.introduce(display)

    def leave(self, id: str) -> None:
        self._pages[DisplayId(id)].pop().close()


@pytest.fixture
def house() -> House:
    return House()


def test_room_is_told_once_when_its_display_comes_and_when_it_goes(house: House) -> None:
    house.come(display("a"))
    house.displays.introduce(display("a"))
    assert (house.told, house.displays.active(ROOM)) == ([ROOM], "a")
    house.leave("a")
    assert (house.told, house.displays.active(ROOM)) == ([ROOM, ROOM], None)


def test_display_with_two_pages_goes_with_the_last(house: House) -> None:
    house.come(display("a"))
    house.come(display("a"))
    house.leave("a")
    assert house.displays.active(ROOM) == "a"
    house.leave("a")
    assert house.displays.active(ROOM) is None


def test_display_paired_last_is_the_active_one_of_its_room(house: House) -> None:
    house.come(display("new", minutes=2))
    house.come(display("old", minutes=1))
    house.come(display("elsewhere", minutes=3, room=OTHER))
    assert house.displays.active(ROOM) == "new"
    assert set(house.displays.in_room(ROOM)) == {"new", "old"}
    house.leave("new")
    assert house.displays.active(ROOM) == "old"


def test_unknown_display_is_nowhere(house: House) -> None:
    house.displays.introduce(display("a"))
    house.displays.report(DisplayId("a"), report(joined=True))
    assert house.displays.active(ROOM) is None
    house.connect(DisplayId("b"))  # its page has not asked for its state yet
    assert (house.displays.active(ROOM), house.told) == (None, [])


@pytest.mark.parametrize(
    ("said", "called", "state"),
    [
        (None, False, (SiteDisplay.CONNECTED, Camera.UNKNOWN)),
        (None, True, (SiteDisplay.JOINING, Camera.UNKNOWN)),
        (report(joined=False, camera=Camera.DENIED), False, (SiteDisplay.CONNECTED, Camera.DENIED)),
        (report(joined=False), True, (SiteDisplay.JOINING, Camera.OK)),
        (report(joined=True), True, (SiteDisplay.JOINED, Camera.OK)),
        (report(joined=True), False, (SiteDisplay.CONNECTED, Camera.OK)),  # it will leave in a moment
    ],
)
def test_state_follows_the_call_and_the_report(
    house: House, said: DisplayReport | None, called: bool, state: tuple[SiteDisplay, Camera]
) -> None:
    assert house.displays.state(ROOM, called=called) == (SiteDisplay.ABSENT, Camera.UNKNOWN)
    house.come(display("a"))
    if said is not None:
        house.displays.report(DisplayId("a"), said)
    assert house.displays.state(ROOM, called=called) == state


def test_report_is_told_only_where_it_changes_what_people_see(house: House) -> None:
    house.come(display("a"))
    house.told.clear()
    for each in (
        report(joined=True, frames=1),
        report(joined=True, frames=60),
        report(joined=True, camera=Camera.MISSING),
    ):
        house.displays.report(DisplayId("a"), each)
    assert house.told == [ROOM, ROOM]


def test_every_page_of_an_unpaired_display_is_sent_away_and_no_other(house: House) -> None:
    with (
        house.displays.open(DisplayId("a")) as first,
        house.displays.open(DisplayId("a")) as second,
        house.displays.open(DisplayId("b")) as other,
    ):
        house.displays.unpair(DisplayId("a"))
        house.displays.unpair(DisplayId("nobody"))
        assert [each.is_set() for each in (first, second, other)] == [True, True, False]
        assert house.displays.connected(DisplayId("a"))
    assert not house.displays.connected(DisplayId("a"))
