"""DTLS-SRTP by aiortc (RFC 5764). The only file that knows private names of aiortc.

aiortc does the handshake and derives the keys; it never sees RTP (`webrtc/transport/srtp.py`).
`tests/webrtc/test_dtls_contract.py` holds each private name that is used here against the pinned version.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress

from aiortc import RTCCertificate, RTCDtlsFingerprint, RTCDtlsParameters, RTCDtlsTransport

from webrtc.errors import HandshakeFailed
from webrtc.transport.srtp import SrtpKeys

logger = logging.getLogger(__name__)

MAX_WAITING = 32  # DTLS datagrams not read yet; a handshake has about ten
HANDSHAKE_S = 30.0  # a round trip may take 2 s, and on a lossy link some are repeated


class Certificate:
    """The node's certificate, new with each start: peers recognise it by the fingerprint in the answer (RFC 8122)."""

    def __init__(self) -> None:
        self.rtc = RTCCertificate.generateCertificate()
        [self.fingerprint] = (f.value for f in self.rtc.getFingerprints() if f.algorithm == "sha-256")


class _LiteTransport:
    """What `RTCDtlsTransport` needs of an ICE transport, on a socket that is read elsewhere."""

    role = "controlled"
    state = "completed"

    def __init__(self, send: Callable[[bytes], None]) -> None:
        self._send_datagram = send
        self._received: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._closed = False

    def deliver(self, datagram: bytes) -> None:
        """Hand a datagram to aiortc; dropped if too many wait, as DTLS repeats what it misses."""
        if self._received.qsize() < MAX_WAITING and not self._closed:
            self._received.put_nowait(datagram)

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._received.put_nowait(None)

    def let_go(self) -> None:
        """Forget the owner."""
        self._send_datagram = lambda datagram: None

    async def _recv(self) -> bytes:
        datagram = await self._received.get()
        if datagram is None:
            raise ConnectionError
        return datagram

    async def _send(self, datagram: bytes) -> None:
        self._send_datagram(datagram)


def _ignore() -> None:
    pass


class DtlsTransport:
    """One DTLS association. `send` puts a datagram on the way to the peer.

    `on_record`: called when a record proves to be the peer's. Its content, as of a data channel, is of no use here.
    """

    def __init__(self, *, certificate: Certificate, send: Callable[[bytes], None]) -> None:
        self._ice = _LiteTransport(send)
        self._dtls = RTCDtlsTransport(self._ice, [certificate.rtc])  # type: ignore[arg-type]  # all it uses is there
        self._ended = asyncio.Event()
        self.on_record: Callable[[], None] = _ignore
        self._dtls._register_data_receiver(self)
        self._dtls.on("statechange", self._state_changed)

    def receive(self, datagram: bytes) -> None:
        """Take in a datagram that came from the peer: 1 to 1,500 octets, the first one 20 to 63."""
        self._ice.deliver(datagram)

    async def connect(self, *, role: str, fingerprints: Sequence[tuple[str, str]]) -> tuple[SrtpKeys, SrtpKeys]:
        """The keys for receiving and for sending. `role`: ours, "client" or "server". Raises `HandshakeFailed`."""
        self._dtls._set_role(role)
        expected = [RTCDtlsFingerprint(algorithm=algorithm, value=value) for algorithm, value in fingerprints]
        try:
            async with asyncio.timeout(HANDSHAKE_S):
                await self._dtls.start(RTCDtlsParameters(fingerprints=expected))
        except TimeoutError as error:
            raise HandshakeFailed(f"no DTLS association within {HANDSHAKE_S:.0f} s") from error
        if self._dtls.state != "connected":
            raise HandshakeFailed("the peer's certificate or its SRTP profiles do not fit the offer")
        return SrtpKeys(self._dtls._rx_srtp), SrtpKeys(self._dtls._tx_srtp)

    def end(self) -> None:
        """Have `wait_ended` return, as if the peer had ended the association."""
        self._ended.set()

    async def wait_ended(self) -> None:
        """Return once the peer has ended the association."""
        await self._ended.wait()

    async def close(self) -> None:
        """End the association with an alert to the peer; once this returns, nothing of it runs."""
        reading = self._dtls._task
        self._ice.close()
        await self._dtls.stop()
        if reading is not None:
            with suppress(asyncio.CancelledError, ConnectionError):
                await reading
        # Leave no cycle: what OpenSSL holds of an association then goes now, not when Python looks for cycles.
        self._dtls.remove_all_listeners()
        self._dtls._unregister_data_receiver(self)
        self.on_record = _ignore
        self._ice.let_go()

    async def _handle_data(self, data: bytes) -> None:
        """Called by `RTCDtlsTransport` with the content of each record."""
        self.on_record()

    def _state_changed(self) -> None:
        if self._dtls.state in ("closed", "failed"):
            self._ended.set()
