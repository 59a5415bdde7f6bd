"""What a controller serves while another one works on its database."""

from aiohttp import web

from controller.web.errors import Problem

RETRY_AFTER_S = 5


def standby_app() -> web.Application:
    app = web.Application()
    app.router.add_get("/healthz", healthz)
    app.router.add_get("/readyz", readyz)
    app.router.add_route("*", "/{path:.*}", elsewhere)
    return app


async def healthz(request: web.Request) -> web.Response:
    return web.json_response({"status": "ok"})


async def readyz(request: web.Request) -> web.Response:
    """503: whoever sends people to controllers must not send them here."""
    return web.json_response({"ready": False, "standby": True, "parts": {}}, status=503)


async def elsewhere(request: web.Request) -> web.Response:
    detail = "This controller stands by; another one works."
    headers = {"Retry-After": str(RETRY_AFTER_S)}
    return Problem(type="standby", title="Standby", status=503, detail=detail, headers=headers).response()
