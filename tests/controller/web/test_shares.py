"""What one network can make the controller do."""

import asyncio
import time

import aiohttp
import pytest

from controller.web.shares import BURST_S, MOST_KEPT, SHARE, SHARES, Metered, Shares
from rooms.people.account import Role
from tests.controller.web.house import HOST, House
from tests.controller.web.sockets import receive


async def test_the_meter_counts_what_work_takes_and_not_what_it_waits_for() -> None:
    async def work() -> str:
        began = time.thread_time()
        while time.thread_time() - began < 0.02:
            pass
        await asyncio.sleep(0.2)
        return "done"

    metered = Metered(work())
    assert await metered == "done"
    assert 0.02 <= metered.cpu_s < 0.1


async def test_the_meter_hands_on_errors_and_cancellation() -> None:
    seen = []

    async def work(fail: bool) -> None:
        try:
            await asyncio.sleep(0 if fail else 60)
            raise KeyError("fails")
        except BaseException as error:
            seen.append(type(error))
            raise

    with pytest.raises(KeyError):
        await Metered(work(True))
    waiting: asyncio.Task[None] = asyncio.ensure_future(_await(Metered(work(False))))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert seen == [KeyError, asyncio.CancelledError]


async def _await(metered: Metered[None]) -> None:
    await metered


def test_a_share_is_a_burst_and_then_so_much_of_each_second() -> None:
    now = 100.0
    shares = Shares(lambda: now)
    shares.charge("a", BURST_S)
    assert shares.wait_s("a") == pytest.approx(0)
    shares.charge("a", 1.0)
    assert shares.wait_s("a") == pytest.approx(1 / SHARE)
    assert shares.wait_s("b") == 0
    now += 1 / SHARE
    assert shares.wait_s("a") == pytest.approx(0)
    for number in range(2 * MOST_KEPT):
        shares.charge(str(number), 1.0)
    assert len(shares._whole_at) == MOST_KEPT


async def test_who_has_used_up_the_share_is_sent_away_and_others_are_not(house: House) -> None:
    """A pupil floods from the school's one address; its teachers, and browsers they have used, are served."""
    teacher, pupil = await house.logged_in(HOST, Role.TEACHER), await house.visitor()
    program, left = await house.program(HOST, Role.TEACHER), await house.logged_in(HOST, Role.TECHNICIAN)
    await left.ask("POST", "/logout")
    assert (await program.ask("GET", "/me"))[0] == 200
    newcomer = await house.program(HOST, Role.ADMINISTRATOR)
    shares = house.runner.app[SHARES]
    used = shares._whole_at["127.0.0.1"]
    await pupil.ask("GET", "/healthz", api="")
    assert shares._whole_at["127.0.0.1"] > used
    shares.charge("127.0.0.1", 10 * BURST_S)
    status, problem = await pupil.ask("GET", "/healthz", api="")
    assert (status, problem["type"]) == (429, "/problems/too-many-requests")
    assert (await teacher.ask("GET", "/me"))[0] == 200
    assert (await left.ask("GET", "/healthz", api=""))[0] == 200
    assert await left.log_in(f"technician.{HOST}") == 200
    assert (await program.ask("GET", "/me"))[0] == 200
    assert (await newcomer.ask("GET", "/me"))[0] == 429  # nobody has looked at its token yet
    program.token = "nc_guess"
    assert (await program.ask("GET", "/me"))[0] == 429


async def test_a_display_keeps_its_share_whatever_its_school_asks(house: House) -> None:
    await house.display()
    display = await house.visitor()
    cookie = {"Cookie": "nhipcau_display=display-secret"}
    async with display.socket("/display/events", **cookie) as socket:
        await receive(socket, "state")
    house.runner.app[SHARES].charge("127.0.0.1", 10 * BURST_S)
    assert (await (await house.visitor()).ask("GET", "/healthz", api=""))[0] == 429
    assert (await display.ask("GET", "/healthz", api=""))[0] == 200


async def test_what_a_login_asks_is_not_counted(house: House) -> None:
    teacher = await house.logged_in(HOST, Role.TEACHER)
    shares = house.runner.app[SHARES]
    used = dict(shares._whole_at)
    for _ in range(3):
        assert (await teacher.ask("GET", "/rooms"))[0] == 200
    assert dict(shares._whole_at) == used


async def test_one_login_has_so_many_pages(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("controller.web.sockets.MOST_OF_A_LOGIN", 2)
    teacher, other = await house.program(HOST, Role.TEACHER), await house.program(HOST, Role.TECHNICIAN)
    async with teacher.socket() as first, teacher.socket() as second, other.socket() as third:
        for each in (first, second, third):
            await receive(each, "hello")
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            async with teacher.socket():
                pass
        assert refused.value.status == 429
        await first.close()
        async with asyncio.timeout(10):
            while not await _opens(teacher.socket()):
                pass


async def _opens(connecting: "aiohttp.client._WSRequestContextManager") -> bool:
    try:
        async with connecting as socket:
            await receive(socket, "hello")
            return True
    except aiohttp.WSServerHandshakeError:
        return False


async def test_one_network_has_so_many_sockets(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("controller.web.sockets.MOST_OF_A_NETWORK", 1)
    visitor = await house.visitor()
    async with visitor.socket("/display/events") as first:
        await receive(first, "pairing")
        assert not await _opens(visitor.socket("/display/events"))


async def test_messages_that_come_too_fast_wait_and_hold_up_nothing_else(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("controller.web.socket.MESSAGES_PER_S", 1e-3)
    monkeypatch.setattr("controller.web.socket.MESSAGES_AT_ONCE", 5)
    teacher, technician = await house.program(HOST, Role.TEACHER), await house.program(HOST, Role.TECHNICIAN)
    async with teacher.socket() as socket:
        await receive(socket, "hello")
        for _ in range(50):
            await socket.send_json({"type": "ping"})
        for _ in range(5):
            await receive(socket, "pong")
        status, room = await technician.ask("POST", "/rooms", {"school": HOST, "name": "5B"})
        assert status == 201
        message = await receive(socket, "room", "pong")
        assert message["type"] == "room"
