"""The bridge nodes on this machine, as programs: children of the controller that outlive it."""

import secrets
import sys
from pathlib import Path

import ifaddr

from controller.child import ChildProgram
from controller.config import LocalNodesConfig


def local_secret(directory: Path) -> str:
    """Kept in a file, so that nodes that outlive this controller still know the next one."""
    path = directory / "secret"
    path.touch(mode=0o600)
    if not path.read_text():  # new, or we went down before it was written
        path.write_text(secrets.token_urlsafe(32))
    return path.read_text()


def node_program(index: int, config: LocalNodesConfig, secret: str) -> ChildProgram:
    """The local node of this index; each has a UDP port of its own."""
    port = config.udp_listen.port + index if config.udp_listen.port else 0
    host = f"[{config.udp_listen.host}]" if ":" in config.udp_listen.host else config.udp_listen.host
    advertised = [str(each) for each in config.advertise] or own_addresses(config.udp_listen.host)
    return ChildProgram(
        name=f"bridge-{index}",
        arguments=(
            *(sys.executable, "-m", "webrtc.node", "--control", "127.0.0.1:0", "--udp", f"{host}:{port}"),
            *(word for address in advertised for word in ("--advertise", address)),
        ),
        environment={"NHIPCAU_BRIDGE_SECRET": secret},
    )


def own_addresses(listen_host: str) -> list[str]:
    """The addresses under which others reach a socket that listens on `listen_host`.

    The machine's own IPv4 addresses where it listens on all, without loopback unless that is all there is.
    """
    if listen_host not in ("0.0.0.0", "::"):
        return [listen_host]
    found = [str(ip.ip) for adapter in ifaddr.get_adapters() for ip in adapter.ips if ip.is_IPv4]
    outside = [address for address in found if not address.startswith(("127.", "169.254."))]
    return outside or ["127.0.0.1"]
