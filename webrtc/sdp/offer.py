"""The contents of SDP as types, and reading an offer (RFC 8866, RFC 9429). Pure: no sockets, no clock, no randomness.

A browser, an encoder or a player offers; the node only answers (`answer.py`). What the bridge does not use of an offer
is left out; unknown lines and attributes are skipped, as RFC 8866 5 asks.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Literal, cast, get_args

from webrtc.errors import InvalidSdp, UnsupportedSdp

Kind = Literal["audio", "video", "application"]
DtlsRole = Literal["client", "server"]
Setup = Literal["actpass", "active", "passive"]
Direction = Literal["sendrecv", "sendonly", "recvonly", "inactive"]

MAX_LENGTH = 256 * 1024  # Chromium writes about 7 kB per m-line; a wall of 21 rooms fits
MAX_SECTIONS = 64
MAX_FORMATS = 128  # of one m-line: as many as there are payload types
MAX_SSRCS = 64  # kept of one m-line; four layers with their retransmissions have eight
FEEDBACK = frozenset({"nack", "nack pli", "ccm fir", "goog-remb", "transport-cc"})
MAIN, SLIDES = "main", "slides"  # a=content (RFC 4796 5): what a picture shows; main where the attribute is missing


FINGERPRINT_LENGTHS = {"sha-256": 32, "sha-384": 48, "sha-512": 64}  # bytes

_TOKEN = re.compile(r"[!#$%&'*+\-.0-9A-Z^_`a-z{|}~]{1,64}", re.ASCII)  # RFC 8866 9
_ICE_UFRAG = re.compile(r"[A-Za-z0-9+/]{4,256}", re.ASCII)  # RFC 8839 5.4
_ICE_PWD = re.compile(r"[A-Za-z0-9+/]{22,256}", re.ASCII)
_HEX_PAIRS = re.compile(r"[0-9A-F]{2}(:[0-9A-F]{2})*", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An address where this node takes packets (RFC 8839 5.1), over TCP as the passive side (RFC 6544 4.5)."""

    ip: str
    port: int
    priority: int
    transport: Literal["udp", "tcp"] = "udp"
    type: str = "host"


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalParameters:
    """What the node brings into an answer. `fingerprint`: SHA-256 as hexadecimal pairs with colons."""

    ufrag: str
    pwd: str
    fingerprint: str
    candidates: tuple[Candidate, ...]
    ssrcs_for: Callable[[str], tuple[int, int]]  # mid of a slot we send on -> its SSRC and that of its retransmissions
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
    """One m-line of an offer.

    `rids`: in the order of a=simulcast's send list, empty without simulcast (RFC 8853). `repairs`: SSRC of
    retransmissions -> SSRC of the media (RFC 4588 8.8). `content`: as "main" or "slides" (RFC 4796).
    """

    mid: str
    kind: Kind
    protocol: str
    enabled: bool  # port not 0, or bundle-only (RFC 9143 6)
    formats: tuple[str, ...]
    direction: Direction
    codecs: tuple[Codec, ...]
    extensions: Mapping[str, int]  # URI -> id (RFC 8285)
    ssrcs: tuple[int, ...]  # of the media itself
    repairs: Mapping[int, int]
    rids: tuple[str, ...]
    content: str
    rtcp_mux: bool
    rtcp_rsize: bool
    bundle_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """`ufrag`, `pwd`, `fingerprints`, `setup` are those of the section that names the BUNDLE transport."""

    ufrag: str
    pwd: str
    fingerprints: tuple[tuple[str, str], ...]  # (algorithm in lower case, value in capitals)
    setup: Setup
    bundle: tuple[str, ...]
    sections: tuple[OfferedSection, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """What was agreed for one m-line: codecs with the offerer's payload types, in the offerer's order.

    `rtx`: payload type of retransmissions -> payload type of what they repeat. `rids`: the simulcast layers that come.
    """

    mid: str
    kind: Kind
    rejected: bool
    codecs: tuple[Codec, ...] = ()
    extensions: Mapping[str, int] = field(default_factory=dict)
    rtx: Mapping[int, int] = field(default_factory=dict)
    remote_ssrcs: tuple[int, ...] = ()
    repairs: Mapping[int, int] = field(default_factory=dict)
    local_ssrc: int | None = None
    local_rtx_ssrc: int | None = None  # None where the offerer takes no retransmissions of their own
    rids: tuple[str, ...] = ()
    content: str = MAIN


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    text: str
    dtls_role: DtlsRole  # ours
    sections: tuple[Section, ...]


class Attributes:
    """The a= lines of the session or of one section, in order."""

    def __init__(self) -> None:
        self._lines: list[tuple[str, str]] = []

    def add(self, line: str) -> None:
        name, _, value = line.partition(":")
        self._lines.append((name, value.strip()))

    def all(self, name: str) -> Iterator[str]:
        return (value for key, value in self._lines if key == name)

    def first(self, name: str) -> str | None:
        return next(self.all(name), None)

    def numbered(self, name: str) -> Iterator[tuple[str, str]]:
        """The attributes that begin with a number or "*" (rtpmap, fmtp, rtcp-fb, ssrc), cut in two there."""
        for value in self.all(name):
            number, _, rest = value.partition(" ")
            yield number, rest.strip()


@dataclass(slots=True)
class Media:
    """One m-line, without its "m=", and its attributes."""

    line: str
    attributes: Attributes


def parse_offer(text: str) -> Offer:
    """The offer in `text`. Raises `InvalidSdp` (or its `UnsupportedSdp`), nothing else, whatever the text."""
    session, media = read_lines(text)
    if not text.startswith(("v=0\n", "v=0\r\n")):
        raise InvalidSdp("does not begin with v=0", reference="RFC 8866 5.1")
    if not media:
        raise InvalidSdp("no m-line", reference="RFC 8866 5.14")
    sections = tuple(_read_section(session, each) for each in media)
    if len({section.mid for section in sections}) != len(sections):
        raise InvalidSdp("a mid is used twice", reference="RFC 5888 8.1")
    bundle = _read_bundle(session, sections)
    tagged = next((each for each in bundle if not _by_mid(sections, each).bundle_only), bundle[0])
    transport = next(each.attributes for each in media if each.attributes.first("mid") == tagged)
    sections = tuple(_with_transport(section, _by_mid(sections, tagged)) for section in sections)
    return Offer(
        ufrag=read_ice(transport, session, "ice-ufrag"),
        pwd=read_ice(transport, session, "ice-pwd"),
        fingerprints=_read_fingerprints(transport, session),
        setup=_read_setup(transport, session),
        bundle=bundle,
        sections=sections,
    )


def read_lines(text: str) -> tuple[Attributes, list[Media]]:
    """The attributes of the session, and the m-lines with theirs. Raises `InvalidSdp`."""
    if len(text) > MAX_LENGTH:
        raise InvalidSdp(f"longer than {MAX_LENGTH} characters", reference="RFC 8866 5")
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    while lines and not lines[-1]:
        lines.pop()
    session, media = Attributes(), list[Media]()
    for line in lines:
        if len(line) < 2 or line[1] != "=" or "\r" in line or "\0" in line:
            raise InvalidSdp("a line is not <type>=<value>", reference="RFC 8866 5")
        if line.startswith("m="):
            if len(media) == MAX_SECTIONS:
                raise UnsupportedSdp(f"more than {MAX_SECTIONS} m-lines", reference="RFC 9725 4.4.2")
            media.append(Media(line[2:], Attributes()))
        elif line.startswith("a="):
            (media[-1].attributes if media else session).add(line[2:])
    return session, media


def _read_section(session: Attributes, media: Media) -> OfferedSection:
    kind, port, protocol, formats = _read_media_line(media.line)
    attributes = media.attributes
    mid = attributes.first("mid")
    if mid is None or not _TOKEN.fullmatch(mid):
        raise InvalidSdp("an m-line has no mid", reference="RFC 9143 7.1")
    bundle_only = attributes.first("bundle-only") is not None
    return OfferedSection(
        mid=mid,
        kind=kind,
        protocol=protocol,
        enabled=port != 0 or bundle_only,
        bundle_only=port == 0 and bundle_only,
        formats=formats,
        direction=_read_direction(attributes, session),
        codecs=tuple(_read_codecs(formats, attributes)) if kind != "application" else (),
        extensions=_read_extensions(attributes),
        ssrcs=_read_ssrcs(attributes),
        repairs=_read_repairs(attributes),
        rids=_read_rids(attributes),
        content=SLIDES if SLIDES in (attributes.first("content") or "").split(",") else MAIN,
        rtcp_mux=attributes.first("rtcp-mux") is not None,
        rtcp_rsize=attributes.first("rtcp-rsize") is not None,
    )


def _by_mid(sections: tuple[OfferedSection, ...], mid: str) -> OfferedSection:
    return next(section for section in sections if section.mid == mid)


def _with_transport(section: OfferedSection, tagged: OfferedSection) -> OfferedSection:
    """`section`; if it is bundle-only, with what the tagged one says of their transport (RFC 9429 5.2.1)."""
    if not section.bundle_only:
        return section
    return replace(
        section,
        rtcp_mux=section.rtcp_mux or tagged.rtcp_mux,
        rtcp_rsize=section.rtcp_rsize or tagged.rtcp_rsize,
    )


def _read_media_line(line: str) -> tuple[Kind, int, str, tuple[str, ...]]:
    fields = line.split(" ")
    if len(fields) < 4 or not all(_TOKEN.fullmatch(part) for name in fields for part in name.split("/")):
        raise InvalidSdp("an m-line is not <media> <port> <proto> <fmt>", reference="RFC 8866 5.14")
    kind, port, protocol, *formats = fields
    if len(formats) > MAX_FORMATS:
        raise UnsupportedSdp(f"more than {MAX_FORMATS} formats", reference="RFC 3550 5.1")
    if kind not in get_args(Kind):
        raise UnsupportedSdp("an m-line is neither audio, video nor application", reference="RFC 9429 5.2.1")
    return cast(Kind, kind), number(port, 65535, "port", "RFC 8866 5.14"), protocol, tuple(formats)


def _read_bundle(session: Attributes, sections: tuple[OfferedSection, ...]) -> tuple[str, ...]:
    """The mids of the one BUNDLE group that holds every enabled section."""
    groups = [value.split(" ") for value in session.all("group")]
    bundles = [tuple(mids) for semantics, *mids in groups if semantics == "BUNDLE"]
    enabled = {section.mid for section in sections if section.enabled}
    if len(bundles) != 1 or not enabled <= set(bundles[0]):
        raise UnsupportedSdp("not all m-lines are in one BUNDLE group", reference="RFC 9725 4.4.1")
    if not enabled:
        raise UnsupportedSdp("every m-line is disabled", reference="RFC 9725 4.4.3")
    return tuple(mid for mid in bundles[0] if mid in enabled)


def _read_direction(attributes: Attributes, session: Attributes) -> Direction:
    for level in (attributes, session):
        for direction in get_args(Direction):
            if level.first(direction) is not None:
                return cast(Direction, direction)
    return "sendrecv"  # RFC 8866 6.7


def _read_codecs(formats: tuple[str, ...], attributes: Attributes) -> Iterator[Codec]:
    maps, parameters = dict(attributes.numbered("rtpmap")), dict(attributes.numbered("fmtp"))
    targets = {"*", *formats}
    feedback = dict.fromkeys(  # each once: what is looked through for each format must stay short
        (target, wanted)
        for target, wanted in attributes.numbered("rtcp-fb")
        if target in targets and wanted in FEEDBACK
    )
    for payload_type in formats:
        if payload_type not in maps:
            continue  # a static type (RFC 3551 6): none of ours
        name, rate, channels = (*maps[payload_type].split("/"), "", "1")[:3]
        yield Codec(
            name=name.upper(),
            payload_type=number(payload_type, 127, "payload type", "RFC 3550 5.1"),
            clock_rate=number(rate, 2**32 - 1, "clock rate", "RFC 8866 6.6"),
            channels=number(channels or "1", 255, "channel count", "RFC 8866 6.6"),
            parameters=_read_parameters(parameters.get(payload_type, "")),
            feedback=tuple(dict.fromkeys(wanted for target, wanted in feedback if target in (payload_type, "*"))),
        )


def _read_parameters(text: str) -> dict[str, str]:
    pairs = (item.strip().partition("=") for item in text.split(";") if item.strip())
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def _read_extensions(media: Attributes) -> dict[str, int]:
    """Only ids of the one-byte form (RFC 8285 4.2): without extmap-allow-mixed in the answer no other comes.

    Extension attributes are left out, except "vad=off": levels without the voice bit (RFC 6464 4) count as another URI.
    """
    extensions = {}
    for identifier, rest in media.numbered("extmap"):
        extension = number(identifier.partition("/")[0], 65535, "extmap id", "RFC 8285 5")
        if 1 <= extension <= 14 and rest:
            uri, *attributes = rest.split(" ")
            extensions[rest if attributes == ["vad=off"] else uri] = extension
    return extensions


def _read_ssrcs(attributes: Attributes) -> tuple[int, ...]:
    repairs = _read_repairs(attributes)
    names = dict.fromkeys(name for name, _ in attributes.numbered("ssrc"))
    ssrcs = (number(name, 2**32 - 1, "SSRC", "RFC 5576 4.1") for name in names)
    return tuple(islice((ssrc for ssrc in ssrcs if ssrc not in repairs), MAX_SSRCS))


def _read_repairs(attributes: Attributes) -> dict[int, int]:
    repairs = {}
    for semantics, members in attributes.numbered("ssrc-group"):
        if semantics == "FID":
            media, *others = (number(name, 2**32 - 1, "SSRC", "RFC 5576 4.1") for name in members.split() or ["0"])
            repairs.update(dict.fromkeys(others, media))
    return repairs


def _read_rids(attributes: Attributes) -> tuple[str, ...]:
    words = (attributes.first("simulcast") or "").split()
    send = next((streams for word, streams in zip(words, words[1:], strict=False) if word == "send"), "")
    return tuple(stream.split(",")[0].lstrip("~") for stream in send.split(";") if stream)


def read_ice(transport: Attributes, session: Attributes, name: Literal["ice-ufrag", "ice-pwd"]) -> str:
    """The ICE user name fragment or password, of the section or else of the session. Raises `InvalidSdp`."""
    value = transport.first(name) or session.first(name) or ""
    if not (_ICE_UFRAG if name == "ice-ufrag" else _ICE_PWD).fullmatch(value):
        raise InvalidSdp(f"no proper {name}", reference="RFC 8839 5.4")
    return value


def _read_fingerprints(transport: Attributes, session: Attributes) -> tuple[tuple[str, str], ...]:
    found = []
    for value in list(transport.all("fingerprint")) or list(session.all("fingerprint")):
        algorithm, _, digest = value.partition(" ")
        algorithm, digest = algorithm.lower(), digest.strip().upper()
        length = FINGERPRINT_LENGTHS.get(algorithm)
        if length is None:
            continue
        if not _HEX_PAIRS.fullmatch(digest) or len(digest) != 3 * length - 1:
            raise InvalidSdp("a fingerprint is not of its algorithm's form", reference="RFC 8122 5")
        found.append((algorithm, digest))
    if not found:
        raise InvalidSdp("no fingerprint with SHA-256, SHA-384 or SHA-512", reference="RFC 8122 5")
    return tuple(found)


def _read_setup(transport: Attributes, session: Attributes) -> Setup:
    setup = transport.first("setup") or session.first("setup")
    if setup not in get_args(Setup):
        raise InvalidSdp("setup is none of actpass, active, passive", reference="RFC 8842 5.2")
    return cast(Setup, setup)


def number(text: str, maximum: int, what: str, reference: str) -> int:
    """`text` as a whole number 0 to `maximum`. Raises `InvalidSdp`."""
    if not (text.isascii() and text.isdigit() and len(text) <= 10) or int(text) > maximum:
        raise InvalidSdp(f"a {what} is not a number of 0 to {maximum}", reference=reference)
    return int(text)
