"""Hands each datagram on, by its first octet (RFC 7983) and by the address that it came from."""

from collections.abc import Callable, Mapping
from time import monotonic

from webrtc.transport.path import Address, Path, SendTo
from webrtc.transport.peer import Peer
from webrtc.transport.receive import ReceiveBuffer

MAX_DATAGRAM = 1500  # what DTLS and SRTP take; a longer one would end aiortc's DTLS transport
MIN_STUN, MIN_DTLS, MIN_MEDIA = 20, 13, 12  # octets; an SRTCP packet is never shorter than an RTP header either


class Demultiplexer:
    """Hands on the datagrams that sockets and streams put into `received`.

    `peers` is looked up for each datagram, so its owner may change it at any time. STUN is taken from any address,
    everything else from these only. Empty, short, oversized and unknown datagrams are dropped and counted in `refused`.
    """

    def __init__(
        self, *, received: ReceiveBuffer, peers: Mapping[Address, Peer], receive_stun: Callable[[bytes, Path], None]
    ) -> None:
        self.received = received
        self.buffer = received.view
        self.peers = peers
        self.refused = 0
        self._receive_stun = receive_stun

    def receive(self, size: int, address: Address, sendto: SendTo) -> None:
        """Take the `size` octets at the start of the buffer. `sendto`: of the socket that they came in by."""
        buffer = self.buffer
        first = buffer[0] if 0 < size <= MAX_DATAGRAM else 255
        if 128 <= first < 192:
            if size >= MIN_MEDIA and (peer := self.peers.get(address)) is not None:
                received = self.received
                received.sender = address
                peer.receive_media(received, size, monotonic())
                return
        elif first < 4:
            if size >= MIN_STUN:
                self._receive_stun(bytes(buffer[:size]), Path(sendto, address))
                return
        elif 20 <= first < 64 and size >= MIN_DTLS and (peer := self.peers.get(address)) is not None:
            peer.receive_dtls(bytes(buffer[:size]))
            return
        self.refused += 1
