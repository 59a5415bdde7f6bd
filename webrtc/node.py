"""A bridge node: one process with the media plane and its HTTP interface. `python -m webrtc.node --help`."""

import argparse
import asyncio
import ipaddress
import json
import logging
import os
import secrets
import signal
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from webrtc.control import ControlEndpoints, NodeInfo
from webrtc.events import Events
from webrtc.plane import MediaPlane
from webrtc.problems import problems
from webrtc.sdp import MAX_LENGTH
from webrtc.token import MIN_SECRET_LENGTH
from webrtc.whip import MediaEndpoints, add_cors

SECRET_VARIABLE = "NHIPCAU_BRIDGE_SECRET"
SHUTDOWN_TIMEOUT_S = 3.0

logger = logging.getLogger(__name__)
http_logger = logging.getLogger("webrtc.http")


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeSettings:
    """`advertise`: the IP addresses by which clients reach the UDP port. Ports may be 0: any free one."""

    control_host: str
    control_port: int
    udp_host: str
    udp_port: int
    advertise: tuple[str, ...]
    secret: str
    orphan_timeout_s: float = 300.0


async def run_node(settings: NodeSettings) -> None:
    """Serve until SIGTERM or SIGINT, or until no controller has listened to /v1/events for `orphan_timeout_s`.

    Writes one JSON line to stdout once it listens: {"control": URL, "udp_port": number, "node": name}.
    Raises `OSError` where a port is taken.
    """
    node = secrets.token_hex(8)
    loop = asyncio.get_running_loop()
    events = Events(node)
    stopped = asyncio.Event()
    async with AsyncExitStack() as stack:
        plane = await stack.enter_async_context(
            MediaPlane(
                host=settings.udp_host, port=settings.udp_port, advertise=settings.advertise, changed=events.changed
            )
        )
        info = NodeInfo(node=node, started=loop.time())
        runner = web.AppRunner(
            make_app(plane, events, settings.secret, info),
            access_log=None,
            logger=http_logger,
            shutdown_timeout=SHUTDOWN_TIMEOUT_S,
        )
        stack.push_async_callback(runner.cleanup)
        await runner.setup()
        site = web.TCPSite(runner, settings.control_host, settings.control_port)
        await site.start()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stopped.set)
            stack.callback(loop.remove_signal_handler, number)
        control_url = _url_of(runner)
        sys.stdout.write(json.dumps({"control": control_url, "udp_port": plane.port, "node": node}) + "\n")
        sys.stdout.flush()
        logger.info("node %s: listening at %s, UDP port %d", node, control_url, plane.port)
        await _first_of(stopped, events, settings.orphan_timeout_s)
        logger.info("node %s: ending", node)


def _is_news(record: logging.LogRecord) -> bool:
    """Not a request that is no HTTP: it got its 400, and aiohttp's traceback would repeat its bytes, tokens and all."""
    return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError))


http_logger.addFilter(_is_news)


def make_app(plane: MediaPlane, events: Events, secret: str, info: NodeInfo) -> web.Application:
    """The node's whole HTTP interface around an entered plane."""
    app = web.Application(middlewares=[problems], client_max_size=MAX_LENGTH)
    app.add_routes(MediaEndpoints(plane=plane, secret=secret, clock=lambda: datetime.now(UTC)).routes())
    control = ControlEndpoints(plane=plane, events=events, secret=secret, info=info)
    app.add_routes(control.routes())
    app.on_shutdown.append(control.close)
    app.on_response_prepare.append(add_cors)
    return app


async def _first_of(stopped: asyncio.Event, events: Events, orphan_timeout_s: float) -> None:
    waits = {
        asyncio.create_task(stopped.wait(), name="wait for the stop signal"),
        asyncio.create_task(events.orphaned(orphan_timeout_s), name="wait for orphanhood"),
    }
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
        await asyncio.wait(waits)


def _url_of(runner: web.AppRunner) -> str:
    host, port = runner.addresses[0][:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


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


def read_arguments(arguments: Sequence[str], environment: dict[str, str]) -> NodeSettings:
    """Ends the process with code 2 and a line on stderr where something is missing or wrong."""
    parser = argparse.ArgumentParser(prog="python -m webrtc.node", description="Run one bridge node.")
    parser.add_argument("--control", type=_address, default=("127.0.0.1", 0), metavar="HOST:PORT")
    parser.add_argument("--udp", type=_address, default=("0.0.0.0", 0), metavar="HOST:PORT")
    parser.add_argument("--advertise", type=_ip, action="append", required=True, metavar="IP")
    parser.add_argument("--orphan-timeout-s", type=float, default=300.0, metavar="SECONDS")
    parser.add_argument("--log-level", choices=("DEBUG", "INFO", "WARNING", "ERROR"), default="INFO")
    read = parser.parse_args(arguments)
    secret = environment.get(SECRET_VARIABLE, "")
    if len(secret.encode()) < MIN_SECRET_LENGTH:
        parser.error(f"{SECRET_VARIABLE} must hold a secret of at least {MIN_SECRET_LENGTH} bytes")
    logging.basicConfig(level=read.log_level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    return NodeSettings(
        control_host=read.control[0],
        control_port=read.control[1],
        udp_host=read.udp[0],
        udp_port=read.udp[1],
        advertise=tuple(read.advertise),
        secret=secret,
        orphan_timeout_s=read.orphan_timeout_s,
    )


def main() -> None:
    settings = read_arguments(sys.argv[1:], dict(os.environ))
    asyncio.run(run_node(settings))


if __name__ == "__main__":
    main()
