"""A bridge node: one process with the media plane and its HTTP interface, from its first line to its last."""

import asyncio
import json
import logging
import secrets
import signal
import sys
from collections.abc import Coroutine, Iterable, Sequence
from contextlib import AsyncExitStack, suppress
from datetime import UTC, datetime

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from webrtc.bridge.media_plane import MediaPlane
from webrtc.node.arguments import NodeSettings
from webrtc.node.control import ControlEndpoints
from webrtc.node.events import Events
from webrtc.node.problems import problems
from webrtc.node.registration import Registration
from webrtc.node.status import LoadMeter, NodeStatus
from webrtc.node.whip import MediaEndpoints, add_cors
from webrtc.sdp.offer import MAX_LENGTH
from webrtc.shared.control_tls import server_context
from webrtc.shared.idle_connections import IdleConnections, Limits, listen
from webrtc.shared.serving import plain_bodies, serving
from webrtc.shared.turn import Relays

SHUTDOWN_TIMEOUT_S = 3.0
KEEP_ALIVE_S = 30.0

logger = logging.getLogger(__name__)
http_logger = logging.getLogger("webrtc.http")


async def run_node(settings: NodeSettings) -> None:
    """Serve until SIGTERM or SIGINT, or until no controller has listened to /v1/events for `orphan_timeout_s`.

    A signal drains the node first: a controller that listens has `drain_timeout_s` to move the lessons. A second signal
    ends it at once.
    Once it listens, it writes one JSON line to stdout: {"control": URL, "udp_port": number, "node": name,
    "advertise": [addresses]}.
    Raises `OSError` where a port is taken.
    """
    status = NodeStatus(secrets.token_hex(8), capacity=settings.capacity)
    node = status.node
    loop = asyncio.get_running_loop()
    events = Events(status)
    stopped = asyncio.Event()
    async with AsyncExitStack() as stack:
        plane = await stack.enter_async_context(
            MediaPlane(
                hosts=settings.media_hosts,
                port=settings.media_port,
                tcp=settings.tcp,
                advertise=settings.advertise,
                changed=events.changed,
            )
        )
        relays = Relays(settings.turn)
        tls = server_context(settings.secret, settings.known_as) if settings.control_tls else None
        runner = await stack.enter_async_context(
            serving(
                make_app(plane, events, settings.secret, status, relays),
                listen(settings.control_host, settings.control_port),
                idle=IdleConnections(Limits(keep_alive_s=KEEP_ALIVE_S)),
                tls=tls,
                shutdown_timeout_s=SHUTDOWN_TIMEOUT_S,
                logger=http_logger,
            )
        )
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stopped.set)
            stack.callback(loop.remove_signal_handler, number)
        control_url = _url_of(runner, "https" if tls else "http")
        ready = {"control": control_url, "udp_port": plane.port, "node": node, "advertise": settings.advertise}
        sys.stdout.write(json.dumps(ready) + "\n")
        sys.stdout.flush()
        logger.info("node %s: listening at %s, media at port %d", node, control_url, plane.port)
        async with asyncio.TaskGroup() as tasks:
            beside = [tasks.create_task(LoadMeter(plane, status).run(), name="load meter")]
            if settings.controller is not None:
                url = _reachable(control_url, settings.advertise)
                registration = Registration(
                    settings.controller,
                    secret=settings.secret,
                    status=status,
                    control_url=url,
                    udp_port=plane.port,
                    relays=None if settings.turn else relays,
                )
                beside.append(tasks.create_task(registration.run(), name="registration"))
            await _any_of((stopped.wait(), events.orphaned(settings.orphan_timeout_s)))
            logger.info("node %s: ending", node)
            stopped.clear()  # a second signal ends the draining
            status.drain(True)
            await _any_of((stopped.wait(), _emptied(plane, events, settings.drain_timeout_s)))
            for each in beside:
                each.cancel()


async def _emptied(plane: MediaPlane, events: Events, timeout_s: float) -> None:
    """Return once there is no lesson that a controller could still move; after `timeout_s` at the latest."""
    with suppress(TimeoutError):
        async with asyncio.timeout(timeout_s):
            await events.until(lambda: not (plane.bridges and events.has_listeners))


def _is_news(record: logging.LogRecord) -> bool:
    """Leave out requests that are no HTTP: they got a 400, and aiohttp's traceback would log their bytes and tokens."""
    return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError))


http_logger.addFilter(_is_news)


def make_app(
    plane: MediaPlane,
    events: Events,
    secret: str,
    status: NodeStatus,
    relays: Relays | None = None,
) -> web.Application:
    """The node's whole HTTP interface around an entered plane."""
    app = web.Application(middlewares=[problems, plain_bodies], client_max_size=MAX_LENGTH)
    media = MediaEndpoints(
        plane=plane,
        secret=secret,
        epoch=status.node,
        clock=lambda: datetime.now(UTC),
        relays=relays or Relays(),
    )
    app.add_routes(media.routes())
    control = ControlEndpoints(plane=plane, media=media, events=events, secret=secret, status=status)
    app.add_routes(control.routes())
    app.on_shutdown.append(control.close)
    app.on_response_prepare.append(add_cors)
    return app


async def _any_of(waits: Iterable[Coroutine[None, None, object]]) -> None:
    """Return once the first of `waits` has; the others are ended."""
    tasks = [asyncio.create_task(each) for each in waits]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


def _reachable(url: str, advertise: Sequence[str]) -> str:
    """The URL by which other machines reach `url`: the first advertised address stands for "all addresses"."""
    for every in ("//0.0.0.0:", "//[::]:"):
        if every in url:
            host = f"[{advertise[0]}]" if ":" in advertise[0] else advertise[0]
            return url.replace(every, f"//{host}:")
    return url


def _url_of(runner: web.AppRunner, scheme: str) -> str:
    host, port = runner.addresses[0][:2]
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"
