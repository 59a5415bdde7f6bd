"""WHIP in (RFC 9725) and WHEP out (draft-ietf-wish-whep-03): how a client begins, repairs and ends a connection.

Both are the same exchange: POST an offer, get our answer and a resource; PATCH the resource for ICE; DELETE it to end.
"""

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from time import monotonic

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from webrtc.bridge.media_plane import MediaPlane
from webrtc.bridge.subscription import Subscription
from webrtc.errors import ConnectionNotFound, InvalidSdp, InvalidToken, TokenNotAllowed, UnsupportedSdp
from webrtc.node.problems import ProblemError
from webrtc.sdp import fragment as sdpfrag
from webrtc.sdp.offer import MAX_SECTIONS
from webrtc.shared.exclusion import Exclusion, Exclusions
from webrtc.shared.ids import BridgeId, ConnectionId
from webrtc.shared.token import Claims, Token, verify
from webrtc.shared.turn import Relays

SDP_TYPE = "application/sdp"
BODY_TIMEOUT_S = 10.0
REVOKED = "the token was revoked"
MAX_HEIGHT = 16384  # pixels of a tile
LAYOUT = "/whep/{bridge}/{connection}/layout"

CORS = {
    # Any page may ask: what counts is the token, never a cookie.
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "Location, Link, ETag, Accept-Post, Accept-Patch",
}
PREFLIGHT = {
    "Access-Control-Allow-Methods": "POST, PUT, PATCH, DELETE, OPTIONS",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, If-Match",
    "Access-Control-Max-Age": "86400",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Resource:
    """What PATCH and DELETE need of a connection. `ufrag`, `pwd`: the client's, of the present ICE session.

    `token`: the one by which it was begun.
    """

    token: Token
    publishes: bool
    ufrag: str
    pwd: str


class MediaEndpoints:
    """The handlers under /whip and /whep of one node, whose run is `epoch`.

    `relays`: for clients that can reach the node in no other way.
    """

    def __init__(
        self, *, plane: MediaPlane, secret: str, epoch: str, clock: Callable[[], datetime], relays: Relays
    ) -> None:
        self._plane = plane
        self._secret = secret
        self._epoch = epoch
        self._clock = clock
        self._relays = relays
        self._resources: dict[ConnectionId, _Resource] = {}
        self._exclusions = Exclusions()

    async def exclude(self, exclusion: Exclusion) -> None:
        """End the connections that were begun with tokens which `exclusion` voids; refuse these tokens from now on."""
        self._exclusions.add(exclusion, self._clock())
        for id in [id for id, each in self._resources.items() if exclusion.covers(each.token)]:
            with suppress(ConnectionNotFound):
                await self._plane.close_connection(id)
        self._forget_ended()

    def routes(self) -> list[web.RouteDef]:
        found = []
        for name, publishes in (("whip", True), ("whep", False)):
            endpoint, resource = f"/{name}/{{bridge}}", f"/{name}/{{bridge}}/{{connection}}"
            found += [
                web.post(endpoint, self._post(publishes)),
                web.options(endpoint, self._options(publishes)),
                web.get(endpoint, self._look(publishes, resource=False), allow_head=False),
                web.head(endpoint, self._look(publishes, resource=False)),
                web.patch(resource, self._patch(publishes)),
                web.delete(resource, self._delete(publishes)),
                web.options(resource, _options),
                web.get(resource, self._look(publishes, resource=True), allow_head=False),
                web.head(resource, self._look(publishes, resource=True)),
            ]
        return [*found, web.put(LAYOUT, self._put_layout), web.options(LAYOUT, _options)]

    async def _put_layout(self, request: web.Request) -> web.Response:
        """204: the slots take the layers that fit; 400, 401, 403, 404, 413, 415. Slots not named keep what they had."""
        text = await _read_body(request, "application/json")
        connection_id, _ = self._find(request, publishes=False)
        connection = self._plane.connections[connection_id]
        if isinstance(connection, Subscription):
            connection.layout(_read_layout(text), monotonic())
        return web.Response(status=204)

    def _post(self, publishes: bool) -> Handler:
        async def post(request: web.Request) -> web.Response:
            """201 with the answer; 400, 401, 403, 404, 406, 413, 415, 422, 503."""
            self._authorize(request, publishes)
            _check_accept(request)
            text = await _read_body(request, SDP_TYPE)
            token = self._authorize(request, publishes)  # the token may have been revoked while the body came
            claims = token.claims
            begin = self._plane.publish if publishes else self._plane.subscribe
            connection = await begin(claims.bridge, claims.participant, claims.client, text)
            self._forget_ended()
            self._resources[connection.id] = _Resource(
                token=token, publishes=publishes, ufrag=connection.offer.ufrag, pwd=connection.offer.pwd
            )
            if self._exclusions.cover(token):  # or revoked while an older connection was closed
                await self._plane.close_connection(connection.id)
                raise InvalidToken(REVOKED)
            response = web.Response(
                status=201,
                text=connection.answer_text,
                content_type=SDP_TYPE,
                headers={
                    "Location": f"{request.path}/{connection.id}",
                    "ETag": f'"{connection.etag}"',
                    "Accept-Patch": sdpfrag.MEDIA_TYPE,
                },
            )
            self._add_links(response, claims)
            return response

        return post

    def _patch(self, publishes: bool) -> Handler:
        async def patch(request: web.Request) -> web.Response:
            """204 for candidates; 200 with our fragment and a new ETag for an ICE restart; 400, 412, 415, 422, 428 …"""
            connection_id, _ = self._find(request, publishes)
            text = await _read_body(request, sdpfrag.MEDIA_TYPE)
            connection_id, resource = self._find(request, publishes)  # it may have ended while the body came
            connection = self._plane.connections[connection_id]
            _check_precondition(request, connection.etag)
            fragment = sdpfrag.parse_fragment(text)
            if not set(fragment.mids) <= {section.mid for section in connection.answer.sections}:
                raise UnsupportedSdp("an m-line that is not in the offer", reference="RFC 9725 4.3")
            if fragment.ufrag is None or fragment.pwd is None:
                return web.Response(status=204)
            # RFC 9725 4.3.3: new credentials are a restart, whatever If-Match says; the present ones are not.
            if (fragment.ufrag, fragment.pwd) == (resource.ufrag, resource.pwd):
                return web.Response(status=204)
            ufrag, pwd = connection.restart_ice(fragment.ufrag, fragment.pwd)
            self._resources[connection_id] = replace(resource, ufrag=fragment.ufrag, pwd=fragment.pwd)
            response = web.Response(
                text=sdpfrag.make_fragment(connection.answer_text, ufrag=ufrag, pwd=pwd),
                content_type=sdpfrag.MEDIA_TYPE,
                headers={"ETag": f'"{connection.etag}"'},
            )
            self._add_links(response, resource.token.claims)
            return response

        return patch

    def _delete(self, publishes: bool) -> Handler:
        async def delete(request: web.Request) -> web.Response:
            """200, whatever If-Match says (RFC 9725 4.3.1)."""
            connection_id, _ = self._find(request, publishes)
            await self._plane.close_connection(connection_id)
            self._forget_ended()
            return web.Response()

        return delete

    def _options(self, publishes: bool) -> Handler:
        async def options(request: web.Request) -> web.Response:
            """As for a resource; with a token also the ICE servers (RFC 9725 4.6): 200, 401, 403."""
            response = await _options(request)
            if "Authorization" in request.headers:
                self._add_links(response, self._authorize(request, publishes).claims)
            return response

        return options

    def _look(self, publishes: bool, *, resource: bool) -> Handler:
        async def look(request: web.Request) -> web.Response:
            """2xx without content (RFC 9725 4.1). HEAD names the type of a player's answers: 200 (WHEP).

            Without a token the answer shows nothing of what there is. With one: 401, 403, and 404 for a resource that
            is gone.
            """
            if "Authorization" in request.headers:
                if resource:
                    self._find(request, publishes)
                else:
                    self._authorize(request, publishes)
            if request.method == hdrs.METH_HEAD and not publishes:
                return web.Response(content_type=SDP_TYPE)
            return web.Response(status=204)

        return look

    def _add_links(self, response: web.Response, claims: Claims) -> None:
        if self._relays.servers is not None:
            for link in self._relays.servers.links(claims.participant, self._clock()):
                response.headers.add("Link", link)

    def _authorize(self, request: web.Request, publishes: bool) -> Token:
        """Raises `InvalidToken`, `TokenNotAllowed`."""
        bridge = BridgeId(request.match_info["bridge"])
        token = verify(bearer(request), secret=self._secret, bridge=bridge, epoch=self._epoch, now=self._clock())
        if self._exclusions.cover(token):
            raise InvalidToken(REVOKED)
        if not (token.claims.publish if publishes else token.claims.subscribe):
            raise TokenNotAllowed(f"the token does not allow to {'publish' if publishes else 'subscribe'}")
        return token

    def _find(self, request: web.Request, publishes: bool) -> tuple[ConnectionId, _Resource]:
        """Raises `ConnectionNotFound` also for a connection of another participant: that it exists is not shown."""
        claims = self._authorize(request, publishes).claims
        connection_id = ConnectionId(request.match_info["connection"])
        resource = self._resources.get(connection_id)
        if (
            resource is None
            or connection_id not in self._plane.connections
            or resource.publishes != publishes
            or _whose(resource.token.claims) != _whose(claims)
        ):
            raise ConnectionNotFound("no such connection, or it has ended")
        return connection_id, resource

    def _forget_ended(self) -> None:
        for connection_id in self._resources.keys() - self._plane.connections.keys():
            del self._resources[connection_id]


def _whose(claims: Claims) -> tuple[str, str, str]:
    return claims.bridge, claims.participant, claims.client


async def _options(request: web.Request) -> web.Response:
    """200 with what may be posted here; pages of other origins may ask."""
    return web.Response(headers={**PREFLIGHT, "Accept-Post": SDP_TYPE})


async def add_cors(request: web.Request, response: web.StreamResponse) -> None:
    """An `on_response_prepare` signal: pages of other origins may read every media answer, errors as well."""
    if request.path.startswith(("/whip/", "/whep/")):
        response.headers.update(CORS)


def bearer(request: web.Request) -> str:
    """The token of the Authorization header (RFC 6750 2.1). Raises `InvalidToken`."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise InvalidToken("no bearer token")
    return token.strip()


def _check_accept(request: web.Request) -> None:
    accepted = {part.partition(";")[0].strip().lower() for part in request.headers.get("Accept", "*/*").split(",")}
    if not accepted & {"*/*", "application/*", SDP_TYPE}:
        raise ProblemError(406, "not-acceptable", f"The answer is {SDP_TYPE}")


async def _read_body(request: web.Request, media_type: str) -> str:
    if request.content_type != media_type:
        raise ProblemError(415, "media-type", f"The body must be {media_type}", headers={"Accept": media_type})
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            body = await request.read()
    except TimeoutError as error:
        raise ProblemError(408, "too-slow", "The body did not arrive in time") from error
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise InvalidSdp("not UTF-8", reference="RFC 8866 5") from error


def _read_layout(text: str) -> dict[str, int]:
    """Heights by mid, out of {"slots": {mid: {"height": pixels}}}."""
    try:
        message = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ProblemError(400, "body-invalid", "The body is not JSON") from error
    slots = message.get("slots") if isinstance(message, dict) else None
    heights = {
        mid: each.get("height") if isinstance(each, dict) else None
        for mid, each in (slots.items() if isinstance(slots, dict) and len(slots) <= MAX_SECTIONS else ())
    }
    read = {mid: height for mid, height in heights.items() if type(height) is int and 0 <= height <= MAX_HEIGHT}
    if not isinstance(slots, dict) or len(read) != len(slots):
        form = f'{{"slots": {{mid: {{"height": 0 to {MAX_HEIGHT}}}}}}}'
        raise ProblemError(400, "body-invalid", f"The body is not {form}")
    return read


def _check_precondition(request: web.Request, etag: str) -> None:
    """RFC 9725 4.3.1, RFC 9110 13.1.1: If-Match is needed, and its strong comparison must hold."""
    wanted = request.headers.get("If-Match")
    if wanted is None:
        raise ProblemError(428, "precondition-required", "If-Match is needed")
    if wanted.strip() != "*" and f'"{etag}"' not in (tag.strip() for tag in wanted.split(",")):
        raise ProblemError(412, "precondition-failed", "The ICE session is another one by now")
