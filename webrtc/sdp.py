"""SDP offers in, our ICE-lite answers out. Pure functions: no sockets, no clock, no randomness (RFC 8866, RFC 9429).

A browser, an encoder or a player offers; the node only ever answers. What the answer promises is kept by the bridge:
one transport for all media (BUNDLE, RFC 9143), RTP and RTCP on one port (RFC 5761), ICE-lite (RFC 8445 2.5), and for
each slot we send on one SSRC that never changes (RFC 5576).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["audio", "video", "application"]
DtlsRole = Literal["client", "server"]
Setup = Literal["actpass", "active", "passive"]
Direction = Literal["sendrecv", "sendonly", "recvonly", "inactive"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An address where this node takes UDP packets (RFC 8839 5.1)."""

    ip: str
    port: int
    priority: int
    type: str = "host"


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalParameters:
    """What the node brings into an answer. `fingerprint`: SHA-256 as hexadecimal pairs with colons."""

    ufrag: str
    pwd: str
    fingerprint: str
    candidates: tuple[Candidate, ...]
    ssrc_for: Callable[[str], int]  # mid of a slot we send on -> its SSRC
    cname: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Codec:
    """One way to encode a section's media. `name` in capitals, as "VP8", "H264", "OPUS"; `channels` is 1 for video."""

    name: str
    payload_type: int
    clock_rate: int
    channels: int = 1
    parameters: Mapping[str, str] = field(default_factory=dict)
    feedback: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedSection:
    """One m-line of an offer. `rids` in the order of a=simulcast's send list, empty without simulcast (RFC 8853)."""

    mid: str
    kind: Kind
    protocol: str
    port: int
    formats: tuple[str, ...]
    direction: Direction
    codecs: tuple[Codec, ...]
    extensions: Mapping[str, int]  # URI -> id (RFC 8285)
    ssrcs: tuple[int, ...]
    rids: tuple[str, ...]
    rtcp_mux: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    ufrag: str
    pwd: str
    fingerprints: tuple[tuple[str, str], ...]  # (algorithm in lower case, value in capitals)
    setup: Setup
    bundle: tuple[str, ...]
    sections: tuple[OfferedSection, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """What was agreed for one m-line: codecs with the offerer's payload types, the one we prefer first."""

    mid: str
    kind: Kind
    rejected: bool
    codecs: tuple[Codec, ...] = ()
    extensions: Mapping[str, int] = field(default_factory=dict)
    remote_ssrcs: tuple[int, ...] = ()
    local_ssrc: int | None = None
    rids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    text: str
    dtls_role: DtlsRole  # ours
    sections: tuple[Section, ...]


def parse_offer(text: str) -> Offer:
    """The offer in `text`. Raises `InvalidSdp`, nothing else, whatever the text."""
    raise NotImplementedError


def make_answer(offer: Offer, *, sending: bool, local: LocalParameters) -> Answer:
    """Our answer to `offer`. `sending`: we are the one who sends (WHEP); otherwise we receive (WHIP).

    Raises `InvalidSdp` where no m-line can be accepted.
    """
    raise NotImplementedError
