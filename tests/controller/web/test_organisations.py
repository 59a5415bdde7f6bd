"""Schools and departments over HTTP."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from rooms.invitation import InvitationState
from rooms.people.account import Role, RoleAt
from rooms.people.rights import OWNER
from rooms.school import Organisation, OrganisationId, OrganisationKind
from tests.controller.web.house import GUEST, HOST, LESSON, PASSWORD, ROOMS, House, Visitor

SCHOOL = {"name": "Trường Tiểu học Lê Lợi"}
DEPARTMENT = {"name": "Sở GD&ĐT Thái Nguyên", "kind": "department", "province": "Thái Nguyên"}


@pytest.fixture
async def operator(house: House) -> Visitor:
    account = house.accounts[HOST, Role.ADMINISTRATOR]
    await house.people.accounts.set_operator(account.id, True, actor="test")
    return await house.logged_in(HOST, Role.ADMINISTRATOR)


async def test_a_department_with_schools_and_departments_below_it_is_made(house: House, operator: Visitor) -> None:
    status, top = await operator.ask("POST", "/organisations", DEPARTMENT)
    assert (status, top["kind"], top["id"]) == (201, "department", "so-gd-dt-thai-nguyen")
    office = {"name": "Phòng GD Phổ Yên", "kind": "department", "parent": top["id"]}
    _, below = await operator.ask("POST", "/organisations", office)
    found = [await operator.ask("POST", "/organisations", {**SCHOOL, "parent": below["id"]}) for _ in range(2)]
    assert [(status, body["id"], body["parent"]) for status, body in found] == [
        (201, "le-loi-2", "phong-gd-pho-yen"),  # the house has a Lê Lợi
        (201, "le-loi-3", "phong-gd-pho-yen"),
    ]
    assert house.hub.namespaces > {"le-loi-2", "le-loi-3"}


async def test_a_school_has_nothing_below_it(house: House, operator: Visitor) -> None:
    status, problem = await operator.ask("POST", "/organisations", {**SCHOOL, "parent": HOST})
    assert (status, problem["type"]) == (422, "/problems/invalid-value")
    assert "only a department" in str(problem["detail"])


async def test_what_a_department_does_not_have_is_refused_in_words(house: House, operator: Visitor) -> None:
    _, department = await operator.ask("POST", "/organisations", DEPARTMENT)
    id = department["id"]
    me = house.accounts[HOST, Role.ADMINISTRATOR]
    await house.people.accounts.grant(me.id, RoleAt(Role.TEACHER, OrganisationId(str(id))), rights=OWNER, actor="test")
    start = datetime.now(UTC) + timedelta(days=300)
    end = start + timedelta(minutes=30)
    soon = {"start": start.isoformat(), "end": end.isoformat(), "rooms": [ROOMS[HOST].id]}
    for path, body in (
        ("/rooms", {"school": id, "name": "4A"}),
        ("/lessons", {"title": "Sông", "host": id, **soon}),
        (f"/schools/{id}/mqtt-password", None),
    ):
        status, problem = await operator.ask("POST", path, body)
        assert (status, problem["detail"]) == (422, f"{id} is a department, not a school")
    assert (await operator.ask("GET", f"/devices?school={id}"))[1]["devices"] == []


async def test_administrators_rename_and_nobody_else(house: House) -> None:
    administrator, teacher = [await house.logged_in(HOST, each) for each in (Role.ADMINISTRATOR, Role.TEACHER)]
    status, body = await administrator.ask("PATCH", f"/organisations/{HOST}", {"name": "Trường Xuân"})
    assert (status, body["id"], body["name"], body["province"]) == (200, HOST, "Trường Xuân", "Thái Nguyên")
    assert (await teacher.ask("PATCH", f"/organisations/{HOST}", {"name": "Không"}))[0] == 403
    (entry,) = [each for each in await house.store.audit.list() if each.action == "organisation.edit"]
    assert (entry.before or {})["name"] == "Trường Tiểu học Nguyễn Viết Xuân"


async def test_a_department_sees_states_and_neither_watches_nor_answers(house: House) -> None:
    department = Organisation(id=OrganisationId("so"), kind=OrganisationKind.DEPARTMENT, name="Sở")
    await house.store.organisations.add(department)
    below = OrganisationId("an")
    await house.store.organisations.add(
        Organisation(id=below, parent_id=department.id, kind=OrganisationKind.SCHOOL, name="An")
    )
    for role in Role:
        await house.people.accounts.add(
            name=f"so.{role}",
            display_name="Sở",
            password=PASSWORD,
            roles=[RoleAt(role, department.id)],
            rights=OWNER,
            actor="test",
        )
    room = replace(ROOMS[HOST], id=type(ROOMS[HOST].id)("an-4a"), school_id=type(ROOMS[HOST].school_id)(below))
    await house.store.rooms.add(room)
    statuses = {}
    for role in Role:
        visitor = await house.visitor()
        await visitor.log_in(f"so.{role}")
        statuses[role] = [
            (await visitor.ask(method, path, body))[0]
            for method, path, body in (
                ("GET", f"/rooms/{room.id}", None),
                ("POST", "/rooms", {"school": below, "name": f"Phòng {role}"}),
                ("POST", f"/schools/{below}/mqtt-password", None),
                ("POST", "/organisations", {"name": f"Trường {role}", "parent": department.id}),
                ("POST", "/organisations", {"name": f"Trường {role}"}),
                ("GET", "/nodes", None),
            )
        ]
    assert statuses == {
        Role.TEACHER: [200, 403, 403, 403, 403, 403],
        Role.TECHNICIAN: [200, 201, 201, 403, 403, 403],
        Role.ADMINISTRATOR: [200, 403, 403, 201, 403, 403],
    }


async def test_a_guest_that_declined_sees_nothing_of_the_live_lesson_and_changes_its_mind(house: House) -> None:
    guest, host = await house.logged_in(GUEST, Role.TEACHER), await house.logged_in(HOST, Role.TEACHER)
    answer = f"/lessons/{LESSON}/sites/{ROOMS[GUEST].id}"
    await guest.ask("POST", f"{answer}/decline")
    assert (await host.ask("POST", f"/lessons/{LESSON}/start"))[0] == 200
    await host.ask("PUT", f"/lessons/{LESSON}/mode", {"mode": "called"})
    _, whole = await host.ask("GET", f"/lessons/{LESSON}")
    assert (whole["mode"], len(whole["sites"])) == ("called", 2)  # type: ignore[arg-type]
    for _, shown in (await guest.ask("GET", f"/lessons/{LESSON}"), (0, await _listed(guest))):
        sites = shown["sites"]
        assert isinstance(sites, list)
        (site,) = sites
        assert (shown["title"], shown["state"], shown["host"]) == (whole["title"], "live", whole["host"])
        assert (shown["mode"], shown["floor"], shown["epoch"], shown["started_at"]) == ("discussion", None, None, None)
        assert (site["room"]["id"], site["invitation"]) == (ROOMS[GUEST].id, InvitationState.DECLINED)
        assert (site["devices"], site["problems"]) == ({"state": "idle", "steps": []}, [])
    assert (await guest.ask("GET", f"/lessons/{LESSON}/quality"))[0] == 403
    assert (await guest.ask("POST", f"/lessons/{LESSON}/watch", {"view": "tab"}))[0] == 403
    status, accepted = await guest.ask("POST", f"{answer}/accept")
    assert (status, len(accepted["sites"])) == (200, 2)  # type: ignore[arg-type]


async def _listed(visitor: Visitor) -> dict[str, object]:
    _, body = await visitor.ask("GET", "/lessons")
    (found,) = [each for each in body["lessons"] if each["id"] == LESSON]  # type: ignore[attr-defined]
    return dict(found)
