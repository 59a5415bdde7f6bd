"""The web application put together. TLS, address and port are the owner's."""

import asyncio
import functools
import json
import logging
from collections.abc import AsyncIterator

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from controller.web import (
    accounts,
    audit,
    devices,
    displays,
    floor,
    lessons,
    login,
    nodes,
    organisations,
    own_account,
    quality,
    rooms,
    scenes,
    sites,
)
from controller.web.call import SERVICES
from controller.web.compression import json_answer
from controller.web.health import add_health
from controller.web.media_proxy import add_media_proxy
from controller.web.metrics import METRICS, WebMetrics
from controller.web.middlewares import add_headers, named, rim
from controller.web.openapi import openapi
from controller.web.page_changes import PAGE_CHANGES, PageChanges
from controller.web.route import API, Route, add_routes
from controller.web.services import Services
from controller.web.shared_reads import PAGE_READS, PageReads
from controller.web.shares import SHARES, Shares, shared
from controller.web.socket import STOPPING
from controller.web.socket_route import SOCKETS
from controller.web.sockets import OPEN_SOCKETS, OpenSockets
from controller.web.static import add_static
from webrtc.shared.serving import plain_bodies

BODY_LIMIT_B = 256 * 1024
VERSION = "1"  # of the API; the path has it, too

NOUNS = (
    *(login, own_account, organisations, accounts, audit),
    *(rooms, devices, scenes, lessons, sites, floor, quality, displays, nodes),
)
ROUTES: tuple[Route, ...] = tuple(route for noun in NOUNS for route in noun.routes.all)


def make_app(services: Services) -> web.Application:
    """Everything that is served: the API, its document, WebSockets, WHIP and WHEP, health, the browser app."""
    logging.getLogger("aiohttp.server").addFilter(_without_traceback)
    app = web.Application(middlewares=[rim, named, shared, plain_bodies], client_max_size=BODY_LIMIT_B)
    app[SERVICES] = services
    app[METRICS] = WebMetrics(services.registry)
    app[SHARES] = Shares()
    app[OPEN_SOCKETS] = OpenSockets()
    app[PAGE_READS] = PageReads(services)
    app[PAGE_CHANGES] = PageChanges(services.changes, services.hub, services.store.tree, app[PAGE_READS])
    app[STOPPING] = asyncio.Event()
    app.on_response_prepare.append(add_headers)
    app.on_shutdown.append(_stop)
    app.cleanup_ctx.append(_pass_changes_on)
    add_routes(app, ROUTES)
    for socket in SOCKETS:
        app.router.add_get(API + socket.path, socket.handler)
    document = _document()

    async def serve_openapi(request: web.Request) -> web.Response:
        return json_answer(request, document, compressible=True)

    app.router.add_get(f"{API}/openapi.json", serve_openapi)
    add_media_proxy(app)
    add_health(app)
    add_static(app)
    return app


@functools.cache
def _document() -> bytes:
    """The API's own description, which is the same for every application."""
    return json.dumps(openapi(ROUTES, SOCKETS, version=VERSION), ensure_ascii=False).encode()


def _without_traceback(record: logging.LogRecord) -> bool:
    """aiohttp logs bytes that are no HTTP as if our code had failed; whoever sends them gets 400, and we a line."""
    error = record.exc_info[1] if record.exc_info else None
    if isinstance(error, HttpProcessingError):
        record.exc_info, record.exc_text = None, None
        record.levelno, record.levelname = logging.INFO, "INFO"
        record.msg, record.args = "not HTTP: %s", (error.__class__.__name__,)
    return True


async def _pass_changes_on(app: web.Application) -> AsyncIterator[None]:
    task = asyncio.create_task(app[PAGE_CHANGES].run(), name="changes for pages")
    yield
    task.cancel()
    await asyncio.wait([task])


async def _stop(app: web.Application) -> None:
    """WebSockets close at once; requests have the runner's time to end."""
    app[STOPPING].set()
