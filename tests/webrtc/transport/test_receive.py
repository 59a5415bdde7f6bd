"""What comes in at a socket, by each engine: all of it, in order, with the addresses that Python gives."""

from collections.abc import Iterator
from contextlib import contextmanager
from socket import AF_INET, AF_INET6, SO_RCVBUF, SOCK_DGRAM, SOCK_NONBLOCK, SOL_SOCKET, socket

import pytest

from webrtc.forwarding import engines
from webrtc.transport.path import Address, SendTo
from webrtc.transport.receive import HELD, Inbox

pytestmark = pytest.mark.usefixtures("each_engine")

MANY = 5000  # more addresses than are kept
BUFFER = 2048


@contextmanager
def bound(host: str) -> Iterator[socket]:
    with socket(AF_INET6 if ":" in host else AF_INET, SOCK_DGRAM | SOCK_NONBLOCK) as each:
        each.setsockopt(SOL_SOCKET, SO_RCVBUF, 4 << 20)
        each.bind((host, 0))
        yield each


class Reader:
    """Takes in at `node`, and notes what came. `fault`: octets at which it raises."""

    def __init__(self, node: socket, fault: int = -1) -> None:
        self.node = node
        self.inbox: Inbox = engines.chosen.inbox()
        self.buffer = memoryview(bytearray(BUFFER))
        self.fault = fault
        self.came: list[tuple[bytes, Address]] = []

    def read(self) -> int:
        return self.inbox.receive(self.node, self.buffer, self._take, self.node.sendto)

    def _take(self, size: int, address: Address, sendto: SendTo) -> None:
        if size == self.fault:
            raise LookupError("a fault of ours")
        assert sendto == self.node.sendto
        self.came.append((bytes(self.buffer[:size]), address))


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_everything_comes_in_order_with_its_address(host: str) -> None:
    with bound(host) as node, bound(host) as one, bound(host) as other:
        reader = Reader(node)
        assert reader.read() == 0
        sent = [(bytes((i,)) * i, (one, other)[i % 3 > 0]) for i in range(2 * HELD + 5)]
        for datagram, sender in sent:
            sender.sendto(datagram, node.getsockname())
        assert [reader.read() for _ in range(4)] == [HELD, HELD, 5, 0]
        assert reader.came == [(datagram, sender.getsockname()) for datagram, sender in sent]


def test_long_datagram_is_cut_off() -> None:
    with bound("127.0.0.1") as node, bound("127.0.0.1") as client:
        reader = Reader(node)
        for size in (BUFFER, BUFFER + 1, 60_000, 3):
            client.sendto(b"." * size, node.getsockname())
        assert reader.read() == 4
        assert [len(datagram) for datagram, _ in reader.came] == [BUFFER, BUFFER, BUFFER, 3]


def test_fault_in_one_datagram_costs_no_other() -> None:
    with bound("127.0.0.1") as node, bound("127.0.0.1") as client:
        reader = Reader(node, fault=7)
        for size in (1, 7, 2, 7, 3):
            client.sendto(b"." * size, node.getsockname())
        faults = 0
        for _ in range(5):
            try:
                reader.read()
            except LookupError:
                faults += 1
        assert faults > 0
        assert [len(datagram) for datagram, _ in reader.came] == [1, 2, 3]


def test_answer_that_a_port_is_closed_costs_no_datagram() -> None:
    with bound("127.0.0.1") as node, bound("127.0.0.1") as client:
        with bound("127.0.0.1") as gone:
            address = gone.getsockname()
        node.connect(address)  # only then is it told to the socket
        node.send(b"is somebody there?")
        node.connect(client.getsockname())
        client.sendto(b"yes", node.getsockname())
        reader = Reader(node)
        assert 1 <= reader.read() <= 2
        assert [datagram for datagram, _ in reader.came] == [b"yes"]


def test_more_strangers_than_anybody_keeps() -> None:
    with bound("127.0.0.1") as node:
        reader, expected = Reader(node), []
        for i in range(MANY):
            with bound(f"127.0.{1 + i // 250}.{1 + i % 250}") as stranger:
                stranger.sendto(b"?", node.getsockname())
                expected.append((b"?", stranger.getsockname()))
            if i % HELD == HELD - 1:
                reader.read()
        reader.read()
        assert reader.came == expected


@pytest.mark.parametrize("place", range(4))
def test_what_is_no_argument_ends_nothing(place: int) -> None:
    with bound("127.0.0.1") as node, bound("127.0.0.1") as client:
        reader = Reader(node)
        for strange in (None, -1, 1 << 70, "text", b"read only", object()):
            client.sendto(b"a datagram", node.getsockname())
            arguments: list[object] = [node, reader.buffer, lambda size, address, sendto: None, node.sendto]
            arguments[place] = strange
            try:
                reader.inbox.receive(*arguments)  # type: ignore[arg-type]  # on purpose
            except SystemError:  # of Python's C interface, which is used wrongly then
                raise
            except Exception:  # noqa: BLE001, S110  # whatever it is, the process goes on
                pass
        while reader.read():
            pass
        client.sendto(b"a datagram", node.getsockname())
        assert reader.read() == 1
