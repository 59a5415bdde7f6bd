"""Who reads what of the audit log, and what attacks leave in it."""

import logging
from datetime import timedelta
from typing import Any

import pytest

from controller.people.refusals import MANY, MOST_ENTRIES, MOST_KEPT, Refusal
from rooms.people.account import Role
from tests.controller.web.house import GUEST, HOST, OTHER, ROOMS, House, Visitor

TEACHER = f"teacher.{HOST}"


async def log_of(visitor: Visitor, query: str = "") -> list[dict[str, Any]]:
    status, body = await visitor.ask("GET", f"/audit{query}")
    assert status == 200
    entries: list[dict[str, Any]] = body["entries"]  # type: ignore[assignment]
    return entries


async def test_failed_logins_are_one_line_and_one_entry_with_their_number(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    pupil = await house.visitor()
    for _ in range(7):
        await pupil.log_in(TEACHER, "a wrong password")
    for number in range(3):
        await pupil.log_in(f"my secret password {number}", "typed in the wrong field")
    await house.services.refusals.write()
    await house.services.refusals.write()
    teacher = house.accounts[HOST, Role.TEACHER]
    administrator = await house.program(HOST, Role.ADMINISTRATOR)
    assert [
        (each["action"], each["actor"]["id"], each["about"]["id"], each["after"])
        for each in await log_of(administrator, "?action=refused.")
    ] == [
        ("refused.too-many-attempts", "network 127.0.0.1", teacher.id, {"count": 2, "network": "127.0.0.1"}),
        ("refused.login-failed", "network 127.0.0.1", teacher.id, {"count": 5, "network": "127.0.0.1"}),
    ]
    assert [entry.after for entry in await house.store.audit.list(object_kind="network")] == [
        {"count": 3, "network": "127.0.0.1"}
    ]
    lines = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    refused = [line for line in lines if line.startswith("refused: ")]
    assert f"refused: login-failed, from 127.0.0.1, account {teacher.id}: 5 times" in refused
    assert len(refused) == 3
    assert "secret" not in caplog.text


async def test_what_somebody_may_not_do_is_noted_under_their_name(house: House) -> None:
    teacher, thief = await house.logged_in(HOST, Role.TEACHER), await house.visitor()
    assert teacher.account is not None
    await teacher.ask("PATCH", f"/rooms/{ROOMS[HOST].id}", {"name": "5B"}, headers={"If-Match": '"1"'})
    await teacher.ask("POST", "/logout", headers={"X-CSRF-Token": "wrong"})
    await teacher.ask("POST", "/logout", headers={"Origin": "https://evil.example"})
    thief.token = "nc_wrong"
    await thief.ask("GET", "/me")
    technician = await house.program(HOST, Role.TECHNICIAN)
    await technician.ask("POST", f"/rooms/{ROOMS[HOST].id}/displays", {"code": "AAAAAA", "name": "x"})
    await house.services.refusals.write()
    noted = {(each.action, each.actor) for each in await house.store.audit.list() if "refused" in each.action}
    assert technician.account is not None
    assert noted == {
        ("refused.forbidden", teacher.account.id),
        ("refused.csrf-refused", teacher.account.id),
        ("refused.origin-refused", "network 127.0.0.1"),
        ("refused.token-refused", "network 127.0.0.1"),
        ("refused.pairing-code-not-found", technician.account.id),
    }


async def test_a_login_that_ended_by_time_is_no_attack(house: House) -> None:
    visitor = await house.logged_in(HOST, Role.TEACHER)
    house.clock.move(timedelta(hours=13))
    assert (await visitor.ask("GET", "/me"))[0] == 401
    await house.services.refusals.write()
    assert [each.action for each in await house.store.audit.list() if "refused" in each.action] == []


async def test_an_attack_of_many_cannot_fill_the_log(house: House) -> None:
    for number in range(3 * MOST_KEPT):
        refusal = Refusal(kind="login-failed", network=f"2001:db8:0:{number:x}::/64", name=f"name{number}")
        house.services.refusals.count(refusal)
    await house.services.refusals.write()
    entries = await house.store.audit.list(object_kind="network", limit=1000)
    counts = [each.after["count"] for each in entries if each.after is not None]
    assert len(entries) <= MOST_ENTRIES + 1
    assert sum(int(str(count)) for count in counts) == 3 * MOST_KEPT
    assert MANY in {each.object_id for each in entries}


async def test_logins_and_logouts_are_in_the_log_with_their_network(house: House) -> None:
    teacher = await house.logged_in(HOST, Role.TEACHER)
    assert teacher.account is not None
    await teacher.ask("POST", "/logout")
    administrator = await house.program(HOST, Role.ADMINISTRATOR)
    found = await log_of(administrator, f"?actor={teacher.account.id}&action=login.")
    assert [(each["action"], each["after"]["network"], each["actor"]["name"]) for each in found] == [
        ("login.end", "127.0.0.1", f"teacher {HOST}"),
        ("login.begin", "127.0.0.1", f"teacher {HOST}"),
    ]


async def test_administrators_read_of_their_own_organisations_alone(house: House) -> None:
    technician = await house.program(HOST, Role.TECHNICIAN)
    await technician.ask("PATCH", f"/rooms/{ROOMS[HOST].id}", {"name": "5B"}, headers={"If-Match": '"1"'})
    for school, sees in ((HOST, True), (GUEST, False), (OTHER, False)):
        administrator = await house.program(school, Role.ADMINISTRATOR)
        entries = await log_of(administrator)
        about = {each["about"]["id"] for each in entries}
        assert (ROOMS[HOST].id in about) is sees
        assert house.accounts[school, Role.TEACHER].id in about
        others = {account.id for (at, _), account in house.accounts.items() if at != school}
        assert not about & others
    for role in (Role.TEACHER, Role.TECHNICIAN):
        assert (await (await house.program(HOST, role)).ask("GET", "/audit"))[0] == 403
    assert (await (await house.visitor()).ask("GET", "/audit"))[0] == 401


async def test_pages_are_followed_by_their_cursor(house: House) -> None:
    administrator = await house.program(HOST, Role.ADMINISTRATOR)
    seen, query = [], "?limit=2"
    while True:
        status, body = await administrator.ask("GET", f"/audit{query}")
        assert status == 200
        seen += [(each["at"], each["about"]["id"]) for each in body["entries"]]  # type: ignore[attr-defined]
        if body["next"] is None:
            break
        query = f"?limit=2&cursor={body['next']}"
    assert len(seen) == 4  # three accounts, one token
    for bad in ("x", "AAAA", "MTIz_-8", "OTk5OTk5OTk5OTk5OTk5OTk5OTk5"):
        assert (await administrator.ask("GET", f"/audit?cursor={bad}"))[0] == 422
