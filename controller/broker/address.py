"""Where a school's devices find the broker, as a technician types it into them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import ip_address

from controller.config.model import Address


class Reach(StrEnum):
    NETWORK = "network"
    MACHINE = "machine"  # only programs on the broker's own machine come to it


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceAddress:
    """`host` "": the machine's address in the devices' network, which nobody has told us."""

    host: str
    port: int
    tls: bool
    reach: Reach


@dataclass(frozen=True, slots=True, kw_only=True)
class Entrance:
    """Where the broker listens, and under which topics devices announce themselves there."""

    listen: Address
    tls: bool = False
    public_host: str = ""  # of the address that people type; "": not configured
    discovery_prefix: Callable[[str], str] = "sc/1/{}/ha".format

    def for_devices(self, asked_host: str) -> DeviceAddress:
        """`asked_host`: by which name whoever asks has reached this machine."""
        host, reach = self.listen.host, Reach.NETWORK
        if _is_loopback(host):
            reach = Reach.MACHINE
        elif _is_any(host):
            host = _first_reachable((self.public_host, asked_host))
        return DeviceAddress(host=host, port=self.listen.port, tls=self.tls, reach=reach)


def _first_reachable(hosts: Sequence[str]) -> str:
    return next((host for host in hosts if host and not _is_loopback(host) and not _is_any(host)), "")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _is_any(host: str) -> bool:
    try:
        return ip_address(host).is_unspecified
    except ValueError:
        return False
