"""Whether we live, whether we can work, and figures."""

import asyncio
import logging

from aiohttp import web
from prometheus_client import generate_latest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from controller.web.call import SERVICES
from controller.web.services import Services
from rooms.errors import RoomsError

log = logging.getLogger(__name__)


def add_health(app: web.Application) -> None:
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
    """GET /metrics: Prometheus text."""
    data = generate_latest(request.app[SERVICES].registry)
    return web.Response(body=data, headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"})


async def _database_answers(services: Services) -> bool:
    try:
        async with services.store.reading() as db:
            await db.execute(text("SELECT 1"))
    except (RoomsError, SQLAlchemyError, OSError) as error:
        log.warning("database does not answer: %s", error)
        return False
    return True
