"""The bridge nodes on this machine, as programs: children of the controller that outlive it."""

import sys
from collections.abc import Iterable, Iterator, Mapping
from ipaddress import ip_address
from pathlib import Path

import ifaddr

from controller.config.model import LocalNodesConfig, TurnConfig
from controller.processes.child import ChildProgram
from controller.small_file import kept_secret


def local_secret(directory: Path) -> str:
    """Kept in a file, so that nodes that outlive this controller still know the next one."""
    return kept_secret(directory / "secret", at_least=32)


def node_program(index: int, config: LocalNodesConfig, secret: str, turn: TurnConfig | None = None) -> ChildProgram:
    """The local node of this index; each has a port of its own."""
    port = config.udp_listen.port + index if config.udp_listen.port else 0
    host = f"[{config.udp_listen.host}]" if ":" in config.udp_listen.host else config.udp_listen.host
    given = [str(each) for each in config.advertise]
    found = [] if given else own_addresses(config.udp_listen.host)

    def fits(said: Mapping[str, object]) -> bool:
        """A new address, as of a VPN, is no reason to end a lesson; one that is gone may be the one in use."""
        advertised = said.get("advertise")
        return not found or (isinstance(advertised, list) and set(advertised) <= set(found))

    return ChildProgram(
        name=f"bridge-{index}",
        arguments=(
            *(sys.executable, "-m", "webrtc.node", "--control", "127.0.0.1:0", "--udp", f"{host}:{port}"),
            *_advertising(given),
            *(_turn_arguments(turn) if turn else ()),
        ),
        found=tuple(_advertising(found)),
        fits=fits,
        environment={"NHIPCAU_BRIDGE_SECRET": secret, **({"NHIPCAU_TURN_SECRET": turn.secret.value} if turn else {})},
    )


def _advertising(addresses: Iterable[str]) -> Iterator[str]:
    for address in addresses:
        yield from ("--advertise", address)


def _turn_arguments(turn: TurnConfig) -> Iterator[str]:
    for url in turn.urls:
        yield from ("--turn", url)
    yield from ("--turn-lifetime-s", f"{turn.lifetime.total_seconds():.0f}")


def own_addresses(listen_host: str) -> list[str]:
    """The addresses under which others reach a socket that listens on `listen_host`.

    Where that is all of the machine ("::" of both families, "0.0.0.0" of IPv4), its own ones, IPv4 first; loopback only
    if there is nothing else, and no link-local ones, which mean nothing without the name of an interface.
    """
    if listen_host not in ("0.0.0.0", "::"):
        return [listen_host]
    found = [
        ip_address(ip.ip if isinstance(ip.ip, str) else ip.ip[0])
        for adapter in ifaddr.get_adapters()
        for ip in adapter.ips
        if ip.is_IPv4 or listen_host == "::"
    ]
    outside = [address for address in found if not (address.is_loopback or address.is_link_local)]
    return [str(address) for address in sorted(outside, key=lambda each: each.version)] or ["127.0.0.1"]
