"""How the sites of a lesson were connected, over the API."""

from datetime import timedelta
from typing import Any

from controller.quality.history import UNKNOWN, History
from rooms.invitation import InvitationState
from rooms.people.account import Role
from tests.controller.web.house import GUEST, HOST, LESSON, ROOMS, House

PATH = f"/lessons/{LESSON}/quality"


def sites(told: dict[str, object]) -> list[dict[str, Any]]:
    found = told["sites"]
    assert isinstance(found, list)
    return found


async def test_technicians_see_each_site_over_the_lesson(house: House) -> None:
    start = house.clock()
    history = History(start)
    history.add(start, [0, 1500, 900, UNKNOWN, 21, 0, 62, 9, 0])
    history.add(start + timedelta(seconds=6), [1, 300, 900, 1200, 80, 0, 70, 9, 2])
    await house.store.quality.put(LESSON, {ROOMS[HOST].id: history.stored()}, start)
    technician = await house.logged_in(HOST, Role.TECHNICIAN)
    status, told = await technician.ask("GET", PATH)
    assert (status, told["live"]) == (200, False)
    host, guest = sites(told)
    assert host["history"] | {"start": None} == {
        "start": None,
        "interval_s": 2,
        "word": ["good", None, None, "weak"],
        "up_kbps": [1500, None, None, 300],
        "down_kbps": [900, None, None, 900],
        "estimate_kbps": [None, None, None, 1200],
        "up_loss": [0.021, None, None, 0.08],
        "down_loss": [0.0, None, None, 0.0],
        "round_trip_ms": [62, None, None, 70],
        "jitter_ms": [9, None, None, 9],
        "freezes": [0, None, None, 2],
    }
    assert (guest["room"]["id"], guest["history"], guest["now"], guest["quality"]) == (
        ROOMS[GUEST].id,
        None,
        None,
        None,
    )


async def test_all_sites_come_in_fewer_steps_than_one(house: House) -> None:
    start = house.clock()
    history = History(start)
    for step in range(600):
        history.add(start + timedelta(seconds=2 * step), [0, *[step] * 8])
    await house.store.quality.put(LESSON, {ROOMS[HOST].id: history.stored()}, start)
    technician = await house.logged_in(HOST, Role.TECHNICIAN)
    _, all_sites = await technician.ask("GET", PATH)
    _, one = await technician.ask("GET", f"{PATH}?room={ROOMS[HOST].id}")
    steps = [[len(site["history"]["word"]) for site in sites(told) if site["history"]] for told in (all_sites, one)]
    assert steps == [[150], [600]]
    assert len(sites(one)) == 1


async def test_a_guests_technician_sees_it_once_the_school_takes_part(house: House) -> None:
    technician = await house.logged_in(GUEST, Role.TECHNICIAN)
    assert (await technician.ask("GET", PATH))[0] == 403
    await house.store.lessons.set_invitation(LESSON, ROOMS[GUEST].id, InvitationState.ACCEPTED)
    assert (await technician.ask("GET", PATH))[0] == 200
    _, lesson = await technician.ask("GET", f"/lessons/{LESSON}")
    can = lesson["can"]
    assert isinstance(can, dict)
    assert can["diagnose"] is True
    teacher = await house.logged_in(GUEST, Role.TEACHER)
    assert (await teacher.ask("GET", PATH))[0] == 403
