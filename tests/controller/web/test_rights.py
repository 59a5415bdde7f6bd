"""Every route, asked by every role of the host's, the guest's and an uninvolved school.

The table says who gets through; a route that is missing in it fails the test.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from controller.web.server import ROUTES
from devices.device import DeviceId
from rooms.lesson import LessonId
from rooms.people.account import AccountId, Role, RoleAt, TokenId
from rooms.people.rights import OWNER
from rooms.room import Room, RoomId
from tests.controller.web.house import (
    GUEST,
    HOST,
    OTHER,
    ROOMS,
    House,
    Visitor,
    claimed,
    lesson_at,
)

TEACHER, TECHNICIAN, ADMINISTRATOR = Role.TEACHER, Role.TECHNICIAN, Role.ADMINISTRATOR
ALL = frozenset(Role)
NOBODY: frozenset[Role] = frozenset()
ROOM = ROOMS[HOST].id


@dataclass(frozen=True, kw_only=True)
class Expected:
    """The status for each school's people: one for all roles, or by role (the rest gets `else_`)."""

    method: str
    path: str  # as in the route
    url: str | None = None  # filled in; None: `path`
    body: object = None
    headers: Mapping[str, str] | None = None
    ok: int = 200
    host: frozenset[Role] = ALL
    host_else: int = 403
    guest: frozenset[Role] = frozenset()
    guest_else: int = 404
    other_else: int = 404
    other: frozenset[Role] = frozenset()

    def status(self, school: str, role: Role) -> int:
        match school:
            case "host":
                return self.ok if role in self.host else self.host_else
            case "guest":
                return self.ok if role in self.guest else self.guest_else
            case _:
                return self.ok if role in self.other else self.other_else


EQUIP = frozenset({TECHNICIAN, ADMINISTRATOR})
PLAN = frozenset({TEACHER, ADMINISTRATOR})
ADMINISTER = frozenset({ADMINISTRATOR})
DAY = datetime.now(UTC).date() + timedelta(days=300)
SOON = f"{DAY}T00:00:00.*1Z", f"{DAY}T00:00:00.*2Z"  # so short that they do not meet
NEW_LESSON = {"title": "Sông Hồng", "host": HOST, "start": SOON[0], "end": SOON[1], "rooms": [ROOM]}
STEP = {"id": "on", "device": claimed(HOST), "property": "power", "value": "on"}
NEW_ACCOUNT = {
    "name": "new.*",
    "display_name": "Cô Lan",
    "password": "correct horse",
    "role": "teacher",
    "organisation": HOST,
}
NEW_SCHOOL = {"name": "Trường mới *"}
VERSION = {"If-Match": '"1"'}

TABLE = (
    Expected(method="GET", path="/me", guest=ALL, other=ALL),
    Expected(method="POST", path="/logout", ok=204, guest=ALL, other=ALL),
    # a wrong password: 403 is what everybody gets
    Expected(
        method="PUT",
        path="/me/password",
        body={"current": "wrong", "password": "another battery"},
        ok=403,
        guest=ALL,
        other=ALL,
    ),
    Expected(method="GET", path="/me/logins", guest=ALL, other=ALL),
    Expected(method="DELETE", path="/me/logins", ok=204, guest=ALL, other=ALL),
    Expected(method="DELETE", path="/me/logins/{login}", url="/me/logins/none", ok=404, guest=ALL, other=ALL),
    Expected(method="GET", path="/me/tokens", guest=ALL, other=ALL),
    Expected(method="DELETE", path="/me/tokens/{token}", url="/me/tokens/none", ok=404, guest=ALL, other=ALL),
    Expected(method="GET", path="/organisations", guest=ALL, other=ALL),
    # at the top of the tree: operators, whom no role makes
    Expected(
        method="POST", path="/organisations", body=NEW_SCHOOL, ok=201, host=NOBODY, guest_else=403, other_else=403
    ),
    Expected(
        method="PATCH",
        path="/organisations/{organisation}",
        url=f"/organisations/{HOST}",
        body={"name": "Trường *"},
        host=ADMINISTER,
    ),
    Expected(method="GET", path="/schools/{school}/mqtt", url=f"/schools/{HOST}/mqtt", host=EQUIP),
    Expected(
        method="POST", path="/schools/{school}/mqtt-password", url=f"/schools/{HOST}/mqtt-password", ok=201, host=EQUIP
    ),
    Expected(method="GET", path="/accounts", guest=ALL, other=ALL),  # lists what they administer: nothing, for most
    Expected(
        method="GET",
        path="/audit",  # each of their own school
        host=frozenset({ADMINISTRATOR}),
        guest=frozenset({ADMINISTRATOR}),
        guest_else=403,
        other=frozenset({ADMINISTRATOR}),
        other_else=403,
    ),
    Expected(method="POST", path="/accounts", body=NEW_ACCOUNT, ok=201, host=ADMINISTER),
    # somebody else's account is not seen at all, but by those who administer where it has a role
    Expected(method="GET", path="/accounts/{account}", url="/accounts/{person}", host=ADMINISTER, host_else=404),
    Expected(
        method="PATCH",
        path="/accounts/{account}",
        url="/accounts/{person}",
        body={"display_name": "Cô Mai"},
        host=ADMINISTER,
        host_else=404,
    ),
    Expected(
        method="POST",
        path="/accounts/{account}/password",
        url="/accounts/{person}/password",
        body={"by": "link"},
        host=ADMINISTER,
        host_else=404,
    ),
    Expected(
        method="PUT",
        path="/accounts/{account}/suspended",
        url="/accounts/{person}/suspended",
        body={"suspended": True},
        host=ADMINISTER,
        host_else=404,
    ),
    Expected(
        method="POST",
        path="/accounts/{account}/roles",
        url="/accounts/{person}/roles",
        body={"role": "technician", "organisation": HOST},
        host=ADMINISTER,
        host_else=404,
    ),
    Expected(
        method="DELETE",
        path="/accounts/{account}/roles/{organisation}/{role}",
        url=f"/accounts/{{person}}/roles/{HOST}/technician",
        ok=204,
        host=ADMINISTER,
        host_else=404,
    ),
    Expected(
        method="GET",
        path="/accounts/{account}/logins",
        url="/accounts/{person}/logins",
        host=ADMINISTER,
        host_else=404,
    ),
    Expected(
        method="DELETE",
        path="/accounts/{account}/logins",
        url="/accounts/{person}/logins",
        ok=204,
        host=ADMINISTER,
        host_else=404,
    ),
    Expected(
        method="GET",
        path="/accounts/{account}/tokens",
        url="/accounts/{person}/tokens",
        host=ADMINISTER,
        host_else=404,
    ),
    Expected(
        method="DELETE",
        path="/accounts/{account}/tokens/{token}",
        url="/accounts/{person}/tokens/{person_token}",
        ok=204,
        host=ADMINISTER,
        host_else=404,
    ),
    Expected(method="GET", path="/rooms", guest=ALL, other=ALL),
    Expected(method="POST", path="/rooms", body={"school": HOST, "name": "New *"}, ok=201, host=EQUIP),
    Expected(method="GET", path="/rooms/{room}", url="/rooms/{room}"),
    Expected(
        method="PATCH", path="/rooms/{room}", url="/rooms/{room}", body={"name": "New *"}, headers=VERSION, host=EQUIP
    ),
    Expected(method="DELETE", path="/rooms/{room}", url="/rooms/{room}", ok=204, host=EQUIP),
    Expected(method="GET", path="/devices", url=f"/devices?school={HOST}"),
    Expected(
        method="POST",
        path="/devices",
        body={"school": HOST, "gateway": "pjlink", "host": "::ffff:7f01:*"},  # 127.1.x.y
        ok=201,
        host=EQUIP,
    ),
    Expected(method="GET", path="/devices/{device}/address", url="/devices/{addressed}/address", host=EQUIP),
    Expected(
        method="PUT",
        path="/devices/{device}/address",
        url="/devices/{addressed}/address",
        body={"host": "::ffff:7f02:*", "port": 4352},
        host=EQUIP,
    ),
    Expected(
        method="POST",
        path="/devices/{device}/claim",
        url="/devices/{spare}/claim",
        body={"room": ROOM},
        host=EQUIP,
    ),
    Expected(method="POST", path="/devices/{device}/release", url="/devices/{taken}/release", host=EQUIP),
    Expected(method="DELETE", path="/devices/{device}", url="/devices/{spare}", ok=204, host=EQUIP),
    Expected(
        method="POST",
        path="/devices/{device}/commands",
        url="/devices/{device}/commands",
        body={"property": "power", "value": "on", "timeout_s": 0.1},
    ),
    Expected(method="GET", path="/rooms/{room}/scenes", url="/rooms/{room}/scenes"),
    Expected(
        method="PUT",
        path="/rooms/{room}/scenes/{name}",
        url="/rooms/{host_room}/scenes/scene-*",
        body={"name": "scene-*", "steps": [STEP]},
        ok=201,
        host=EQUIP,
    ),
    Expected(
        method="POST",
        path="/rooms/{room}/scenes/{name}/apply",
        url="/rooms/{host_room}/scenes/lesson/apply",
    ),
    Expected(method="POST", path="/rooms/{room}/scenes/suggest", url="/rooms/{room}/scenes/suggest", host=EQUIP),
    Expected(method="GET", path="/lessons", guest=ALL, other=ALL),
    Expected(method="POST", path="/lessons", body=NEW_LESSON, ok=201, host=PLAN),
    Expected(method="GET", path="/lessons/{lesson}", url="/lessons/{lesson}", guest=ALL),
    Expected(
        method="PATCH",
        path="/lessons/{lesson}",
        url="/lessons/{lesson}",
        body={"title": "Sông Lam"},
        headers=VERSION,
        host=PLAN,
        guest_else=403,
    ),
    Expected(method="DELETE", path="/lessons/{lesson}", url="/lessons/{lesson}", ok=204, host=PLAN, guest_else=403),
    # it is planned already: nothing changes
    Expected(
        method="POST", path="/lessons/{lesson}/reinstate", url="/lessons/{lesson}/reinstate", host=PLAN, guest_else=403
    ),
    Expected(
        method="POST",
        path="/lessons/{lesson}/start",
        url="/lessons/{lesson}/start",
        host=frozenset({TEACHER}),
        guest_else=403,
    ),
    # not live: 409 is what those get who may
    Expected(
        method="POST",
        path="/lessons/{lesson}/end",
        url="/lessons/{lesson}/end",
        ok=409,
        host=frozenset({TEACHER}),
        guest_else=403,
    ),
    Expected(
        method="PUT",
        path="/lessons/{lesson}/mode",
        url="/lessons/{lesson}/mode",
        body={"mode": "called"},
        ok=409,
        host=frozenset({TEACHER}),
        guest_else=403,
    ),
    Expected(
        method="PUT",
        path="/lessons/{lesson}/floor",
        url="/lessons/{lesson}/floor",
        body={"room": ROOM},
        ok=409,
        host=frozenset({TEACHER}),
        guest_else=403,
    ),
    Expected(
        method="GET",
        path="/lessons/{lesson}/quality",
        url="/lessons/{lesson}/quality",
        host=EQUIP,
        guest_else=403,  # its school has not accepted yet
    ),
    Expected(
        method="POST",
        path="/lessons/{lesson}/watch",
        url="/lessons/{lesson}/watch",
        body={"view": "tab"},
        ok=409,
        host=frozenset({TEACHER}),
        guest_else=403,  # its school has not accepted yet
    ),
    Expected(
        method="POST",
        path="/lessons/{lesson}/screen",
        url="/lessons/{lesson}/screen",
        body={"share": "laptop"},
        ok=409,
        host=frozenset({TEACHER}),
        guest_else=403,  # its school has not accepted yet
    ),
    Expected(
        method="POST",
        path="/lessons/{lesson}/sites/{room}/accept",
        url="/lessons/{lesson}/sites/{guest_room}/accept",
        host=frozenset(),
        guest=ALL,
    ),
    Expected(
        method="POST",
        path="/lessons/{lesson}/sites/{room}/decline",
        url="/lessons/{lesson}/sites/{guest_room}/decline",
        host=frozenset(),
        guest=ALL,
    ),
    Expected(
        method="POST",
        path="/lessons/{lesson}/resume",
        url="/lessons/{lesson}/resume",
        ok=409,
        host=frozenset({TEACHER}),
        guest_else=403,
    ),
    Expected(
        method="POST",
        path="/lessons/{lesson}/sites/{room}/remind",
        url="/lessons/{lesson}/sites/{guest_room}/remind",
        ok=409,
        host=frozenset({TEACHER}),
        guest_else=403,
    ),
    Expected(
        method="PUT",
        path="/lessons/{lesson}/sites/{room}/sending",
        url="/lessons/{lesson}/sites/{guest_room}/sending",
        body={"muted": True},
        ok=409,
        host=frozenset(),
        guest=ALL,
    ),
    # nothing is got ready: 404
    Expected(
        method="POST",
        path="/lessons/{lesson}/sites/{room}/steps/{step}/restore",
        url="/lessons/{lesson}/sites/{guest_room}/steps/on/restore",
        ok=404,
        host=frozenset(),
        guest=ALL,
    ),
    # a wrong code: 404 with the code's own type is what those get who may
    Expected(
        method="POST",
        path="/rooms/{room}/displays",
        url="/rooms/{room}/displays",
        body={"code": "AAAAAA", "name": "Tivi"},
        ok=404,
        host=EQUIP,
    ),
    Expected(method="DELETE", path="/displays/{display}", url="/displays/{display}", ok=204, host=EQUIP),
    # nodes belong to nobody's school: for operators, whom no role makes
    Expected(method="GET", path="/nodes", host=NOBODY, guest_else=403, other_else=403),
    Expected(
        method="PUT",
        path="/nodes/{node}",
        url="/nodes/none",
        body={"draining": True},
        host=NOBODY,
        guest_else=403,
        other_else=403,
    ),
)
PUBLIC = {
    ("POST", "/nodes"),
    ("POST", "/login"),
    ("POST", "/login/link"),
    ("POST", "/setup/check"),
    ("POST", "/setup"),
    ("POST", "/display/credential"),
}
SCHOOLS = {"host": HOST, "guest": GUEST, "other": OTHER}


def test_table_has_every_route() -> None:
    listed = {(each.method, each.path) for each in TABLE}
    assert listed | PUBLIC == {(route.method, route.path) for route in ROUTES}
    assert {(route.method, route.path) for route in ROUTES if route.public} == PUBLIC


async def test_routes_let_in_whom_the_table_says(house: House) -> None:
    people = [(name, role, await house.program(school, role)) for name, school in SCHOOLS.items() for role in Role]
    wanted, statuses = {}, {}
    for row, expected in enumerate(TABLE):
        for column, (name, role, program) in enumerate(people):
            case = f"{expected.method} {expected.path} by {role} of {name}"
            wanted[case] = expected.status(name, role)
            statuses[case] = await _ask(house, program, expected, row * len(people) + column)
    assert statuses == wanted


async def test_routes_answer_nobody_without_a_login(house: House) -> None:
    nobody = await house.visitor()
    statuses = [await _ask(house, nobody, expected, number) for number, expected in enumerate(TABLE)]
    assert statuses == [401] * len(TABLE)


async def _ask(house: House, visitor: Visitor, expected: Expected, number: int) -> int:
    """The status; each time about objects that nobody has touched before."""
    url = (expected.url or expected.path).replace("*", f"{number:03}")
    objects = {
        "lesson": await _lesson(house, number) if "{lesson}" in url else "",
        "display": await house.display(name=f"display-{number}", secret=f"{number}") if "{display}" in url else "",
        "room": await _room(house, number) if "{room}" in url else "",
        "spare": await _spare(house, number) if "{spare}" in url else "",
        "taken": await _taken(house, number) if "{taken}" in url else "",
        "addressed": await _addressed(house, number) if "{addressed}" in url else "",
        "guest_room": ROOMS[GUEST].id,
        "person": (person := await _person(house, number) if "{person}" in url else ""),
        "person_token": await _token(house, AccountId(person)) if "{person_token}" in url else "",
        "host_room": ROOM,
        "device": claimed(HOST),
    }
    body = expected.body
    if isinstance(body, dict):
        body = {
            key: value.replace("*", f"{number:03}") if isinstance(value, str) else value for key, value in body.items()
        }
    status, _ = await visitor.ask(expected.method, url.format(**objects), body, headers=dict(expected.headers or {}))
    return status


async def _lesson(house: House, number: int) -> LessonId:
    """A few seconds in the host's and the guest's room, soon, after the others."""
    start = house.clock() + timedelta(minutes=40, seconds=1.5 * number)
    id = LessonId(f"fresh-{number}")
    lesson = lesson_at(id, start)
    await house.store.lessons.add(replace(lesson, end=start + timedelta(seconds=1)))
    return id


async def _room(house: House, number: int) -> RoomId:
    room = Room(id=RoomId(f"fresh-{number}"), school_id=HOST, name=f"Phòng {number}")
    await house.store.rooms.add(room)
    return room.id


async def _spare(house: House, number: int) -> DeviceId:
    return (await house.discovered(HOST, f"fresh-{number}")).id


async def _addressed(house: House, number: int) -> DeviceId:
    """A projector at an address where nobody answers."""
    return await house.services.addresses.add(
        HOST,
        gateway="pjlink",
        host=f"127.3.{number // 250}.{number % 250 + 1}",
        port=9,
        password="",
        name="",
        rights=OWNER,
        actor="test",
    )


async def _person(house: House, number: int) -> AccountId:
    """A teacher of the host's."""
    added = await house.people.accounts.add(
        name=f"fresh.{number}", display_name="Cô Mai", roles=[RoleAt(TEACHER, HOST)], rights=OWNER, actor="test"
    )
    return added.id


async def _token(house: House, owner: AccountId) -> TokenId:
    return (await house.people.tokens.create(owner, "test", rights=OWNER, actor="test"))[0]


async def _taken(house: House, number: int) -> DeviceId:
    id = await _spare(house, number)
    await house.services.claims.claim(id, ROOM, rights=OWNER, actor="test")
    return id
