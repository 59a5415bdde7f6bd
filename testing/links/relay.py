"""A bad link to a node, without any rights on the machine: a UDP relay that clients dial instead of the node."""

import asyncio
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial

from testing.links.conditions import DARK, GOOD, Conditions, Direction
from testing.links.underway import Underway

Address = tuple[str, int]

HOST = "127.0.0.1"
LONGEST = 2048  # octets, more than any datagram of WebRTC
BATCH = 64  # datagrams per turn of the event loop
MOST_CLIENTS = 64  # addresses that are relayed at once


class Relay:
    """Between clients and the node at UDP port `target` of this machine: `up` is towards the node, `down` from it.

    Each client has a socket of its own on the node's side, so that the node sees as many addresses as there are.
    """

    def __init__(self, target: int, *, seed: int) -> None:
        self.up = Direction(seed=seed)
        self.down = Direction(seed=seed + 1)
        self._target = (HOST, target)
        self._underway = Underway()
        self._inner = _bound()
        self._outer: dict[Address, socket.socket] = {}
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._inner, self._drain_inner)
        self._before: tuple[Conditions, Conditions] | None = None

    @property
    def port(self) -> int:
        port: int = self._inner.getsockname()[1]
        return port

    def set(self, conditions: Conditions) -> None:
        """The same in both directions."""
        self.up.conditions = self.down.conditions = conditions

    def cut(self) -> None:
        """Nothing gets through any more, nor does what is on its way."""
        self._before = (self.up.conditions, self.down.conditions)
        self.set(DARK)
        self._underway.clear()

    def mend(self) -> None:
        """As it was before the cut."""
        self.up.conditions, self.down.conditions = self._before or (GOOD, GOOD)

    def move(self) -> None:
        """From now on, the clients come from other addresses, as after a router has forgotten theirs."""
        for outer in self._outer.values():
            self._close(outer)
        self._outer.clear()

    def lead_here(self, answer: str) -> str:
        """The node's answer with this relay as its only candidate."""
        ours = f"a=candidate:1 1 udp 2130706431 {HOST} {self.port} typ host\r\n"
        return re.sub(r"(a=candidate:.*\r\n)+", ours, answer)

    def close(self) -> None:
        self.move()
        self._underway.clear()
        self._close(self._inner)

    def _close(self, each: socket.socket) -> None:
        self._loop.remove_reader(each)
        each.close()

    def _drain_inner(self) -> None:
        with suppress(BlockingIOError):
            for _ in range(BATCH):
                packet, client = self._inner.recvfrom(LONGEST)
                self._underway.send(packet, self.up, partial(self._send_up, client))

    def _send_up(self, client: Address, packet: bytes) -> None:
        outer = self._outer.get(client)
        if outer is None:
            if len(self._outer) >= MOST_CLIENTS:
                return
            outer = self._outer[client] = _bound()
            self._loop.add_reader(outer, self._drain_outer, outer, client)
        with suppress(OSError):  # full: one more that is lost
            outer.sendto(packet, self._target)

    def _drain_outer(self, outer: socket.socket, client: Address) -> None:
        with suppress(BlockingIOError):
            for _ in range(BATCH):
                packet = outer.recv(LONGEST)
                self._underway.send(packet, self.down, partial(self._send_down, client))

    def _send_down(self, client: Address, packet: bytes) -> None:
        with suppress(OSError):
            self._inner.sendto(packet, client)


def _bound() -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    made.bind((HOST, 0))
    return made


@contextmanager
def relay(target: int, *, seed: int = 1) -> Iterator[Relay]:
    """A good link at first."""
    made = Relay(target, seed=seed)
    try:
        yield made
    finally:
        made.close()
