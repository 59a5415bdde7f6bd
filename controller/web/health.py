"""Whether we live, whether we can work, and figures."""

import asyncio
import logging
import time
from collections.abc import Callable

from aiohttp import web
from prometheus_client import CollectorRegistry, generate_latest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from controller.web.call import SERVICES
from controller.web.services import Services
from rooms.errors import RoomsError

FRESH_S = 1.0

log = logging.getLogger(__name__)


class Latest:
    """The figures as text, made once for all who ask within `FRESH_S`."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._made_at: float | None = None
        self._text = b""

    def text(self, registry: CollectorRegistry) -> bytes:
        now = self._clock()
        if self._made_at is None or now - self._made_at >= FRESH_S:
            self._made_at, self._text = now, generate_latest(registry)
        return self._text


LATEST = web.AppKey("latest", Latest)


def add_health(app: web.Application) -> None:
    app[LATEST] = Latest()
    app.router.add_get("/healthz", healthz)
    app.router.add_get("/readyz", readyz)
    app.router.add_get("/metrics", metrics)


async def healthz(request: web.Request) -> web.Response:
    """GET /healthz: 200 while the event loop answers."""
    return web.json_response({"status": "ok"})


async def readyz(request: web.Request) -> web.Response:
    """GET /readyz: 200 if all parts work, else 503; `{"ready", "parts": {name: bool}}`."""
    services = request.app[SERVICES]
    reads, *writes = await asyncio.gather(
        _database_answers(services), *(test.works() for test in services.write_tests.values())
    )
    parts = {"database": reads, **dict(zip(services.write_tests, writes, strict=True))}
    parts |= {name: probe() for name, probe in services.probes.items()}
    parts["clock"] = services.clock_watch.believed()
    ready = all(parts.values())
    return web.json_response({"ready": ready, "parts": parts}, status=200 if ready else 503)


async def metrics(request: web.Request) -> web.Response:
    """GET /metrics: Prometheus text, of a second ago at most: whoever asks more often costs nothing."""
    data = request.app[LATEST].text(request.app[SERVICES].registry)
    return web.Response(body=data, headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"})


async def _database_answers(services: Services) -> bool:
    try:
        async with services.store.reading() as db:
            await db.execute(text("SELECT 1"))
    except (RoomsError, SQLAlchemyError, OSError) as error:
        log.warning("database does not answer: %s", error)
        return False
    return True
