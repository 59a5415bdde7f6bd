"""The built browser app: one page for all its addresses, and its assets, whose names change with their content.

The app's build says in `pages.json` which addresses are pages (`/rooms/{room}`). It leaves compressed copies beside its
files (`index.html.gz`, `.br`), which aiohttp sends to those who take them.
"""

import json
import logging
import re
from functools import lru_cache
from pathlib import Path

from aiohttp import hdrs, web

from controller.schema import KEY_PATTERN
from controller.web.call import SERVICES

log = logging.getLogger(__name__)

DIST = Path(__file__).with_name("dist")
NOT_APP = ("/api/", "/whip/", "/whep/", "/assets/")
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
    others = "|".join(prefix.strip("/") for prefix in NOT_APP)
    app.router.add_get(f"/{{page:(?!(?:{others})(?:/|$)).*}}", _page)


def _dist(request: web.Request) -> Path:
    return request.app[SERVICES].dist or DIST


async def _page(request: web.Request) -> web.StreamResponse:
    """The app's one page; it reads its own address. Never kept, so that a new version is seen at once.

    An address that is no page is 404: to a person who follows a link, with the app, which says so in their language.
    """
    dist = _dist(request)
    known = is_page(dist, request.path)
    if not known and not _takes_html(request):
        raise web.HTTPNotFound
    if not (dist / "index.html").is_file():
        return _plain(NOT_BUILT, status=503)
    if not known:
        return _plain((dist / "index.html").read_text(), status=404)
    return _file(dist / "index.html", "no-cache")


def is_page(dist: Path, path: str) -> bool:
    """Whether the app that was built into `dist` has a page at `path`."""
    pages = dist / "pages.json"
    return pages.is_file() and _pattern(pages, pages.stat().st_mtime_ns).fullmatch(path) is not None


@lru_cache(maxsize=4)
def _pattern(pages: Path, changed_ns: int) -> re.Pattern[str]:
    alternatives = (re.sub(r"{\w+}", f"(?:{KEY_PATTERN})", page) for page in json.loads(pages.read_text()))
    return re.compile("|".join(alternatives))


def _takes_html(request: web.Request) -> bool:
    return "text/html" in request.headers.get(hdrs.ACCEPT, "")


def _plain(text: str, *, status: int) -> web.Response:
    return web.Response(text=text, status=status, content_type="text/html", headers={"Cache-Control": "no-cache"})


async def _asset(request: web.Request) -> web.StreamResponse:
    return _file(_dist(request) / "assets" / request.match_info["name"], ASSET_LIFE)


async def _root_file(request: web.Request) -> web.StreamResponse:
    """A file beside the app's page (its icon, its manifest), or the address is one that nobody has."""
    path = _dist(request) / request.match_info["name"]
    return _file(path, "no-cache") if path.is_file() else await _page(request)


def _file(path: Path, cache: str) -> web.StreamResponse:
    if path.suffix not in TYPES or not path.is_file():
        raise web.HTTPNotFound
    # What the machine's own mime table says must not decide whether a script runs: `nosniff` is set.
    headers = {"Cache-Control": cache, "Content-Type": TYPES[path.suffix], "Vary": "Accept-Encoding"}
    return web.FileResponse(path, headers=headers)
