"""Logging in and out, who I am, and the first administrator."""

from contextlib import suppress

from controller.people.errors import LoginNotFound
from controller.people.links import SETS_UP
from controller.people.logins import LOGIN_LIFE, NewLogin
from controller.web import render
from controller.web.call import Call
from controller.web.guard import LOGIN_COOKIE
from controller.web.models.people import LinkJson, LoginJson, MeJson, SetupJson, SetupQuery, SetupValidJson
from controller.web.organisations import announce_school, free_id
from controller.web.reading import organisations
from controller.web.route import Routes
from rooms.school import Organisation, OrganisationId

routes = Routes("login")


@routes("POST", "/login", public=True, problems=(401, 429))
async def log_in(call: Call, body: LoginJson) -> MeJson:
    """Log in by name and password; sets the login's cookie."""
    replacing = call.request.cookies.get(LOGIN_COOKIE)
    logins = call.services.people.logins
    return await _logged_in(
        call, await logins.log_in(body.name, body.password, address=call.address, replacing=replacing)
    )


@routes("POST", "/login/link", public=True, problems=(404, 429))
async def log_in_by_link(call: Call, body: LinkJson) -> MeJson:
    """Log in by a link that was made for one account."""
    replacing = call.request.cookies.get(LOGIN_COOKIE)
    links = call.services.people.links
    return await _logged_in(call, await links.log_in(body.token, address=call.address, replacing=replacing))


@routes("POST", "/logout", unsettled=True)
async def log_out(call: Call) -> None:
    """End this login; its WebSockets close."""
    if call.identity.login_id is not None:  # an API token has no login to end
        with suppress(LoginNotFound):  # ended elsewhere a moment ago
            await call.services.people.logins.end(call.identity.login_id, call.identity.account.id)
    call.set_cookie(LOGIN_COOKIE, "", max_age_s=0)


@routes("GET", "/me", unsettled=True)
async def get_me(call: Call) -> MeJson:
    """Who is logged in, with which roles, and the token that each change has to carry."""
    return render.me(call.identity, await organisations(call.services))


@routes("GET", "/setup", public=True, problems=(404, 429))
async def check_setup(call: Call, query: SetupQuery) -> SetupValidJson:
    """Whether this one-time link still makes an administrator, and of what: of one that is there, or of a new one."""
    await call.services.people.links.check(SETS_UP, query.token, address=call.address)
    there = await call.services.store.organisations.list()
    return SetupValidJson(organisations=[render.organisation(each) for each in there if each.parent_id is None])


@routes("POST", "/setup", public=True, status=201, problems=(404, 409, 429))
async def set_up(call: Call, body: SetupJson) -> MeJson:
    """Make the first organisation and its administrator, who is logged in then."""
    people = call.services.people
    given = body.organisation
    first = Organisation(
        id=OrganisationId(given.id) if given.id else await free_id(call.services.store, given.name),
        kind=given.kind,
        name=given.name,
        province=given.province,
    )
    account = await people.links.set_up(
        body.token,
        first,
        name=body.name,
        display_name=body.display_name,
        password=body.password,
        address=call.address,
    )
    await announce_school(call, account.roles[0].organisation_id)
    return await _logged_in(call, await people.logins.begin(account, address=call.address))


async def _logged_in(call: Call, login: NewLogin) -> MeJson:
    call.set_cookie(LOGIN_COOKIE, login.secret, max_age_s=int(LOGIN_LIFE.total_seconds()))
    return render.me(login.identity, await organisations(call.services))
