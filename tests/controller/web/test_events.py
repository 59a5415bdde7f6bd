"""The WebSocket of a page."""

import asyncio
import socket
from collections.abc import Mapping

import aiohttp
import pytest
from yarl import URL

from controller.changes import ChangeKind
from rooms.people.account import Role
from rooms.people.rights import OWNER
from tests.controller.web.house import GUEST, HOST, LESSON, OTHER, ROOMS, House, claimed
from tests.controller.web.sockets import close_code, receive


async def test_page_is_told_of_its_own_and_not_of_others(house: House) -> None:
    visitor = await house.logged_in(HOST, Role.TEACHER)
    async with visitor.socket() as socket:
        assert (await receive(socket, "hello"))["type"] == "hello"
        for kind, foreign, own in (
            (ChangeKind.DEVICE, claimed(OTHER), claimed(HOST)),
            (ChangeKind.ROOM, ROOMS[GUEST].id, ROOMS[HOST].id),
        ):
            house.services.changes.publish(kind, foreign)
            house.services.changes.publish(kind, own)
            message = await receive(socket, kind, f"{kind}_removed")
            assert (message["type"], _id(message[kind])) == (kind, own)


async def test_guest_is_told_of_the_lesson_and_an_uninvolved_school_is_not(house: House) -> None:
    guest = await house.logged_in(GUEST, Role.TEACHER)
    other = await house.logged_in(OTHER, Role.TEACHER)
    async with guest.socket() as told, other.socket() as untold:
        await receive(told, "hello")
        await receive(untold, "hello")
        house.services.changes.publish(ChangeKind.LESSON, LESSON)
        house.services.changes.publish(ChangeKind.ROOM, ROOMS[OTHER].id)
        lesson = (await receive(told, "lesson"))["lesson"]
        assert isinstance(lesson, Mapping)
        assert (lesson["id"], lesson["can"]) == (
            LESSON,
            {
                "start": False,
                "start_block": {"code": "not_yours", "who": [], "count": 0, "at": None, "room": None, "lesson": None},
                "end": False,
                "resume": None,
                "share": None,
                "diagnose": False,
            },
        )
        assert (await receive(untold, "lesson", "room"))["type"] == "room"


async def test_start_by_the_teacher_reaches_the_page(house: House) -> None:
    visitor = await house.logged_in(HOST, Role.TEACHER)
    async with visitor.socket() as socket:
        await receive(socket, "hello")
        status, lesson = await visitor.ask("POST", f"/lessons/{LESSON}/start")
        assert (status, lesson["state"], lesson["can"]) == (
            200,
            "live",
            {
                "start": False,
                "start_block": None,
                "end": True,
                "resume": None,
                "share": ROOMS[HOST].id,
                "diagnose": False,
            },
        )
        while (seen := _thing((await receive(socket, "lesson"))["lesson"]))["state"] != "live":
            pass
        assert seen["id"] == LESSON
        assert (await visitor.ask("POST", f"/lessons/{LESSON}/start"))[0] == 200
        assert (await visitor.ask("POST", f"/lessons/{LESSON}/end"))[1]["state"] == "ended"


async def test_deleted_room_is_removed_from_the_page(house: House) -> None:
    visitor = await house.logged_in(HOST, Role.TECHNICIAN)
    async with visitor.socket() as socket:
        await receive(socket, "hello")
        _, room = await visitor.ask("POST", "/rooms", {"school": HOST, "name": "5B"})
        assert _id((await receive(socket, "room"))["room"]) == room["id"]
        assert (await visitor.ask("DELETE", f"/rooms/{room['id']}"))[0] == 204
        assert await receive(socket, "room_removed") == {"type": "room_removed", "id": room["id"]}


async def test_logout_closes(house: House) -> None:
    visitor = await house.logged_in(HOST, Role.TEACHER)
    async with visitor.socket() as socket:
        await receive(socket, "hello")
        await visitor.ask("POST", "/logout")
        assert await close_code(socket) == 4401


async def test_page_of_another_site_is_refused(house: House) -> None:
    visitor = await house.logged_in(HOST, Role.TEACHER)
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await visitor.http.ws_connect(f"{house.url}/api/v1/events", headers={"Origin": "https://evil.example"})
    assert refused.value.status == 403


async def test_nobody_is_refused(house: House) -> None:
    visitor = await house.visitor()
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await visitor.http.ws_connect(f"{house.url}/api/v1/events")
    assert refused.value.status == 401


@pytest.mark.parametrize("path", ["/events", "/display/events"])
@pytest.mark.parametrize("garbage", ["", "{", "[]", "7", "null", '{"type":1}', "[" * 10_000, '{"a":NaN}'])
async def test_garbage_is_answered_and_then_closed(
    house: House, path: str, garbage: str, caplog: pytest.LogCaptureFixture
) -> None:
    visitor = await house.logged_in(HOST, Role.TEACHER)
    async with visitor.socket(path) as socket:
        for _ in range(3):
            await socket.send_str(garbage)
            assert (await receive(socket, "error"))["type"] == "error"
        assert await close_code(socket) == 1008
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


@pytest.mark.parametrize("path", ["/events", "/display/events"])
async def test_oversized_message_closes(house: House, path: str) -> None:
    visitor = await house.logged_in(HOST, Role.TEACHER)
    async with visitor.socket(path) as socket:
        await socket.send_str("x" * 100_000)
        assert await close_code(socket) == 1009


async def test_page_that_falls_too_far_behind_is_closed_and_may_come_back(house: House) -> None:
    visitor = await house.logged_in(HOST, Role.TEACHER)
    async with visitor.socket() as socket:
        await receive(socket, "hello")
        for number in range(5000):
            house.services.changes.publish(ChangeKind.ROOM, f"room-{number}")
        assert await close_code(socket) == 1013
    async with visitor.socket() as socket:
        await receive(socket, "hello")


async def test_server_that_stops_says_goodbye(house: House) -> None:
    visitor = await house.logged_in(HOST, Role.TEACHER)
    async with visitor.socket() as socket:
        await receive(socket, "hello")
        closing = asyncio.create_task(close_code(socket))
        await house.runner.cleanup()
        assert await closing == 1001


async def test_changed_roles_close_at_the_next_check(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("controller.web.events.RECHECK_EVERY_S", 0.05)
    program = await house.program(HOST, Role.TEACHER)
    assert program.account is not None
    async with program.socket() as socket:
        await receive(socket, "hello")
        other = house.accounts[OTHER, Role.TEACHER]
        await house.people.accounts.grant(program.account.id, other.roles[0], rights=OWNER, actor="test")
        assert await close_code(socket) == 1013


def _thing(thing: object) -> Mapping[str, object]:
    assert isinstance(thing, Mapping)
    return thing


def _id(thing: object) -> object:
    return _thing(thing)["id"]


async def test_page_that_does_not_read_is_let_go(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("controller.web.socket.SEND_TIMEOUT_S", 0.2)
    monkeypatch.setattr("controller.web.socket.MESSAGES_PER_S", 1e9)  # so that it soon has much to read
    program = await house.program(HOST, Role.TEACHER)
    url = URL(house.url)
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # before connecting, so that the window stays small
    raw.setblocking(False)
    await asyncio.get_running_loop().sock_connect(raw, (url.host, url.port))
    reader, writer = await asyncio.open_connection(sock=raw, limit=1024)
    try:
        writer.write(
            f"GET /api/v1/events HTTP/1.1\r\nHost: {url.authority}\r\nAuthorization: Bearer {program.token}\r\n"
            "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode()
        )
        assert b"101" in await reader.readline()
        ping = b'{"type":"ping"}'
        frame = bytes((0x81, 0x80 | len(ping))) + bytes(4) + ping  # masked with zeros
        with pytest.raises(ConnectionError):
            await asyncio.wait_for(_write_on(writer, frame * 1000), 30)
    finally:
        writer.transport.abort()
    gauge = house.services.registry.get_sample_value("nhipcau_websockets", {"kind": "page"})
    assert gauge == 0


async def _write_on(writer: asyncio.StreamWriter, data: bytes) -> None:
    while True:
        writer.write(data)
        await writer.drain()


async def test_page_of_a_school_that_declined_is_not_told_when_something_happens(house: House) -> None:
    guest, host = await house.logged_in(GUEST, Role.TEACHER), await house.logged_in(HOST, Role.TEACHER)
    await guest.ask("POST", f"/lessons/{LESSON}/sites/{ROOMS[GUEST].id}/decline")
    await host.ask("POST", f"/lessons/{LESSON}/start")
    async with guest.socket() as theirs, host.socket() as ours:
        for socket in (theirs, ours):
            await receive(socket, "hello")
        for mode in ("called", "teacher", "discussion"):
            await host.ask("PUT", f"/lessons/{LESSON}/mode", {"mode": mode})
            while (await receive(ours, "lesson"))["lesson"]["mode"] != mode:  # type: ignore[index]
                pass
        await guest.ask("POST", f"/lessons/{LESSON}/sites/{ROOMS[GUEST].id}/accept")
        told = [await receive(theirs, "lesson")]
        while len(told[-1]["lesson"]["sites"]) == 1:  # type: ignore[index]
            told.append(await receive(theirs, "lesson"))
    assert len(told) <= 2
