"""The built browser app: one page for all its addresses, and its assets, whose names change with their content."""

import logging
from pathlib import Path

from aiohttp import web

from controller.web.call import SERVICES

log = logging.getLogger(__name__)

DIST = Path(__file__).with_name("dist")
PAGES = r"/{page:(?:today|rooms|lessons|schools|people|audit|display|login|setup)?(?:/[A-Za-z0-9_./-]*)?}"
ASSET_LIFE = "public, max-age=31536000, immutable"
NOT_BUILT = "<!doctype html><title>Nhịp Cầu</title><p>The browser app has not been built into this installation."
TYPES = {
    ".css": "text/css",
    ".html": "text/html",
    ".ico": "image/x-icon",
    ".js": "text/javascript",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}


def add_static(app: web.Application) -> None:
    """Serve the app; after all other routes."""
    app.router.add_get("/assets/{name:[A-Za-z0-9_.-]+}", _asset)
    app.router.add_get(r"/{name:[A-Za-z0-9_-]+\.[a-z0-9]+}", _root_file)
    app.router.add_get(PAGES, _page)


def _dist(request: web.Request) -> Path:
    return request.app[SERVICES].dist or DIST


async def _page(request: web.Request) -> web.StreamResponse:
    """The app's one page; it reads its own address. Never kept, so that a new version is seen at once."""
    index = _dist(request) / "index.html"
    headers = {"Cache-Control": "no-cache"}
    if not index.is_file():
        return web.Response(text=NOT_BUILT, status=503, content_type="text/html", headers=headers)
    return web.FileResponse(index, headers=headers)


async def _asset(request: web.Request) -> web.StreamResponse:
    return _file(_dist(request) / "assets" / request.match_info["name"], ASSET_LIFE)


async def _root_file(request: web.Request) -> web.StreamResponse:
    return _file(_dist(request) / request.match_info["name"], "no-cache")


def _file(path: Path, cache: str) -> web.StreamResponse:
    if path.suffix not in TYPES or not path.is_file():
        raise web.HTTPNotFound
    # What the machine's own mime table says must not decide whether a script runs: `nosniff` is set.
    return web.FileResponse(path, headers={"Cache-Control": cache, "Content-Type": TYPES[path.suffix]})
