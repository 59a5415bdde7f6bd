"""The node's control interface: bridges, their state, events, metrics. HTTP with the node's secret as bearer token."""

import asyncio
import hmac
import json
import logging
import re
from contextlib import aclosing
from datetime import UTC, datetime
from typing import TypeGuard

from aiohttp import WSCloseCode, web
from aiohttp.typedefs import Handler
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from webrtc.bridge.media_plane import MediaPlane
from webrtc.errors import InvalidToken
from webrtc.forwarding import engines
from webrtc.node.events import Events, Listener
from webrtc.node.metrics import PlaneCollector
from webrtc.node.problems import ProblemError
from webrtc.node.status import NodeStatus
from webrtc.node.whip import MediaEndpoints, bearer
from webrtc.shared.exclusion import Exclusion
from webrtc.shared.ids import BridgeId, ClientId, ParticipantId
from webrtc.shared.policy import Mode, Policy
from webrtc.shared.token import LATEST

MAX_ORDER = 1000
SEND_TIMEOUT_S = 5.0
HEARTBEAT_S = 10.0
CLOSE_TIMEOUT_S = 1.0  # for the listener's close frame

_NAME = re.compile(r"[\w.:@-]{1,128}", re.ASCII)

logger = logging.getLogger(__name__)


class ControlEndpoints:
    """The handlers under /v1 and /metrics of one node."""

    def __init__(
        self, *, plane: MediaPlane, media: MediaEndpoints, events: Events, secret: str, status: NodeStatus
    ) -> None:
        self._plane = plane
        self._media = media
        self._events = events
        self._secret = secret.encode()
        self._status = status
        self._started = asyncio.get_running_loop().time()
        self._registry = CollectorRegistry()
        self._registry.register(PlaneCollector(plane, status))
        self._sockets: set[web.WebSocketResponse] = set()

    def routes(self) -> list[web.RouteDef]:
        bridge = "/v1/bridges/{bridge}"
        return [
            web.get("/v1/node", self._guarded(self._node)),
            web.post("/v1/drain", self._guarded(self._drain)),
            web.delete("/v1/drain", self._guarded(self._stop_draining)),
            web.get("/v1/bridges", self._guarded(self._list_bridges)),
            web.put(bridge, self._guarded(self._put_bridge)),
            web.delete(bridge, self._guarded(self._delete_bridge)),
            web.post(f"{bridge}/exclusions", self._guarded(self._exclude)),
            web.get("/v1/events", self._guarded(self._stream_events)),
            web.get("/metrics", self._guarded(self._metrics)),
        ]

    def _guarded(self, handler: Handler) -> Handler:
        async def guarded(request: web.Request) -> web.StreamResponse:
            if not hmac.compare_digest(bearer(request).encode(errors="surrogateescape"), self._secret):
                raise InvalidToken("not the secret of this node")
            return await handler(request)

        return guarded

    async def _node(self, request: web.Request) -> web.Response:
        return web.json_response(
            {
                **self._status.to_json(),
                "node": self._status.node,
                "engine": engines.chosen.name,
                "udp_port": self._plane.port,
                "bridges": len(self._plane.bridges),
                "connections": len(self._plane.connections),
                "uptime_s": round(asyncio.get_running_loop().time() - self._started, 3),
            }
        )

    async def _drain(self, request: web.Request) -> web.Response:
        """Ask the controllers that listen to move the lessons to other nodes; nothing ends by that alone."""
        self._status.drain(True)
        return web.Response(status=204)

    async def _stop_draining(self, request: web.Request) -> web.Response:
        self._status.drain(False)
        return web.Response(status=204)

    async def _list_bridges(self, request: web.Request) -> web.Response:
        states = [bridge.state().to_json() for bridge in self._plane.bridges.values()]
        return web.json_response({"bridges": states})

    async def _put_bridge(self, request: web.Request) -> web.Response:
        """201 where the bridge is new, 200 where it takes a new policy; 400."""
        bridge_id = BridgeId(_name(request, "bridge"))
        policy = _read_policy(await request.read())
        status = 200 if bridge_id in self._plane.bridges else 201
        self._plane.open_bridge(bridge_id, policy)
        self._events.changed(bridge_id)
        return web.json_response({"id": bridge_id}, status=status)

    async def _delete_bridge(self, request: web.Request) -> web.Response:
        bridge_id = BridgeId(_name(request, "bridge"))
        await self._plane.close_bridge(bridge_id)
        self._events.changed(bridge_id)
        return web.Response(status=204)

    async def _exclude(self, request: web.Request) -> web.Response:
        """204: the tokens are void, and what was begun with them has ended; 400. Also where there is no such bridge."""
        bridge_id = BridgeId(_name(request, "bridge"))
        await self._media.exclude(_read_exclusion(bridge_id, await request.read()))
        self._events.changed(bridge_id)
        return web.Response(status=204)

    async def _stream_events(self, request: web.Request) -> web.WebSocketResponse:
        """Sends JSON events until the client leaves or is too slow (closed with 1013); its own messages are ignored."""
        socket = web.WebSocketResponse(
            heartbeat=HEARTBEAT_S, timeout=CLOSE_TIMEOUT_S, max_msg_size=4096, compress=False
        )
        await socket.prepare(request)
        self._sockets.add(socket)
        with self._events.listen(self._plane) as listener:
            sender = asyncio.create_task(_send_all(socket, listener), name="send node events")
            try:
                async for _ in socket:
                    pass
            finally:
                self._sockets.discard(socket)
                sender.cancel()
                await asyncio.wait([sender])
        return socket

    async def close(self, app: web.Application) -> None:
        """An `on_shutdown` signal: close the listeners' sockets with 1001, so that they need not find out."""
        for socket in list(self._sockets):
            await socket.close(code=WSCloseCode.GOING_AWAY)

    async def _metrics(self, request: web.Request) -> web.Response:
        return web.Response(body=generate_latest(self._registry), headers={"Content-Type": CONTENT_TYPE_LATEST})


async def _send_all(socket: web.WebSocketResponse, listener: Listener) -> None:
    try:
        async with aclosing(listener.events()) as events:
            async for event in events:
                async with asyncio.timeout(SEND_TIMEOUT_S):
                    await socket.send_str(json.dumps(event, separators=(",", ":")))
    except TimeoutError:
        await socket.close(code=WSCloseCode.TRY_AGAIN_LATER)
    except ConnectionError:
        pass  # the reader sees the end as well, and is the one who ends the request
    except Exception:  # noqa: BLE001  one listener's rim: it comes back for a new snapshot
        logger.exception("events: ended by a fault")
        await socket.close(code=WSCloseCode.INTERNAL_ERROR)


def _name(request: web.Request, part: str) -> str:
    name = request.match_info[part]
    if not _NAME.fullmatch(name):
        raise ProblemError(400, "name-invalid", f"The {part} is not 1 to 128 letters, digits or any of _ . : @ -")
    return name


def _read_policy(body: bytes) -> Policy:
    try:
        message = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ProblemError(400, "body-invalid", "The body is not JSON") from error
    read = message if isinstance(message, dict) else {}
    order, mode, floor = read.get("order"), read.get("mode", Mode.DISCUSSION), read.get("floor")
    muted, dark = read.get("muted", []), read.get("dark", [])
    if (
        not (_are_names(order) and _are_names(muted) and _are_names(dark))
        or mode not in set(Mode)
        or not (floor is None or _is_name(floor))
    ):
        form = (
            '{"order": [participant ids], "mode": "teacher", "called" or "discussion", "floor": id or null, '
            '"muted": [ids], "dark": [ids]}'
        )
        raise ProblemError(400, "body-invalid", f"The body is not {form}")
    return Policy(
        order=_ids(order),
        mode=Mode(mode),
        floor=None if floor is None else ParticipantId(floor),
        muted=_ids(muted),
        dark=_ids(dark),
    )


def _read_exclusion(bridge_id: BridgeId, body: bytes) -> Exclusion:
    try:
        message = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ProblemError(400, "body-invalid", "The body is not JSON") from error
    read = message if isinstance(message, dict) else {}
    participant, client = read.get("participant"), read.get("client")
    before, until = _moment(read.get("before")), _moment(read.get("until"))
    if (
        not (participant is None or _is_name(participant))
        or not (client is None or _is_name(client))
        or before is None
        or until is None
    ):
        form = '{"participant": id or null, "client": id or null, "before": seconds, "until": seconds}'
        raise ProblemError(400, "body-invalid", f"The body is not {form}")
    return Exclusion(
        bridge=bridge_id,
        participant=None if participant is None else ParticipantId(participant),
        client=None if client is None else ClientId(client),
        before=before,
        until=until,
    )


def _moment(value: object) -> datetime | None:
    """A time out of seconds since 1970; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < LATEST:
        return None
    return datetime.fromtimestamp(value, UTC)


def _ids(names: list[str]) -> tuple[ParticipantId, ...]:
    return tuple(ParticipantId(name) for name in names)


def _are_names(value: object) -> TypeGuard[list[str]]:
    return isinstance(value, list) and len(value) <= MAX_ORDER and all(_is_name(name) for name in value)


def _is_name(value: object) -> bool:
    return isinstance(value, str) and _NAME.fullmatch(value) is not None
