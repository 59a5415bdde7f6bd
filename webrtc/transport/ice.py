"""ICE-lite: we answer connectivity checks and send none (RFC 8445 2.5, 7.3; RFC 8489 for the messages).

One `IceLite` per node finds the session that a check is meant for, by the user name in the check. The client chooses
the address pair, and may choose another one at any time: a check with the right password shows that it has moved.
"""

import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from struct import error as StructError
from time import monotonic

from aioice import stun

from webrtc.transport.path import Address, Path
from webrtc.transport.peer import Peer

# A client that gives no sign for so long no longer wants our packets. A sign is a good check, or any packet that proves
# to be the client's. RFC 9725 4.2 asks for no checks of consent (RFC 7675), and some clients check only where they send
# nothing else. A full agent gives up after 30 s (RFC 7675 5.1). A link may be dead for these 30 s, and the next sign
# takes longer.
CONSENT_S = 45.0
SILENT_S = 4.0  # a path without a sign for so long is left for another one that is checked, nominated or not
OWNED_S = 5.0  # an address goes to another session only after its own one gave no sign on it for so long
MAX_ADDRESSES = 8  # verified addresses kept per session
# A client checks every 50 ms at first, then every 2.5 s. Each verified address is counted by itself. All others are
# counted by their IP, which may be a school's: strangers behind it cannot use up what its members need.
CHECKS_PER_SECOND = 100
MAX_SOURCES = 4096  # IPs of strangers that are counted at once
MAX_STRANGE_CHECKS = 5000  # per second, of all strangers together: a forger of senders has any number of addresses


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """The user name fragment and password that a check must carry (RFC 8445 5.3): 24 and 128 random bits."""

    ufrag: str
    pwd: str

    @staticmethod
    def new() -> "Credentials":
        return Credentials(ufrag=secrets.token_urlsafe(3).translate(_ICE_CHAR), pwd=secrets.token_hex(16))


_ICE_CHAR = str.maketrans("-_", "+/")  # RFC 8839 5.4 has these two where the URL-safe alphabet has the others


class IceSession:
    """Our half of one client's ICE session.

    `peer` gets the packets from the verified addresses. `moved` is called with each path that the client chooses.
    """

    def __init__(self, *, peer: Peer, moved: Callable[[Path], None], now: float) -> None:
        self.peer = peer
        self.credentials = Credentials.new()
        self.previous: Credentials | None = None  # good until the client uses the new ones
        self.path: Path | None = None  # where we send; None before the first good check
        self.verified: dict[Address, float] = {}  # when the last sign came from each, the latest at the end
        self.received_at = now  # the last sign from any of them, or the start
        self.released = False
        self._moved = moved

    def consents(self, now: float) -> bool:
        return now - self.received_at <= CONSENT_S

    def silent(self, now: float) -> bool:
        """Whether no sign has come by the path that we send by."""
        return self.path is None or now - self.verified.get(self.path.address, -2 * SILENT_S) > SILENT_S

    def note_received(self, address: Address, now: float) -> None:
        """Note that a packet of the client's own came from `address`, which is verified."""
        self.received_at = now
        if self.verified.pop(address, None) is not None:
            self.verified[address] = now

    def release(self) -> None:
        """Forget the owner, so that it can go at once."""
        self.released = True
        del self.peer, self._moved

    def choose(self, path: Path) -> None:
        if path != self.path:
            self.path = path
            self._moved(path)


class IceLite:
    """All sessions of a node. `peers`: who sits behind each verified address."""

    def __init__(self) -> None:
        self.peers: dict[Address, Peer] = {}
        self.refused = 0  # checks that were malformed, too many, or for nobody here
        self._sessions: dict[str, IceSession] = {}  # by user name fragment
        self._owners: dict[Address, IceSession] = {}
        self._checks: dict[str | Address, int] = {}  # per source in the current second
        self._second = 0
        self._strange = 0  # checks from addresses that are not verified, in it

    def add(self, session: IceSession) -> None:
        """Answer checks for `session` from now on; it gets other credentials if its own name is taken."""
        if session.credentials.ufrag in self._sessions:  # 24 bits repeat: with 250 sessions once in 67,000
            session.credentials = self._draw()
        self._sessions[session.credentials.ufrag] = session

    def _draw(self) -> Credentials:
        while (drawn := Credentials.new()).ufrag in self._sessions:
            pass
        return drawn

    def remove(self, session: IceSession) -> None:
        """Nothing if it was removed before."""
        if session.released:
            return
        for credentials in (session.credentials, session.previous):
            if credentials is not None and self._sessions.get(credentials.ufrag) is session:
                del self._sessions[credentials.ufrag]
        for address in list(session.verified):
            self._forget(session, address)
        session.release()

    def restart(self, session: IceSession) -> Credentials:
        """New credentials (RFC 8445 9). Packets keep their way until a check with the new ones chooses another."""
        if session.released:  # the session has ended while the client asked
            return session.credentials
        if session.previous is not None:
            self._sessions.pop(session.previous.ufrag, None)
        session.previous, session.credentials = session.credentials, self._draw()
        self._sessions[session.credentials.ufrag] = session
        return session.credentials

    def forget(self, address: Address) -> None:
        """Nobody is at `address` any more: the TCP stream that it named has ended."""
        owner = self._owners.get(address)
        if owner is not None:
            self._forget(owner, address)

    def receive(self, datagram: bytes, path: Path) -> None:
        """Answer a binding request that is meant for one of our sessions; drop all else without an answer."""
        now = monotonic()
        source = path.address if path.address in self.peers else path.address[0]
        if not (self._allowed(source, now) and self._check(datagram, path, now)):
            self.refused += 1

    def _check(self, datagram: bytes, path: Path, now: float) -> bool:
        try:
            request = stun.parse_message(datagram)
        except (ValueError, IndexError, StructError):
            return False
        if (request.message_method, request.message_class) != (stun.Method.BINDING, stun.Class.REQUEST):
            return False
        ufrag = str(request.attributes.get("USERNAME", "")).partition(":")[0]
        session = self._sessions.get(ufrag)
        if session is None:
            return False
        current = ufrag == session.credentials.ufrag
        credentials = session.credentials if current else session.previous
        if credentials is None or not request.check_message_integrity(credentials.pwd.encode()):
            return False
        if "ICE-CONTROLLED" in request.attributes:  # so are we, and a lite agent cannot change that (RFC 8445 7.3.1.1)
            conflict = stun.Message(stun.Method.BINDING, stun.Class.ERROR, request.transaction_id)
            conflict.attributes["ERROR-CODE"] = (487, "Role Conflict")
            self._answer(conflict, credentials, path)
            return False
        if not self._verify(session, path.address, now):
            return False
        if current and session.previous is not None:
            del self._sessions[session.previous.ufrag]
            session.previous = None
        session.received_at = now
        response = stun.Message(stun.Method.BINDING, stun.Class.RESPONSE, request.transaction_id)
        response.attributes["XOR-MAPPED-ADDRESS"] = path.address[:2]
        self._answer(response, credentials, path)
        if "USE-CANDIDATE" in request.attributes or session.silent(now):
            session.choose(path)
        return True

    @staticmethod
    def _answer(response: stun.Message, credentials: Credentials, path: Path) -> None:
        response.add_message_integrity(credentials.pwd.encode())  # and a fingerprint behind it
        with suppress(OSError):  # the client repeats its checks
            path.sendto(bytes(response), path.address)

    def _verify(self, session: IceSession, address: Address, now: float) -> bool:
        """Give `address` to `session`, unless another one is alive there: no member may silence another by spoofing."""
        owner = self._owners.get(address)
        if owner is not None and owner is not session:
            if now - owner.verified[address] < OWNED_S:
                return False
            self._forget(owner, address)
        session.verified.pop(address, None)
        session.verified[address] = now
        self._owners[address] = session
        self.peers[address] = session.peer
        if len(session.verified) > MAX_ADDRESSES:
            used = session.path.address if session.path is not None else address
            self._forget(session, next(old for old in session.verified if old != used))
        return True

    def _forget(self, session: IceSession, address: Address) -> None:
        del session.verified[address]
        del self._owners[address]
        del self.peers[address]

    def _allowed(self, source: str | Address, now: float) -> bool:
        if int(now) != self._second:
            self._second = int(now)
            self._checks.clear()
            self._strange = 0
        count = self._checks.get(source, 0)
        if count >= CHECKS_PER_SECOND:
            return False
        if isinstance(source, str):  # strangers use up nothing that members need
            if self._strange >= MAX_STRANGE_CHECKS or (count == 0 and len(self._checks) >= MAX_SOURCES):
                return False
            self._strange += 1
        self._checks[source] = count + 1
        return True
