"""WHIP and WHEP through the controller's own address: byte for byte to the node that holds the bridge, and back.

The token belongs to the node, which checks it; nothing is read or decided here but where to send it.
"""

import asyncio
from collections.abc import Iterable

import aiohttp
from aiohttp import web
from multidict import CIMultiDict

from controller.web.call import SERVICES
from controller.web.errors import NodeAway, NodeSilent
from controller.web.refused import note
from controller.web.shares import KNOWN

NODE_TIMEOUT_S = 10.0
BRIDGE = r"{protocol:whip|whep}/{bridge:[A-Za-z0-9][A-Za-z0-9_-]{0,63}}"
RESOURCE = r"{resource:[A-Za-z0-9_-]{1,128}}"
REQUEST_HEADERS = (
    "Accept",
    "Access-Control-Request-Headers",
    "Access-Control-Request-Method",
    "Authorization",
    "Content-Type",
    "If-Match",
    "Origin",
)
RESPONSE_HEADERS = (
    "Accept-Patch",
    "Accept-Post",
    "Access-Control-Allow-Headers",
    "Access-Control-Allow-Methods",
    "Access-Control-Allow-Origin",
    "Access-Control-Expose-Headers",
    "Access-Control-Max-Age",
    "Allow",
    "Content-Type",
    "ETag",
    "Link",
    "Location",
    "Retry-After",
    "WWW-Authenticate",
)


def add_media_proxy(app: web.Application) -> None:
    for path in (f"/{BRIDGE}", f"/{BRIDGE}/{RESOURCE}", f"/{BRIDGE}/{RESOURCE}/layout"):
        app.router.add_route("*", path, proxy)


async def proxy(request: web.Request) -> web.Response:
    """`/whip/{bridge}`, `/whep/{bridge}` and their resources. Raises `NodeAway`, `NodeSilent`."""
    services = request.app[SERVICES]
    base = services.media_url(request.match_info["bridge"])
    if base is None:
        if request.method == "DELETE":  # a page that leaves a lesson which has ended: nothing is left to be closed
            return web.Response(status=204)
        raise NodeAway("this lesson has no bridge now")
    try:
        async with (
            asyncio.timeout(NODE_TIMEOUT_S),
            services.node_http.request(
                request.method,
                base + request.path,
                data=await request.read(),
                headers=_kept(request.headers.items(), REQUEST_HEADERS),
                allow_redirects=False,
            ) as answer,
        ):
            if answer.status in (401, 403):
                note(request, services, "media-refused")
            elif answer.status < 400 and "Authorization" in request.headers:
                request[KNOWN] = True  # the node has let it in
            headers = _kept(answer.headers.items(), RESPONSE_HEADERS)
            return web.Response(status=answer.status, body=await answer.read(), headers=headers)
    except TimeoutError as error:
        raise NodeSilent("the bridge does not answer") from error
    except aiohttp.ClientError as error:
        raise NodeAway("the bridge is being restarted") from error


def _kept(headers: Iterable[tuple[str, str]], names: tuple[str, ...]) -> CIMultiDict[str]:
    wanted = {name.lower() for name in names}
    return CIMultiDict((name, value) for name, value in headers if name.lower() in wanted)
