"""Taking in what has come at a UDP socket, a few datagrams at a time."""

import logging
from collections.abc import Callable
from socket import socket

from webrtc.transport.path import Address, SendTo
from webrtc.transport.srtp import PacketBuffer

logger = logging.getLogger(__name__)

# Datagrams taken in at once, before what goes out because of them leaves. More of them would make that late, and a
# subscriber would take it for a queue.
HELD = 16

# Takes the datagram that lies at the start of the buffer: its octets, its sender, and the `sendto` of its socket.
Take = Callable[[int, Address, SendTo], None]


class ReceiveBuffer(PacketBuffer):
    """The memory that all sockets and streams of a node receive into: each datagram lies at its start, until the next.

    SRTP is unprotected there, in place. `sender`: the address that the packet of media came from.
    """

    sender: Address = ("", 0)


class Inbox:
    """Takes in what comes at one socket."""

    def receive(self, socket: socket, buffer: memoryview, take: Take, sendto: SendTo, /) -> int:
        """Take in at most `HELD` datagrams that have come at `socket`; how many there were.

        Each is put at the start of `buffer`, cut off where it is longer. Then `take` is called.
        """
        receive = socket.recvfrom_into
        for count in range(HELD):
            try:
                size, address = receive(buffer)
            except BlockingIOError:
                return count
            except OSError as error:  # the ICMP answer to something sent earlier; the socket itself works
                logger.debug("udp: %s", error)
                continue
            take(size, address, sendto)
        return HELD
