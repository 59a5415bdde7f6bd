"""A path: how datagrams reach a client. To ICE and to the forwarder UDP and TCP look the same."""

from collections.abc import Callable
from socket import socket
from types import BuiltinMethodType
from typing import NamedTuple

# As `recvfrom` gives it: host and port, for IPv6 also flow and scope. The address of a TCP stream has "tcp" as its
# third part, so that it equals no address of UDP.
Address = tuple[str, int] | tuple[str, int, int, int] | tuple[str, int, str]

# Puts a datagram on its way to an address at once, or raises `OSError`. For UDP it is the method of the socket.
SendTo = Callable[[memoryview | bytes, Address], object]


class Path(NamedTuple):
    sendto: SendTo
    address: Address

    @property
    def socket(self) -> socket | None:
        """The UDP socket that `sendto` is of; None where it is of something else."""
        by = self.sendto.__self__ if isinstance(self.sendto, BuiltinMethodType) else None
        return by if isinstance(by, socket) else None
