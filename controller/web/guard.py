"""Who makes a request: the login's cookie or an API token; and whether another site's page makes it in their name."""

from urllib.parse import urlsplit

from aiohttp import web

from controller.people.secret import equal
from controller.web.errors import CsrfRefused, OriginRefused
from controller.web.names import is_loopback
from controller.web.services import Services
from rooms.people.account import Identity
from rooms.people.errors import NotLoggedIn, OwnPasswordNeeded

LOGIN_COOKIE = "nhipcau_login"
BROWSER_COOKIE = "nhipcau_browser"
IDENTITY = web.RequestKey("identity", Identity)  # of a request whose maker is known
CSRF_HEADER = "X-CSRF-Token"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def cookie_name(name: str, services: Services) -> str:
    """Over TLS a name that browsers take from our own pages alone, not from a neighbour's or over plain HTTP."""
    return f"__Host-{name}" if services.secure else name


async def identify(request: web.Request, services: Services) -> Identity:
    """Whoever makes this request. Raises `NotLoggedIn`; `CsrfRefused` where a cookie alone would change something."""
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    if kind:
        found = await services.people.tokens.find(token.strip()) if kind.lower() == "bearer" else None
        if found is None:
            raise NotLoggedIn("this token is not valid")
        request[IDENTITY] = found
        return found
    secret = request.cookies.get(cookie_name(LOGIN_COOKIE, services))
    found = None if secret is None else await services.people.logins.find(secret)
    if found is None:
        raise NotLoggedIn("nobody is logged in")
    request[IDENTITY] = found
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
        scheme, host, *_ = urlsplit(origin)
    except ValueError:
        scheme = host = ""
    if not host or host.lower() != request.host.lower() or not _as_safe(scheme, request, services):
        raise OriginRefused("this page is not one of ours")


def _as_safe(scheme: str, request: web.Request, services: Services) -> bool:
    """Whether a page of that scheme may ask: one that came over plain HTTP, anybody on its way may have written.

    TLS may end at a proxy, which asks us over plain HTTP in the name of a page of `https`.
    """
    encrypted = request.scheme == "https" or (services.secure and not is_loopback(request.host))
    return scheme == "https" or (scheme == "http" and not encrypted)
