"""Logging in and out, who I am, and the first administrator."""

from contextlib import suppress
from typing import TypedDict

from controller.people.browsers import LIFE_S as BROWSER_LIFE_S
from controller.people.links import SETS_UP
from controller.people.logins import LOGIN_LIFE, NewLogin
from controller.people.organisations import NewOrganisation
from controller.views.account_json import MeJson
from controller.views.organisation_json import OrganisationJson, SetupValidJson
from controller.web.call import Call
from controller.web.guard import BROWSER_COOKIE, LOGIN_COOKIE, cookie_name
from controller.web.models.people import LinkJson, LoginJson, SetupJson
from controller.web.route import Routes
from rooms.people.errors import LoginNotFound
from rooms.school import OrganisationId

routes = Routes("login")


@routes("POST", "/login", public=True, problems=(401, 429, 503))
async def log_in(call: Call, body: LoginJson) -> MeJson:
    """Log in by name and password; sets the login's cookie."""
    logins = call.services.people.logins
    return await _logged_in(call, await logins.log_in(body.name, body.password, **_client(call)))


@routes("POST", "/login/link", public=True, problems=(404, 429))
async def log_in_by_link(call: Call, body: LinkJson) -> MeJson:
    """Log in by a link that was made for one account."""
    links = call.services.people.links
    return await _logged_in(call, await links.log_in(body.token, **_client(call)))


@routes("POST", "/logout", unsettled=True)
async def log_out(call: Call) -> None:
    """End this login; its WebSockets close."""
    identity = call.identity
    if identity.login_id is not None:  # an API token has no login to end
        with suppress(LoginNotFound):  # ended elsewhere a moment ago
            await call.services.people.logins.end(identity.login_id, identity.account.id, address=call.address)
    call.set_cookie(cookie_name(LOGIN_COOKIE, call.services), "", max_age_s=0)


@routes("GET", "/me", unsettled=True)
async def get_me(call: Call) -> MeJson:
    """Who is logged in, with which roles, and the token that each change has to carry."""
    return MeJson.of(call.identity, call.services.store.tree)


@routes("POST", "/setup/check", public=True, problems=(404, 429))
async def check_setup(call: Call, body: LinkJson) -> SetupValidJson:
    """Whether this one-time link still makes an administrator, and of what: of one that is there, or of a new one.

    Asked in a body: addresses are logged.
    """
    await call.services.people.links.check(SETS_UP, body.token, address=call.address)
    there = call.services.store.tree.tops()
    return SetupValidJson(organisations=[OrganisationJson.of(each) for each in there])


@routes("POST", "/setup", public=True, status=201, problems=(404, 409, 429))
async def set_up(call: Call, body: SetupJson) -> MeJson:
    """Make the first organisation and its administrator, who is logged in then."""
    given = body.organisation
    account = await call.services.setup.set_up(
        body.token,
        NewOrganisation(
            id=OrganisationId(given.id) if given.id else None,
            kind=given.kind,
            name=given.name,
            province=given.province,
        ),
        name=body.name,
        display_name=body.display_name,
        password=body.password,
        address=call.address,
    )
    return await _logged_in(call, await call.services.people.logins.begin(account, **_client(call)))


class _Client(TypedDict):
    address: str
    browser: str | None
    replacing: str | None


def _client(call: Call) -> _Client:
    """What a login needs to know of whoever asks for it."""
    cookies = call.request.cookies
    return _Client(
        address=call.address,
        browser=cookies.get(cookie_name(BROWSER_COOKIE, call.services)),
        replacing=cookies.get(cookie_name(LOGIN_COOKIE, call.services)),
    )


async def _logged_in(call: Call, login: NewLogin) -> MeJson:
    life_s = int(LOGIN_LIFE.total_seconds())
    call.set_cookie(cookie_name(LOGIN_COOKIE, call.services), login.secret, max_age_s=life_s)
    call.set_cookie(cookie_name(BROWSER_COOKIE, call.services), login.browser, max_age_s=BROWSER_LIFE_S)
    return MeJson.of(login.identity, call.services.store.tree)
