"""Displays: from the pairing code to the state that they follow."""

import asyncio

import pytest
from sqlalchemy import text

from controller.changes import ChangeKind
from controller.displays.report import Camera, SiteDisplay
from controller.views.lesson_view import DisplayView
from controller.web.told import FRESH
from rooms.people.account import Role
from tests.controller.web.house import GUEST, HOST, LESSON, ROOMS, House
from tests.controller.web.sockets import close_code, receive

ROOM = ROOMS[HOST]
REPORT = {
    "type": "report",
    "joined": True,
    "camera": "ok",
    "publishing": True,
    "playing": 1,
    "frames_decoded": 25,
    "audio_energy": 0.5,
    "weak": False,
    "send_round_trip_ms": 41,
    "send_loss": 0.02,
    "limited": "cpu",
    "freezes": 2,
    "concealed": 0.01,
    "cpu_slow": True,
}


async def test_display_is_paired_by_its_code_and_follows_its_room(house: House) -> None:
    technician = await house.logged_in(HOST, Role.TECHNICIAN)
    page = await house.visitor()
    async with page.socket("/display/events") as socket:
        pairing = await receive(socket, "pairing")
        status, display = await technician.ask(
            "POST", f"/rooms/{ROOM.id}/displays", {"code": str(pairing["code"]).lower(), "name": "Tivi 4A"}
        )
        assert (status, display["name"], display["connected"]) == (201, "Tivi 4A", False)
        paired = await receive(socket, "paired")
    async with page.http.post(f"{house.url}/api/v1/display/credential", json={"token": paired["token"]}) as answer:
        assert answer.status == 204
        assert "HttpOnly" in answer.headers["Set-Cookie"]
    async with page.socket("/display/events") as socket:
        state = await receive(socket, "state")
        assert state == {
            "type": "state",
            "time": state["time"],
            "display": display["id"],
            "room": {"id": ROOM.id, "name": "4A"},
            "school": {"id": HOST, "name": "Trường Tiểu học Nguyễn Viết Xuân", "province": "Thái Nguyên"},
            "next": state["next"],
            "asking": None,
            "call": None,
        }
        _, room = await technician.ask("GET", f"/rooms/{ROOM.id}")
        assert [each["connected"] for each in room["displays"]] == [True]  # type: ignore[attr-defined]
        assert (await technician.ask("DELETE", f"/displays/{display['id']}"))[0] == 204
        assert await close_code(socket) == 4001
    async with page.socket("/display/events") as socket:
        assert (await receive(socket, "pairing"))["code"] != pairing["code"]


async def test_display_is_told_what_changes(house: House) -> None:
    display = await house.display()
    page = await house.visitor()
    async with page.socket("/display/events", Cookie="nhipcau_display=display-secret") as socket:
        first = await receive(socket, "state")
        assert first["next"] is not None
        for _ in range(3):  # by then, what its own coming changes in its room is told
            house.clock.move(FRESH)
            house.services.changes.publish(ChangeKind.CALL, display)
            await receive(socket, "state")
        await house.store.lessons.cancel(LESSON, house.clock())
        house.clock.move(FRESH)
        house.services.changes.publish(ChangeKind.CALL, display)  # only the call is looked at
        assert (await receive(socket, "state"))["next"] == first["next"]
        house.services.changes.publish(ChangeKind.DISPLAY, "another")
        house.services.changes.publish(ChangeKind.DISPLAY, display)
        assert (await receive(socket, "state"))["next"] is None


async def test_display_shows_the_new_name_of_its_room_at_once(house: House) -> None:
    await house.display()
    technician = await house.logged_in(HOST, Role.TECHNICIAN)
    page = await house.visitor()
    async with page.socket("/display/events", Cookie="nhipcau_display=display-secret") as socket:
        await receive(socket, "state")
        edited, _ = await technician.ask("PATCH", f"/rooms/{ROOM.id}", {"name": "4B"}, headers={"If-Match": '"1"'})
        assert edited == 200
        async with asyncio.timeout(10):
            while (await receive(socket, "state"))["room"] != {"id": ROOM.id, "name": "4B"}:
                pass  # its own coming is told, too


async def test_report_reaches_the_teachers_view(house: House) -> None:
    await house.display()
    page = await house.visitor()
    with house.services.changes.subscribe() as changes:
        async with page.socket("/display/events", Cookie="nhipcau_display=display-secret") as socket:
            await receive(socket, "state")
            await socket.send_json(REPORT)
            async with asyncio.timeout(10):
                async for _ in changes:
                    site = (await house.services.views.lessons.get(LESSON)).sites[0]
                    if site.display.camera is not Camera.UNKNOWN:
                        break
            assert site.display == DisplayView(state=SiteDisplay.CONNECTED, camera=Camera.OK)


async def test_bad_report_is_refused(house: House) -> None:
    await house.display()
    page = await house.visitor()
    async with page.socket("/display/events", Cookie="nhipcau_display=display-secret") as socket:
        await receive(socket, "state")
        for bad, place in (
            ({"joined": 1}, "/joined"),
            ({"send_loss": 2}, "/send_loss"),
            ({"\ud800": "no Unicode"}, "/"),
        ):
            await socket.send_json(REPORT | bad)
            refusal = await receive(socket, "error")
            assert (refusal["code"], str(refusal["detail"]).split(":")[0]) == ("invalid-report", place)
        assert await close_code(socket) == 1008


async def test_what_is_no_message_is_said_to_be_none(house: House) -> None:
    page = await house.visitor()
    async with page.socket("/display/events") as socket:
        for bad, code in (({"type": "dance"}, "unknown-type"), ({}, "unknown-type"), (REPORT, "not-paired")):
            await socket.send_json(bad)
            assert (await receive(socket, "error"))["code"] == code
        assert await close_code(socket) == 1008


async def test_ping_is_answered_and_something_is_said_in_silence(house: House) -> None:
    page = await house.visitor()
    async with page.socket("/display/events") as socket:
        await receive(socket, "pairing")
        await socket.send_json({"type": "ping"})
        assert await receive(socket, "pong") == {"type": "pong"}
        assert await receive(socket, "pong") == {"type": "pong"}  # nobody asked


async def test_wrong_code_is_not_found_and_guessing_is_throttled(house: House) -> None:
    technician = await house.logged_in(HOST, Role.TECHNICIAN)
    body = {"code": "AAAAAA", "name": "Tivi"}
    answers = [await technician.ask("POST", f"/rooms/{ROOM.id}/displays", body) for _ in range(11)]
    assert [status for status, _ in answers] == [404] * 10 + [429]
    assert answers[0][1]["type"] == "/problems/pairing-code-not-found"


async def test_technician_of_another_school_cannot_unpair(house: House) -> None:
    display = await house.display()
    foreign = await house.logged_in(GUEST, Role.TECHNICIAN)
    status, problem = await foreign.ask("DELETE", f"/displays/{display}")
    assert (status, problem) == (404, (await foreign.ask("DELETE", "/displays/none"))[1])


async def test_display_stays_while_the_database_takes_no_writes(house: House, caplog: pytest.LogCaptureFixture) -> None:
    await house.display()
    async with house.store.writing() as db:
        await db.execute(
            text("CREATE TRIGGER full BEFORE UPDATE ON displays BEGIN INSERT INTO nowhere VALUES (1); END")
        )
    page = await house.visitor()
    async with page.socket("/display/events", Cookie="nhipcau_display=display-secret") as socket:
        await receive(socket, "state")
        async with asyncio.timeout(10):
            while "not noted as seen" not in caplog.text:
                await socket.send_json({"type": "ping"})
                await receive(socket, "pong")
        await socket.send_json({"type": "ping"})
        await receive(socket, "pong")
