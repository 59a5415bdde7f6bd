"""Who makes a request: the login's cookie or an API token; and whether another site's page makes it in their name."""

from urllib.parse import urlsplit

from aiohttp import web

from controller.people.account import Identity
from controller.people.errors import NotLoggedIn, OwnPasswordNeeded
from controller.people.secret import equal
from controller.web.errors import CsrfRefused, OriginRefused
from controller.web.services import Services

LOGIN_COOKIE = "nhipcau_login"
CSRF_HEADER = "X-CSRF-Token"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


async def identify(request: web.Request, services: Services) -> Identity:
    """Whoever makes this request. Raises `NotLoggedIn`; `CsrfRefused` where a cookie alone would change something."""
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    if kind:
        found = await services.people.tokens.find(token.strip()) if kind.lower() == "bearer" else None
        if found is None:
            raise NotLoggedIn("this token is not valid")
        return found
    secret = request.cookies.get(LOGIN_COOKIE)
    found = None if secret is None else await services.people.logins.find(secret)
    if found is None:
        raise NotLoggedIn("nobody is logged in")
    if request.method not in SAFE_METHODS:
        check_csrf(request, found)
    return found


def check_settled(identity: Identity) -> None:
    """Raises `OwnPasswordNeeded` for a login by a password that somebody else chose."""
    if identity.unsettled:
        raise OwnPasswordNeeded("choose a password of your own first: PUT /api/v1/me/password")


def check_csrf(request: web.Request, identity: Identity) -> None:
    """Raises `CsrfRefused` unless the request carries the login's own token, which no other site's page can read."""
    given = request.headers.get(CSRF_HEADER, "")
    if identity.csrf is None or not equal(given, identity.csrf):
        raise CsrfRefused(f"the header {CSRF_HEADER} does not have the value of GET /api/v1/me")


def check_origin(request: web.Request, services: Services) -> None:
    """Raises `OriginRefused` where a browser says that the request comes from another site's page.

    Programs send no Origin and are let through: what this stops is a browser that acts for a page not ours.
    """
    origin = request.headers.get("Origin")
    if origin is None or origin in services.origins:
        return
    try:
        host = urlsplit(origin).netloc
    except ValueError:
        host = ""
    if not host or host.lower() != request.host.lower():
        raise OriginRefused("this page is not one of ours")
