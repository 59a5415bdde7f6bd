"""What people were given is taken back: by themselves and by their administrators, at once."""

import pytest

from rooms.people.account import Account, AccountId, Role, RoleAt
from rooms.people.rights import OWNER
from rooms.school import Organisation, OrganisationId, OrganisationKind
from tests.controller.web.house import HOST, OTHER, PASSWORD, House, Visitor
from tests.controller.web.sockets import close_code, receive

OWN = "quả táo màu xanh"
DEPARTMENT = OrganisationId("so-thai-nguyen")


async def added(house: House, name: str = "lan", *roles: RoleAt, password: str | None = PASSWORD) -> Account:
    held = roles or (RoleAt(Role.TEACHER, HOST),)
    return await house.people.accounts.add(
        name=name, display_name=name, password=password, roles=held, rights=OWNER, actor="test"
    )


async def entered(house: House, name: str, password: str = PASSWORD) -> Visitor:
    visitor = await house.visitor()
    assert await visitor.log_in(name, password) == 200
    return visitor


async def statuses(visitor: Visitor, *paths: str) -> list[int]:
    return [(await visitor.ask("GET", path))[0] for path in paths]


async def test_own_password_is_asked_for_and_changed_and_other_logins_end(house: House) -> None:
    await added(house)
    here, there = await entered(house, "lan"), await entered(house, "lan")
    async with there.socket() as socket:
        await receive(socket, "hello")
        wrong = await here.ask("PUT", "/me/password", {"current": "no", "password": OWN})
        assert (wrong[0], wrong[1]["type"]) == (403, "/problems/wrong-password")
        assert (await here.ask("PUT", "/me/password", {"password": OWN}))[0] == 403
        short = await here.ask("PUT", "/me/password", {"current": PASSWORD, "password": "short"})
        assert (short[0], short[1]["type"]) == (422, "/problems/weak-password")
        assert (await there.ask("GET", "/me"))[0] == 200
        assert (await here.ask("PUT", "/me/password", {"current": PASSWORD, "password": OWN}))[0] == 204
        assert await close_code(socket) == 4401
    assert [(await each.ask("GET", "/me"))[0] for each in (here, there)] == [200, 401]
    assert [await (await house.visitor()).log_in("lan", each) for each in (PASSWORD, OWN)] == [401, 200]


async def test_own_password_cannot_be_guessed_by_whoever_finds_the_page_open(house: House) -> None:
    await added(house)
    here = await entered(house, "lan")
    guesses = [(await here.ask("PUT", "/me/password", {"current": "no", "password": OWN}))[0] for _ in range(6)]
    assert guesses == [403] * 5 + [429]


async def test_own_logins_are_listed_and_ended(house: House) -> None:
    await added(house)
    here, there, elsewhere = [await entered(house, "lan") for _ in range(3)]
    _, body = await here.ask("GET", "/me/logins")
    assert isinstance(body["logins"], list)
    assert [each["network"] for each in body["logins"]] == ["127.0.0.1"] * 3
    assert [each["mine"] for each in body["logins"]].count(True) == 1
    _, theirs = await there.ask("GET", "/me/logins")
    (id,) = [each["id"] for each in theirs["logins"] if each["mine"]]  # type: ignore[attr-defined]
    stranger = await house.logged_in(OTHER, Role.TEACHER)
    assert (await stranger.ask("DELETE", f"/me/logins/{id}"))[0] == 404
    assert (await here.ask("DELETE", f"/me/logins/{id}"))[0] == 204
    assert [(await each.ask("GET", "/me"))[0] for each in (here, there, elsewhere)] == [200, 401, 200]
    assert (await here.ask("DELETE", "/me/logins"))[0] == 204
    assert [(await each.ask("GET", "/me"))[0] for each in (here, elsewhere)] == [200, 401]


async def test_own_tokens_are_listed_and_revoked(house: House) -> None:
    program = await house.program(HOST, Role.TEACHER)
    here = await house.logged_in(HOST, Role.TEACHER)
    async with program.socket() as socket:
        await receive(socket, "hello")
        _, body = await here.ask("GET", "/me/tokens")
        assert isinstance(body["tokens"], list)
        (token,) = body["tokens"]
        assert token["expires"] is not None
        assert (await here.ask("DELETE", f"/me/tokens/{token['id']}"))[0] == 204
        assert await close_code(socket) == 4401
    assert (await program.ask("GET", "/me"))[0] == 401


@pytest.mark.parametrize("by", ["password", "link"])
async def test_whoever_was_given_a_way_in_chooses_a_password_first(house: House, by: str) -> None:
    account, administrator = await added(house), await house.logged_in(HOST, Role.ADMINISTRATOR)
    before = await entered(house, "lan")
    status, given = await administrator.ask("POST", f"/accounts/{account.id}/password", {"by": by})
    assert status == 200
    assert (await before.ask("GET", "/me"))[0] == 401
    assert await (await house.visitor()).log_in("lan") == 401
    visitor = await house.visitor()
    if by == "password":
        assert await visitor.log_in("lan", str(given["password"])) == 200
    else:
        secret = str(given["link"]).removeprefix("/login#link=")
        _, me = await visitor.ask("POST", "/login/link", {"token": secret})
        visitor.csrf = str(me["csrf"])
    _, me = await visitor.ask("GET", "/me")
    assert me["own_password_needed"] is True
    status, problem = await visitor.ask("GET", "/rooms")
    assert (status, problem["type"]) == (403, "/problems/own-password-needed")
    assert await statuses(visitor, "/lessons", "/me/logins", "/organisations", "/events") == [403] * 4
    assert (await visitor.ask("PUT", "/me/password", {"password": OWN}))[0] == 204
    assert await statuses(visitor, "/rooms", "/lessons", "/me/logins") == [200] * 3
    assert (await visitor.ask("PUT", "/me/password", {"password": "another apple"}))[0] == 403


async def test_added_person_gets_a_password_that_was_made(house: House) -> None:
    administrator = await house.logged_in(HOST, Role.ADMINISTRATOR)
    new = {"name": "mai", "display_name": "Cô Mai", "role": "teacher", "organisation": HOST}
    status, body = await administrator.ask("POST", "/accounts", new)
    assert status == 201
    visitor = await entered(house, "mai", str(body["password"]))
    assert (await visitor.ask("GET", "/rooms"))[0] == 403
    _, body = await administrator.ask("POST", "/accounts", {**new, "name": "minh", "password": OWN})
    assert body["password"] is None
    assert (await (await entered(house, "minh", OWN)).ask("GET", "/rooms"))[0] == 403


async def test_suspended_person_is_out_at_once_and_back_when_resumed(house: House) -> None:
    account, administrator = await added(house), await house.logged_in(HOST, Role.ADMINISTRATOR)
    here, program = await entered(house, "lan"), await house.visitor()
    _, program.token = await house.people.tokens.create(account.id, "test", rights=OWNER, actor="test")
    async with here.socket() as socket:
        await receive(socket, "hello")
        path = f"/accounts/{account.id}/suspended"
        assert (await administrator.ask("PUT", path, {"suspended": True}))[1]["suspended"] is True
        assert await close_code(socket) == 4401
    assert [(await each.ask("GET", "/me"))[0] for each in (here, program)] == [401, 401]
    assert await (await house.visitor()).log_in("lan") == 401
    await administrator.ask("PUT", path, {"suspended": False})
    assert [(await each.ask("GET", "/me"))[0] for each in (here, program)] == [401, 200]
    await entered(house, "lan")


async def test_taken_role_closes_the_page_and_what_it_showed(house: House) -> None:
    account = await added(house, "lan", RoleAt(Role.TECHNICIAN, HOST), RoleAt(Role.TEACHER, OTHER))
    administrator, here = await house.logged_in(HOST, Role.ADMINISTRATOR), await entered(house, "lan")
    async with here.socket() as socket:
        await receive(socket, "hello")
        path = f"/accounts/{account.id}/roles/{HOST}/technician"
        assert (await administrator.ask("DELETE", path))[0] == 204
        assert await close_code(socket) == 1013
    assert [room["school"]["id"] for room in (await here.ask("GET", "/rooms"))[1]["rooms"]] == [OTHER]  # type: ignore[attr-defined]
    assert (await administrator.ask("GET", f"/accounts/{account.id}"))[0] == 404


async def test_an_administrator_reaches_only_what_is_theirs(house: House) -> None:
    """Of somebody who is something elsewhere, too: the role here, and nothing of the rest, not even its name."""
    account = await added(house, "lan", RoleAt(Role.TEACHER, HOST), RoleAt(Role.TEACHER, OTHER))
    administrator = await house.logged_in(HOST, Role.ADMINISTRATOR)
    at = f"/accounts/{account.id}"
    _, shown = await administrator.ask("GET", at)
    assert (shown["can"], len(shown["roles"])) == (False, 1)  # type: ignore[arg-type]
    for method, path, body in (
        ("PUT", "/suspended", {"suspended": True}),
        ("POST", "/password", {"by": "password"}),
        ("DELETE", "/logins", None),
        ("GET", "/tokens", None),
    ):
        status, problem = await administrator.ask(method, at + path, body)
        assert (status, problem["type"]) == (403, "/problems/forbidden")
        assert "take the role" in str(problem["detail"])
    assert (await administrator.ask("DELETE", f"{at}/roles/{OTHER}/teacher"))[0] == 404
    assert (await administrator.ask("POST", f"{at}/roles", {"role": "teacher", "organisation": OTHER}))[0] == 404
    assert (await administrator.ask("DELETE", f"{at}/roles/{HOST}/teacher"))[0] == 204
    assert (await administrator.ask("GET", at))[0] == 404


async def test_an_operators_account_is_not_in_the_hands_of_an_administrator(house: House) -> None:
    account = await added(house)
    await house.people.accounts.set_operator(account.id, True, actor="test")
    administrator = await house.logged_in(HOST, Role.ADMINISTRATOR)
    status, problem = await administrator.ask("POST", f"/accounts/{account.id}/password", {})
    assert (status, problem["type"]) == (403, "/problems/forbidden")


async def test_roles_add_up_and_the_only_one_is_not_taken(house: House) -> None:
    account, administrator = await added(house), await house.logged_in(HOST, Role.ADMINISTRATOR)
    at = f"/accounts/{account.id}/roles"
    _, body = await administrator.ask("POST", at, {"role": "technician", "organisation": HOST})
    assert [each["role"] for each in body["roles"]] == ["teacher", "technician"]  # type: ignore[attr-defined]
    assert (await administrator.ask("DELETE", f"{at}/{HOST}/technician"))[0] == 204
    status, problem = await administrator.ask("DELETE", f"{at}/{HOST}/teacher")
    assert (status, problem["type"]) == (409, "/problems/only-role")
    assert (await administrator.ask("DELETE", f"{at}/{HOST}/janitor"))[0] == 404


async def test_the_last_administrator_does_not_lock_all_out(house: House) -> None:
    administrator = await house.logged_in(HOST, Role.ADMINISTRATOR)
    me = house.accounts[HOST, Role.ADMINISTRATOR]
    await house.people.accounts.grant(me.id, RoleAt(Role.TEACHER, HOST), rights=OWNER, actor="test")
    at = f"/accounts/{me.id}"
    for method, path, body in (
        ("DELETE", f"/roles/{HOST}/administrator", None),
        ("PUT", "/suspended", {"suspended": True}),
    ):
        status, problem = await administrator.ask(method, at + path, body)
        assert (status, problem["type"]) == (409, "/problems/last-administrator")
    other = await added(house, "other", RoleAt(Role.ADMINISTRATOR, HOST))
    await house.people.accounts.suspend(other.id, rights=OWNER, actor="test")  # a suspended one is none
    assert (await administrator.ask("DELETE", f"{at}/roles/{HOST}/administrator"))[0] == 409
    await house.people.accounts.resume(other.id, rights=OWNER, actor="test")
    assert (await administrator.ask("DELETE", f"{at}/roles/{HOST}/administrator"))[0] == 204


async def test_a_department_above_keeps_a_school_from_being_locked_out(house: House) -> None:
    department = Organisation(id=DEPARTMENT, kind=OrganisationKind.DEPARTMENT, name="Sở Thái Nguyên")
    school = OrganisationId("an")
    await house.store.organisations.add(department)
    await house.store.organisations.add(
        Organisation(id=school, parent_id=DEPARTMENT, kind=OrganisationKind.SCHOOL, name="An")
    )
    await added(house, "so", RoleAt(Role.ADMINISTRATOR, DEPARTMENT))
    head = await added(house, "head", RoleAt(Role.ADMINISTRATOR, school))
    visitor = await entered(house, "head")
    assert (await visitor.ask("PUT", f"/accounts/{head.id}/suspended", {"suspended": True}))[0] == 200
    assert (await visitor.ask("GET", "/me"))[0] == 401


async def test_everything_that_is_taken_or_given_is_in_the_audit(house: House) -> None:
    account, administrator = await added(house), await house.logged_in(HOST, Role.ADMINISTRATOR)
    at = f"/accounts/{account.id}"
    await administrator.ask("POST", f"{at}/roles", {"role": "technician", "organisation": HOST})
    await administrator.ask("DELETE", f"{at}/roles/{HOST}/technician")
    await administrator.ask("PATCH", at, {"display_name": "Cô Lan"})
    await administrator.ask("POST", f"{at}/password", {})
    await administrator.ask("DELETE", f"{at}/logins")
    await administrator.ask("PUT", f"{at}/suspended", {"suspended": True})
    await administrator.ask("PUT", f"{at}/suspended", {"suspended": False})
    entries = await house.store.audit.list(object_kind="account", object_id=account.id)
    assert [each.action.removeprefix("account.") for each in reversed(entries)] == [
        *("add", "grant", "take", "edit", "password", "login.end_all", "suspend", "resume"),
    ]
    me = house.accounts[HOST, Role.ADMINISTRATOR].id
    assert {each.actor for each in entries} == {"test", me}


async def test_a_login_that_is_being_made_while_the_password_changes_is_none(house: House) -> None:
    """The password was right when it was looked at; by the time the login is written, it was taken back."""
    account = await house.people.accounts.checked((await added(house)).name, PASSWORD)
    await house.people.accounts.set_password(account.id, OWN, rights=OWNER, actor="test")
    with pytest.raises(PermissionError):
        await house.people.logins.begin(account, address="10.0.0.1")
    assert await house.people.logins.list(AccountId(account.id)) == ()
