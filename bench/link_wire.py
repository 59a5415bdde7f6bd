"""The wire between a school's network namespace and this machine: every IP packet of a browser goes through here.

A process of its own, so that a busy browser or event loop does not delay packets. Linux, root.
Two TUN devices are joined in user space, because not every kernel has `netem`. stdin: `Wire` as one JSON object per
line, obeyed at once; stdout: "ready", then for each line the counters so far.

    python -m bench.link_wire NAMESPACE
"""

import asyncio
import fcntl
import json
import os
import struct
import subprocess
import sys
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any, Self

from testing.links.conditions import GOOD, Conditions, Direction
from testing.links.underway import Underway

NODE_ADDRESS, SCHOOL_ADDRESS, PREFIX = "10.77.0.1", "10.77.0.2", 24
DEVICE = "nc{}"  # the name of a device, with a letter for its side
TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000  # linux/if_tun.h
LONGEST = 2048
BATCH = 64
TCP, UDP = 6, 17  # IPv4 protocol numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class Wire:
    """`up`: from the school. `udp`: whether the firewall passes it. `tcp_ports`: what else it passes; None: all TCP."""

    up: Conditions = GOOD
    down: Conditions = GOOD
    udp: bool = True
    tcp_ports: tuple[int, ...] | None = None

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        read: dict[str, Any] = json.loads(text)
        ports = read["tcp_ports"]
        return cls(
            up=Conditions(**read["up"]),
            down=Conditions(**read["down"]),
            udp=read["udp"],
            tcp_ports=None if ports is None else tuple(ports),
        )

    def passes(self, packet: bytes) -> bool:
        """Whether the firewall lets this IPv4 packet through."""
        if packet[0] >> 4 != 4:
            return False
        if packet[9] == UDP:
            return self.udp
        if packet[9] != TCP or self.tcp_ports is None:
            return True
        header = 4 * (packet[0] & 15)
        return any(port in self.tcp_ports for port in struct.unpack_from("!HH", packet, header))


def open_tun(name: str) -> int:
    """A TUN device of this name, made now and gone when the file is closed. Raises `OSError`."""
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
    return device


def _ip(*arguments: str) -> None:
    subprocess.run(("ip", *arguments), check=True)


def _set_up(namespace: str) -> tuple[int, int]:
    """Both devices, with their addresses."""
    node, school = DEVICE.format("n"), DEVICE.format("s")
    devices = open_tun(node), open_tun(school)
    _ip("link", "set", school, "netns", namespace)
    _ip("address", "add", f"{NODE_ADDRESS}/{PREFIX}", "dev", node)
    _ip("link", "set", node, "up")
    inside = ("-n", namespace)
    _ip(*inside, "address", "add", f"{SCHOOL_ADDRESS}/{PREFIX}", "dev", school)
    _ip(*inside, "link", "set", school, "up")
    _ip(*inside, "link", "set", "lo", "up")
    _ip(*inside, "route", "add", "default", "via", NODE_ADDRESS)
    return devices


class _Joint:
    """Carries packets between the devices as `wire` says."""

    def __init__(self, node: int, school: int, seed: int) -> None:
        self.wire = Wire()
        self.up, self.down = Direction(seed=seed), Direction(seed=seed + 1)
        self._underway = Underway()
        self.tcp_octets = {school: 0, node: 0}  # by where they come from
        loop = asyncio.get_running_loop()
        loop.add_reader(school, self._carry, school, node, self.up)
        loop.add_reader(node, self._carry, node, school, self.down)

    def obey(self, wire: Wire) -> None:
        self.wire = wire
        self.up.conditions, self.down.conditions = wire.up, wire.down
        if wire.up.dark and wire.down.dark:
            self._underway.clear()

    def _carry(self, here: int, there: int, direction: Direction) -> None:
        def deliver(packet: bytes) -> None:
            with suppress(OSError):  # the kernel's queue is full
                os.write(there, packet)

        with suppress(BlockingIOError):
            for _ in range(BATCH):
                packet = os.read(here, LONGEST)
                if packet[0] >> 4 == 4 and packet[9] == TCP:
                    self.tcp_octets[here] += len(packet)
                if self.wire.passes(packet):
                    self._underway.send(packet, direction, deliver)

    def counters(self) -> dict[str, int]:
        up, down = self.tcp_octets.values()
        return {"up_tcp_octets": up, "down_tcp_octets": down} | {
            f"{name}_{what}": getattr(direction, what)
            for name, direction in (("up", self.up), ("down", self.down))
            for what in ("packets", "lost", "overflowed")
        }


async def run(namespace: str) -> None:
    """Until stdin ends."""
    with suppress(PermissionError):
        os.nice(-10)  # as quick as a wire, however busy the browsers are
    joint = _Joint(*_set_up(namespace), seed=1)
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    print("ready", flush=True)
    while line := await reader.readline():
        joint.obey(Wire.from_json(line.decode()))
        print(json.dumps(joint.counters()), flush=True)


if __name__ == "__main__":
    asyncio.run(run(sys.argv[1]))
