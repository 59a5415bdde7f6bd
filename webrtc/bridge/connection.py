"""One WebRTC connection of a participant's client: ICE, DTLS-SRTP, and the packets of one direction."""

import asyncio
import logging
import secrets
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from time import monotonic, time
from typing import ClassVar

from webrtc.errors import InvalidPacket, InvalidSdp
from webrtc.forwarding.engine import Engine
from webrtc.forwarding.forward import Forwarder
from webrtc.rtp import rtcp
from webrtc.rtp.packet import Elements, is_rtcp
from webrtc.sdp.answer import make_answer
from webrtc.sdp.offer import Answer, Candidate, LocalParameters, Offer
from webrtc.shared.ids import ClientId, ConnectionId, ParticipantId
from webrtc.shared.state import LinkState
from webrtc.transport.dtls import Certificate, DtlsTransport
from webrtc.transport.ice import IceLite, IceSession
from webrtc.transport.path import Path
from webrtc.transport.receive import ReceiveBuffer
from webrtc.transport.srtp import PacketBuffer, SrtpKeys, protect_rtcp, unprotect_rtcp, unprotect_rtp

logger = logging.getLogger(__name__)

WEAK_S = 5.0  # a connection without a sign of the client for so long is weak
LOST_S = 15.0  # a connection without one for so long is lost
NOTED_S = 0.25  # between two packets that are noted as signs: to note each would cost time for nothing
REPORT_S = 1.0  # between RTCP reports
# What one client may send, so that none takes the time of others. A room with four cameras in layers needs a third.
MAX_PACKETS_PER_S = 6000
MAX_REPORTED_PER_S = 64 << 10  # octets of RTCP; a browser with nine pictures sends 6,000
MAX_SOURCES = 256  # SSRCs of one client, used or not: libsrtp keeps some memory for each while the connection lasts
NTP_EPOCH_S = 2_208_988_800  # 1970 in seconds since 1900

_STARTED_NTP_S = time() - monotonic() + NTP_EPOCH_S


def ntp_now_s() -> float:
    """Seconds since 1900, by the wall clock at the start of the process: setting that clock moves no lips."""
    return _STARTED_NTP_S + monotonic()


@dataclass(frozen=True, slots=True, kw_only=True)
class Transport:
    """What all connections of a node share."""

    ice: IceLite
    certificate: Certificate
    candidates: tuple[Candidate, ...]
    engine: Engine
    forwarder: Forwarder  # of that engine
    reports: PacketBuffer  # to build RTCP in


class Connection(ABC):
    """The resource of WHIP or WHEP. `run` serves it until it ends; cancelling `run` closes it.

    `changed`: called when it has connected, and when there is more or less for others to see or hear. `state_changed`:
    called when nothing but its reported state has changed. Raises `InvalidSdp` for an offer that cannot be answered.
    """

    sending: ClassVar[bool]  # whether media goes out: WHEP

    def __init__(
        self,
        *,
        transport: Transport,
        participant: ParticipantId,
        client: ClientId,
        offer: Offer,
        changed: Callable[[], None],
        state_changed: Callable[[], None],
    ) -> None:
        now = monotonic()
        self.id = ConnectionId(secrets.token_urlsafe(18))
        self.participant = participant
        self.client = client
        self.ssrc = secrets.randbits(32)  # ours, as a sender of RTCP
        self.cname = secrets.token_urlsafe(12)
        self.connected = False
        self.refused = 0  # packets before DTLS, not authentic, malformed, too many, or of no track
        self.dropped = 0  # DTLS and RTCP that the kernel did not take; both are repeated anyway
        self.changed = changed
        self.state_changed = state_changed
        self._transport = transport
        self._open_packet = transport.engine.open_packet  # bound once: it is called for every packet that comes in
        self.offer = offer
        self._ice = IceSession(peer=self, moved=self._moved, now=now)
        transport.ice.add(self._ice)  # before the answer names it
        self._reachable = asyncio.Event()
        self._dtls = DtlsTransport(certificate=transport.certificate, send=self._send)
        self._dtls.on_record = self._note_record
        self._receiving: SrtpKeys | None = None
        self._sending: SrtpKeys | None = None
        self._noted_until = now  # until then no packet is noted as a sign
        self._sources_seen: set[int] = set()
        self._counted_until = 0.0  # the end of the second for which the next two count
        self._counted = 0  # authentic packets
        self._reported = 0  # octets of RTCP in them
        try:
            self._answer = make_answer(offer, sending=self.sending, local=self._local_parameters())
        except InvalidSdp:
            self.discard()
            raise

    def _local_parameters(self) -> LocalParameters:
        return LocalParameters(
            ufrag=self._ice.credentials.ufrag,
            pwd=self._ice.credentials.pwd,
            fingerprint=self._transport.certificate.fingerprint,
            candidates=self._transport.candidates,
            ssrcs_for=self.ssrcs_for,
            cname=self.cname,
        )

    def discard(self) -> None:
        """Remove its ICE session from the node, where it does not run, or no longer."""
        self._transport.ice.remove(self._ice)

    @property
    def answer(self) -> Answer:
        return self._answer

    @property
    def answer_text(self) -> str:
        return self._answer.text

    @property
    def etag(self) -> str:
        """Names the ICE session (RFC 9725 4.3.2); another one after `restart_ice`."""
        return self._ice.credentials.ufrag

    def restart_ice(self, ufrag: str, pwd: str) -> tuple[str, str]:
        """Restart ICE (RFC 8445 9): our new user name fragment and password. Media goes on in the meantime.

        The client's `ufrag` and `pwd` are not needed: an ICE-lite agent sends no checks.
        """
        credentials = self._transport.ice.restart(self._ice)
        return credentials.ufrag, credentials.pwd

    async def run(self) -> None:
        """Connect, then serve until the client ends it, or until cancelled. Raises `HandshakeFailed`."""
        try:
            await self._reachable.wait()
            self._receiving, self._sending = await self._dtls.connect(
                role=self._answer.dtls_role, fingerprints=self.offer.fingerprints
            )
            self.connected = True
            logger.info("connection %s: connected", self.label)
            self.opened(self._sending, self._path)
            self.changed()
            await self._dtls.wait_ended()
        finally:
            self.connected = False
            self.closed()
            self.discard()
            await self._dtls.close()

    def note_source(self, ssrc: int) -> bool:
        """Note an SSRC of the client; False, and the end of the connection, where there are too many."""
        self._sources_seen.add(ssrc)
        if len(self._sources_seen) <= MAX_SOURCES:
            return True
        self._sources_seen.clear()
        logger.warning("connection %s: ended, as it has more than %d sources", self.label, MAX_SOURCES)
        self.end()
        return False

    def end(self) -> None:
        """Have `run` return soon, as if the client had ended it."""
        self._dtls.end()

    @property
    def label(self) -> str:
        """For the log: no secret, and no name of a person."""
        return f"{self.participant}/{self.client} {'subscription' if self.sending else 'publication'} {self.id[:6]}"

    def consents(self, now: float) -> bool:
        """Whether the client still wants our packets: it gave a sign recently."""
        return self._ice.consents(now)

    def link_state(self, now: float) -> LinkState:
        silence_s = now - self._ice.received_at
        if not self.connected or silence_s > LOST_S:
            return LinkState.LOST
        return LinkState.WEAK if silence_s > WEAK_S else LinkState.GOOD

    # -- for the two directions

    @abstractmethod
    def ssrcs_for(self, mid: str) -> tuple[int, int]:
        """The SSRCs that we send with in section `mid`: of the media, and of its retransmissions."""

    @abstractmethod
    def opened(self, keys: SrtpKeys, path: Path) -> None:
        """Packets may go out, with `keys`, on `path`."""

    def closed(self) -> None:  # noqa: B027  # a publication has nothing to do here
        """Nothing goes out any more."""

    def release(self) -> None:  # noqa: B027  # a subscription has nothing to do here
        """Let go of large memory, once it has left its bridge: Python finds reference cycles late."""

    def moved(self, path: Path) -> None:  # noqa: B027  # a publication has nothing to do here
        """The client is reached by another path now."""

    @abstractmethod
    def receive_rtp(self, packet: bytes, elements: Elements, now: float) -> None:
        """Take in a plain packet of the client, and what its header extension held."""

    @abstractmethod
    def receive_rtcp(self, packet: rtcp.Packet, now: float) -> None:
        """Take in what the client reports or asks for."""

    @abstractmethod
    def tick(self, now: float) -> None:
        """Do what is due; called about every 50 ms."""

    def send_rtcp(self, packets: Iterable[rtcp.Packet]) -> None:
        """Send one compound packet, or drop it."""
        keys, buffer = self._sending, self._transport.reports
        if keys is None:
            return
        compound = rtcp.compound(packets)
        buffer.view[: len(compound)] = compound
        buffer.length[0] = len(compound)
        if protect_rtcp(keys.context, buffer.memory, buffer.length) == 0:
            self._send(bytes(buffer.view[: buffer.length[0]]))

    # -- `path.Peer`

    def receive_dtls(self, datagram: bytes) -> None:
        self._dtls.receive(datagram)

    def _note_record(self) -> None:
        self._ice.received_at = monotonic()

    def receive_media(self, received: ReceiveBuffer, size: int, now: float) -> None:
        keys = self._receiving
        if now >= self._counted_until:
            self._counted_until, self._counted, self._reported = now + 1.0, 0, 0
        if keys is None or self._counted >= MAX_PACKETS_PER_S:
            self.refused += 1
            return
        view, length = received.view, received.length
        length[0] = size
        control = is_rtcp(view)
        if (unprotect_rtcp if control else unprotect_rtp)(keys.context, received.memory, length):
            self.refused += 1
            return
        if now >= self._noted_until:
            self._noted_until = now + NOTED_S
            self._ice.note_received(received.sender, now)
        self._counted += 1  # no forged ones, or a stranger could silence this client
        try:
            if control:
                self._reported += size
                if self._reported > MAX_REPORTED_PER_S:
                    self.refused += 1
                    return
                self.note_source(int.from_bytes(view[4:8], "big"))
                for report in rtcp.parse(bytes(view[: length[0]]), self._transport.engine.read_feedback):
                    self.receive_rtcp(report, now)
            else:
                packet, elements = self._open_packet(view[: length[0]])
                self.receive_rtp(packet, elements, now)
        except InvalidPacket as error:
            self.refused += 1
            logger.debug("connection %s: %s", self.label, error)
        except Exception:  # noqa: BLE001  # the rim of one datagram: a fault in it ends its connection, not the lesson
            logger.exception("connection %s: ended by a fault", self.label)
            self.end()

    # -- ICE

    @property
    def _path(self) -> Path:
        assert self._ice.path is not None  # DTLS came up over it
        return self._ice.path

    def _moved(self, path: Path) -> None:
        if self._reachable.is_set():
            logger.info("connection %s: the client has moved", self.label)
            self.moved(path)
        self._reachable.set()

    def _send(self, datagram: bytes) -> None:
        path = self._ice.path
        if path is not None:
            try:
                path.sendto(datagram, path.address)
            except OSError:
                self.dropped += 1
