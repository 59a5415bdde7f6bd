"""A bridge node: one process with the media plane and its HTTP interface. `python -m webrtc.node --help`."""

import argparse
import asyncio
import gc
import ipaddress
import json
import logging
import os
import re
import secrets
import signal
import socket
import sys
from collections.abc import Coroutine, Iterable, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from webrtc.control import ControlEndpoints
from webrtc.control_tls import server_context
from webrtc.events import Events
from webrtc.idle import IdleConnections, Limits, listen
from webrtc.plane import MediaPlane
from webrtc.problems import problems
from webrtc.registration import ControllerSettings, Registration
from webrtc.sdp import MAX_LENGTH
from webrtc.serving import plain_bodies, serving
from webrtc.status import LoadMeter, NodeStatus
from webrtc.token import MIN_SECRET_LENGTH
from webrtc.turn import Relays, TurnServers, is_turn_url
from webrtc.whip import MediaEndpoints, add_cors

SECRET_VARIABLE = "NHIPCAU_BRIDGE_SECRET"
TURN_SECRET_VARIABLE = "NHIPCAU_TURN_SECRET"
GC_THRESHOLDS = 10_000, 20, 20  # connections leave cycles behind, packets none: collect seldom
SHUTDOWN_TIMEOUT_S = 3.0
KEEP_ALIVE_S = 30.0

_NODE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")

logger = logging.getLogger(__name__)
http_logger = logging.getLogger("webrtc.http")


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeSettings:
    """`media_hosts`, `media_port`, `tcp`: see `MediaPort`. `advertise`: the IP addresses by which clients reach it.

    Ports may be 0: any free one.
    """

    control_host: str
    control_port: int
    media_hosts: tuple[str, ...]
    media_port: int
    tcp: bool
    advertise: tuple[str, ...]
    secret: str
    turn: TurnServers | None = None
    orphan_timeout_s: float = 300.0
    drain_timeout_s: float = 10.0
    capacity: int = 0  # connections, for whoever places lessons; 0: any
    control_tls: bool = False
    controller: ControllerSettings | None = None  # None: the controller knows of this node by itself

    @property
    def known_as(self) -> tuple[str, ...]:
        """Names and addresses by which a controller may reach the control interface."""
        url = self.controller.control_url if self.controller else None
        named = urlsplit(url).hostname if url else None
        return tuple(dict.fromkeys((self.control_host, *self.advertise, *((named,) if named else ()))))


async def run_node(settings: NodeSettings) -> None:
    """Serve until SIGTERM or SIGINT, or until no controller has listened to /v1/events for `orphan_timeout_s`.

    A signal drains first: while a controller listens it has `drain_timeout_s` to take the lessons elsewhere. A second
    signal ends at once.
    Writes one JSON line to stdout once it listens: {"control": URL, "udp_port": number, "node": name,
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
    """Return once no lesson is here that a controller could still take elsewhere; after `timeout_s` at the latest."""
    with suppress(TimeoutError):
        async with asyncio.timeout(timeout_s):
            await events.until(lambda: not (plane.bridges and events.heard))


def _is_news(record: logging.LogRecord) -> bool:
    """Not a request that is no HTTP: it got its 400, and aiohttp's traceback would repeat its bytes, tokens and all."""
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
    """Where others reach what listens at `url`: all addresses of this machine are the first that it advertises."""
    for every in ("//0.0.0.0:", "//[::]:"):
        if every in url:
            host = f"[{advertise[0]}]" if ":" in advertise[0] else advertise[0]
            return url.replace(every, f"//{host}:")
    return url


def _url_of(runner: web.AppRunner, scheme: str) -> str:
    host, port = runner.addresses[0][:2]
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def _address(text: str) -> tuple[str, int]:
    """A host and a port out of "127.0.0.1:0" or "[::1]:0"."""
    host, colon, port = text.rpartition(":")
    if not (colon and host and port.isdecimal() and int(port) <= 65535):
        raise argparse.ArgumentTypeError(f"{text!r} is not HOST:PORT")
    return host.strip("[]"), int(port)


def _ip(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not an IP address") from error


def _turn_url(text: str) -> str:
    if not is_turn_url(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not turn:HOST:PORT?transport=udp or the like")
    return text


def _http_url(text: str) -> str:
    parts = urlsplit(text)
    if (
        parts.scheme not in ("http", "https")
        or not parts.hostname
        or not parts.hostname.isascii()
        or parts.query
        or parts.fragment
    ):
        raise argparse.ArgumentTypeError(f"{text!r} is not http://HOST:PORT or https://HOST:PORT")
    return text.rstrip("/")


def _node_name(text: str) -> str:
    if not _NODE_NAME.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not 1 to 64 letters, digits or any of _ . -")
    return text


def _own_name() -> str:
    return re.sub(r"[^A-Za-z0-9_.-]", "-", socket.gethostname())[:64].lstrip("_.-") or "node"


def _controller(read: argparse.Namespace) -> ControllerSettings | None:
    if read.controller is None:
        return None
    return ControllerSettings(
        url=read.controller, name=read.name, control_url=read.control_url, ca_file=read.controller_ca
    )


def _control_tls(read: argparse.Namespace) -> bool:
    if read.control_tls is not None:
        return bool(read.control_tls)
    return read.controller is not None and not (read.control_url or "").startswith("http:")


def _turn(read: argparse.Namespace, secret: str) -> TurnServers | None:
    if not read.turn:
        return None
    return TurnServers(urls=tuple(read.turn), secret=secret, lifetime=timedelta(seconds=read.turn_lifetime_s))


def read_arguments(arguments: Sequence[str], environment: dict[str, str]) -> NodeSettings:
    """Ends the process with code 2 and a line on stderr where something is missing or wrong."""
    parser = argparse.ArgumentParser(prog="python -m webrtc.node", description="Run one bridge node.")
    parser.add_argument("--control", type=_address, default=("127.0.0.1", 0), metavar="HOST:PORT")
    parser.add_argument("--udp", type=_address, action="append", metavar="HOST:PORT", help="for media")
    parser.add_argument("--tcp", action=argparse.BooleanOptionalAction, default=True, help="there as well")
    parser.add_argument("--advertise", type=_ip, action="append", required=True, metavar="IP")
    parser.add_argument(
        "--turn",
        type=_turn_url,
        action="append",
        default=[],
        metavar="URL",
        help="for clients that nothing else works for, instead of what --controller says;"
        f" the server's shared secret is in {TURN_SECRET_VARIABLE}",
    )
    parser.add_argument("--turn-lifetime-s", type=float, default=21_600.0, metavar="SECONDS", help="of credentials")
    parser.add_argument("--orphan-timeout-s", type=float, default=300.0, metavar="SECONDS")
    parser.add_argument("--drain-timeout-s", type=float, default=10.0, metavar="SECONDS")
    parser.add_argument(
        "--capacity", type=int, default=0, metavar="CONNECTIONS", help="for placing lessons; 0: any number"
    )
    elsewhere = parser.add_argument_group("a controller on another machine, to which this node makes itself known")
    elsewhere.add_argument("--controller", type=_http_url, metavar="URL")
    elsewhere.add_argument("--controller-ca", type=Path, metavar="FILE", help="PEM; the controller's own authority")
    elsewhere.add_argument("--name", type=_node_name, default=_own_name(), help="what it is called there")
    elsewhere.add_argument(
        "--control-url", type=_http_url, metavar="URL", help="where the controller reaches --control"
    )
    elsewhere.add_argument(
        "--control-tls",
        action=argparse.BooleanOptionalAction,
        help="at --control; the secret vouches for it. As --control-url says, or else with --controller",
    )
    parser.add_argument("--log-level", choices=("DEBUG", "INFO", "WARNING", "ERROR"), default="INFO")
    read = parser.parse_args(arguments)
    media = read.udp or [("0.0.0.0", 0)]
    if len({port for _, port in media}) > 1:
        parser.error("--udp must have the same port for each address")
    families = {ipaddress.ip_address(address).version for address in read.advertise}
    listening = {version for host, _ in media for version in ((4, 6) if host == "::" else (6 if ":" in host else 4,))}
    if not families <= listening:
        parser.error("--advertise names an address of a family that no --udp listens on")
    secret = environment.get(SECRET_VARIABLE, "")
    if len(secret.encode()) < MIN_SECRET_LENGTH:
        parser.error(f"{SECRET_VARIABLE} must hold a secret of at least {MIN_SECRET_LENGTH} bytes")
    turn_secret = environment.get(TURN_SECRET_VARIABLE, "")
    if read.turn and not turn_secret:
        parser.error(f"--turn needs {TURN_SECRET_VARIABLE}")
    logging.basicConfig(level=read.log_level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    return NodeSettings(
        control_host=read.control[0],
        control_port=read.control[1],
        media_hosts=tuple(host for host, _ in media),
        media_port=media[0][1],
        tcp=read.tcp,
        advertise=tuple(read.advertise),
        secret=secret,
        turn=_turn(read, turn_secret),
        orphan_timeout_s=read.orphan_timeout_s,
        drain_timeout_s=read.drain_timeout_s,
        capacity=read.capacity,
        controller=_controller(read),
        control_tls=_control_tls(read),
    )


def main() -> None:
    settings = read_arguments(sys.argv[1:], dict(os.environ))
    gc.freeze()  # what was imported stays: looking through it would stop all packets for 50 ms
    gc.set_threshold(*GC_THRESHOLDS)
    asyncio.run(run_node(settings))


if __name__ == "__main__":
    main()
