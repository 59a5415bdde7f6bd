"""What every request passes: the rim, where an error becomes an answer, and the headers that every answer carries."""

import logging
import secrets
import time
from collections.abc import Awaitable, Callable

from aiohttp import web

from controller.web.call import SERVICES
from controller.web.errors import fault, problem_of
from controller.web.metrics import METRICS
from controller.web.names import check_host
from controller.web.refused import refusal

log = logging.getLogger(__name__)

CLIENT_LEFT = 499  # no status of HTTP; what proxies call it in their logs, and what `/metrics` counts

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "media-src 'self'",
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "worker-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",  # one-time links are in addresses
    "Permissions-Policy": "camera=(self), microphone=(self), display-capture=(self), geolocation=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}


@web.middleware
async def rim(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Errors become problems here and nowhere else; one that nobody expected is logged under a number."""
    began = time.monotonic()
    response: web.StreamResponse
    try:
        response = await handler(request)
    except web.HTTPException as error:
        response = _answer(request, error)
    except ConnectionResetError:
        response = web.Response(status=CLIENT_LEFT)  # before the answer: nobody to tell, and nothing of ours went wrong
    except Exception as error:  # noqa: BLE001 - the rim of one request
        response = _answer(request, error)
    route = request.match_info.route.resource
    request.app[METRICS].count(
        method=request.method,
        route=route.canonical if route is not None else "none",
        status=response.status,
        took_s=time.monotonic() - began,
    )
    return response


def _answer(request: web.Request, error: Exception) -> web.Response:
    services = request.app[SERVICES]
    problem = problem_of(error)
    if problem is None:
        id = secrets.token_hex(6)
        log.error("request %s failed", id, exc_info=error)
        problem = fault(id)
    found = refusal(request, services, problem, error)
    if found is not None:
        services.refusals.count(found)
    return problem.response()


@web.middleware
async def named(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuses what is asked of another server than ours. Stands inside the rim."""
    check_host(request, request.app[SERVICES])
    return await handler(request)


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """On every answer, `on_response_prepare`; what a handler has set stays."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if request.path.startswith("/api/"):
        response.headers.setdefault("Cache-Control", "no-store")
    if request.app[SERVICES].secure:
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
