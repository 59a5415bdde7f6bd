"""The peer behind an address that ICE has verified: a connection, as far as the transport knows it."""

from typing import Protocol

from webrtc.transport.receive import ReceiveBuffer


class Peer(Protocol):
    """Its methods do not raise."""

    def receive_dtls(self, datagram: bytes) -> None: ...

    def receive_media(self, received: ReceiveBuffer, size: int, now: float) -> None:
        """SRTP or SRTCP: the `size` octets at the start of `received`, there until this returns."""
