"""The command line of a bridge node: `python -m webrtc.node --help`."""

import argparse
import ipaddress
import logging
import re
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from webrtc.node.registration import ControllerSettings
from webrtc.shared.token import MIN_SECRET_LENGTH
from webrtc.shared.turn import TurnServers, is_turn_url

SECRET_VARIABLE = "NHIPCAU_BRIDGE_SECRET"
TURN_SECRET_VARIABLE = "NHIPCAU_TURN_SECRET"

_NODE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeSettings:
    """`media_hosts`, `media_port`, `tcp`: see `MediaPort`. `advertise`: the IP addresses for clients.

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
    capacity: int = 0  # connections, for the placing of lessons; 0: any number
    control_tls: bool = False
    controller: ControllerSettings | None = None  # None: the controller knows this node without being asked

    @property
    def known_as(self) -> tuple[str, ...]:
        """Names and addresses by which a controller may reach the control interface."""
        url = self.controller.control_url if self.controller else None
        named = urlsplit(url).hostname if url else None
        return tuple(dict.fromkeys((self.control_host, *self.advertise, *((named,) if named else ()))))


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
        help="for clients that can reach the node in no other way, instead of the servers of the controller;"
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
