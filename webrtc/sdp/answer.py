"""Our ICE-lite answer to an offer. Pure functions: no sockets, no clock, no randomness (RFC 9429 5.3).

What the answer promises is kept by the bridge: one transport for all media (BUNDLE, RFC 9143), RTP and RTCP on one
port (RFC 5761), ICE-lite (RFC 8445 2.5), the layers of simulcast (RFC 8853), and for each slot that we send on one SSRC
that never changes (RFC 5576), with one more for its retransmissions (RFC 4588).
"""

from collections.abc import Iterator
from dataclasses import replace
from zlib import crc32

from webrtc.errors import UnsupportedSdp
from webrtc.rtp.payload import VIDEO_FORMATS
from webrtc.sdp.offer import Answer, Candidate, Codec, Kind, LocalParameters, Offer, OfferedSection, Section, Setup

MID_EXTENSION = "urn:ietf:params:rtp-hdrext:sdes:mid"
AUDIO_LEVEL_EXTENSION = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"  # RFC 6464
UNVOICED_LEVEL_EXTENSION = f"{AUDIO_LEVEL_EXTENSION} vad=off"  # RFC 6464 4
RID_EXTENSION = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"  # RFC 8852
REPAIRED_RID_EXTENSION = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id"
TRANSPORT_CC_EXTENSION = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
SEND_TIME_EXTENSION = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
RECEIVED_EXTENSIONS = frozenset(
    {
        *(MID_EXTENSION, RID_EXTENSION, REPAIRED_RID_EXTENSION),
        *(AUDIO_LEVEL_EXTENSION, UNVOICED_LEVEL_EXTENSION, TRANSPORT_CC_EXTENSION),
    }
)
SENT_EXTENSIONS = frozenset({TRANSPORT_CC_EXTENSION, SEND_TIME_EXTENSION})

# All mean DTLS-SRTP where a fingerprint is there, and all must be accepted (RFC 9429 5.1.2).
PROFILES = frozenset(
    {
        *("UDP/TLS/RTP/SAVPF", "UDP/TLS/RTP/SAVP", "TCP/DTLS/RTP/SAVPF", "TCP/DTLS/RTP/SAVP"),
        *("RTP/SAVPF", "RTP/SAVP", "RTP/AVPF", "RTP/AVP"),
    }
)
MAX_LAYERS = 4  # of one source
START_KBPS = 1000  # a browser begins with so much, and sends less as soon as the link shows that it is too much


def make_answer(offer: Offer, *, sending: bool, local: LocalParameters) -> Answer:
    """Our answer to `offer`. `sending`: whether we send (WHEP); otherwise we receive (WHIP).

    Raises `UnsupportedSdp`: receiving, where any m-line cannot be accepted (RFC 9725 4.4.3); sending, where none can.
    """
    sections = tuple(_agree(section, sending=sending, local=local) for section in offer.sections)
    if sending:
        sections = tuple(_without_numbers(section, sections) for section in sections)
    accepted = [section.mid for section in sections if not section.rejected]
    if not accepted:
        raise UnsupportedSdp("no m-line that we can send on", reference="RFC 9429 5.3.1")
    lines = [
        "v=0",
        f"o=- {crc32(local.ufrag.encode())} 1 IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        f"a=group:BUNDLE {' '.join(accepted)}",
        "a=ice-lite",
        "a=ice-options:trickle ice2",
    ]
    places = {"audio": 0, "video": 0, "application": 0}
    for offered, section in zip(offer.sections, sections, strict=True):
        lines += _write_section(offered, section, offer.setup, local, place=places[section.kind])
        places[section.kind] += 1
    return Answer(
        text="".join(f"{line}\r\n" for line in lines),
        dtls_role="client" if offer.setup == "passive" else "server",
        sections=sections,
    )


def _agree(offered: OfferedSection, *, sending: bool, local: LocalParameters) -> Section:
    problem = _problem_of(offered, sending=sending)
    if problem is not None:
        if offered.enabled and not sending:
            raise problem
        return Section(mid=offered.mid, kind=offered.kind, rejected=True)
    wanted = SENT_EXTENSIONS if sending else RECEIVED_EXTENSIONS
    codecs = _choose_codecs(offered)
    rtx = _choose_rtx(offered, codecs)
    extensions = {uri: id_ for uri, id_ in offered.extensions.items() if uri in wanted}
    if sending:
        if TRANSPORT_CC_EXTENSION in extensions:
            extensions.pop(SEND_TIME_EXTENSION, None)  # one way to estimate is enough
        ssrc, rtx_ssrc = local.ssrcs_for(offered.mid)
        return Section(
            mid=offered.mid,
            kind=offered.kind,
            rejected=False,
            codecs=codecs,
            extensions=extensions,
            rtx=rtx,
            local_ssrc=ssrc,
            local_rtx_ssrc=rtx_ssrc if rtx else None,
        )
    return Section(
        mid=offered.mid,
        kind=offered.kind,
        rejected=False,
        codecs=codecs,
        extensions=extensions,
        rtx=rtx,
        remote_ssrcs=offered.ssrcs,
        repairs=offered.repairs,
        rids=offered.rids[:MAX_LAYERS] if RID_EXTENSION in extensions else (),
        content=offered.content,
    )


def _without_numbers(section: Section, sections: tuple[Section, ...]) -> Section:
    """`section` with header extensions only where they may be.

    A packet that may be repeated on its own SSRC must go out as the same octets (RFC 7714 8.1), so with no number or
    time in it. Where a picture has no numbers, those of other packets would show little of the link.
    """
    pictures = [each for each in sections if each.kind == "video" and not each.rejected]
    numbered = all(TRANSPORT_CC_EXTENSION in each.extensions for each in pictures)
    wanted = TRANSPORT_CC_EXTENSION if numbered else SEND_TIME_EXTENSION
    if not section.extensions or not any(_has_bare_packets(each, wanted) for each in (section, *pictures)):
        return section
    codecs = (
        replace(codec, feedback=tuple(each for each in codec.feedback if each != "transport-cc"))
        for codec in section.codecs
    )
    return replace(section, extensions={}, codecs=tuple(codecs))


def _has_bare_packets(section: Section, extension: str) -> bool:
    """Whether packets of the section go out without that header extension."""
    repeated = set(section.rtx.values())
    return extension not in section.extensions or any(
        "nack" in codec.feedback and codec.payload_type not in repeated for codec in section.codecs
    )


def _problem_of(offered: OfferedSection, *, sending: bool) -> UnsupportedSdp | None:
    if not offered.enabled:
        return UnsupportedSdp("the m-line is disabled", reference="RFC 9429 5.3.1")
    if offered.kind == "application" or offered.protocol not in PROFILES:
        return UnsupportedSdp("an m-line is not audio or video over DTLS-SRTP", reference="RFC 8827 6.5")
    if offered.direction not in (("recvonly", "sendrecv") if sending else ("sendonly", "sendrecv")):
        return UnsupportedSdp(f"an m-line is {offered.direction}", reference="RFC 9725 4.2")
    if not offered.rtcp_mux:
        return UnsupportedSdp("an m-line is without rtcp-mux", reference="RFC 9725 4.4.1")
    if not _choose_codecs(offered):
        return UnsupportedSdp(f"no {offered.kind} codec in common", reference="RFC 7742 5, RFC 7874 3")
    return None


def _choose_codecs(offered: OfferedSection) -> tuple[Codec, ...]:
    """One codec of each name, H.264 preferably in its constrained baseline (what every browser decodes)."""
    chosen: dict[str, Codec] = {}
    for codec in offered.codecs:
        if not _is_ours(codec, offered.kind):
            continue
        known = chosen.get(codec.name)
        if known is None or (_is_constrained(codec) and not _is_constrained(known)):
            chosen[codec.name] = codec
    if "RED" in chosen and "OPUS" not in chosen:  # it has nothing to protect
        del chosen["RED"]
    return tuple(sorted(chosen.values(), key=offered.codecs.index))


def _choose_rtx(offered: OfferedSection, codecs: tuple[Codec, ...]) -> dict[int, int]:
    """The retransmission formats of the chosen codecs (RFC 4588 8.6), by their payload type."""
    chosen = {str(codec.payload_type): codec.payload_type for codec in codecs}
    return {
        codec.payload_type: chosen[repeated]
        for codec in offered.codecs
        if codec.name == "RTX" and (repeated := codec.parameters.get("apt", "")) in chosen
    }


def _is_ours(codec: Codec, kind: Kind) -> bool:
    if kind == "audio":  # RFC 7587 7, RFC 2198; a RED of anything else is none for us
        return (codec.name, codec.clock_rate, codec.channels) in (("OPUS", 48000, 2), ("RED", 48000, 2))
    if codec.clock_rate != 90000 or codec.name not in VIDEO_FORMATS:
        return False
    match codec.name:
        case "H264":  # RFC 6184 8.1: mode 1 of the baseline profile (66)
            baseline = codec.parameters.get("profile-level-id", "420010").startswith("42")
            return codec.parameters.get("packetization-mode") == "1" and baseline
        case "VP9" | "AV1":  # their first profile, 8 bits and 4:2:0, which is what they have without the parameter
            return codec.parameters.get("profile-id", "0") == "0" and codec.parameters.get("profile", "0") == "0"
        case _:
            return True


def _is_constrained(codec: Codec) -> bool:
    return codec.parameters.get("profile-level-id", "").lower().startswith("42e0")


def _write_section(
    offered: OfferedSection, section: Section, setup: Setup, local: LocalParameters, *, place: int
) -> Iterator[str]:
    """The lines of one section. `place`: its number among the sections of its kind."""
    formats = [str(each) for codec in section.codecs for each in (codec.payload_type, *_rtx_of(section, codec))]
    formats = formats or list(offered.formats)
    port = 0 if section.rejected else 9  # 9: "discard", ICE says where (RFC 9429 5.2.1)
    yield f"m={section.kind} {port} {offered.protocol} {' '.join(formats)}"
    yield "c=IN IP4 0.0.0.0"
    yield f"a=mid:{section.mid}"
    if section.rejected:
        return
    yield f"a=ice-ufrag:{local.ufrag}"
    yield f"a=ice-pwd:{local.pwd}"
    yield f"a=fingerprint:sha-256 {local.fingerprint}"
    yield f"a=setup:{'active' if setup == 'passive' else 'passive'}"
    # RFC 9143 7.3 needs them in the first section only; aiortc with max-bundle reads those of the last.
    yield from _write_candidates(local.candidates)
    yield "a=rtcp-mux"
    if offered.rtcp_rsize:
        yield "a=rtcp-rsize"
    for uri, identifier in section.extensions.items():
        yield f"a=extmap:{identifier} {uri}"
    for codec in section.codecs:
        yield from _write_codec(codec, receiving=section.local_ssrc is None)
        for payload_type in _rtx_of(section, codec):
            yield f"a=rtpmap:{payload_type} rtx/{codec.clock_rate}"
            yield f"a=fmtp:{payload_type} apt={codec.payload_type}"
    if section.local_ssrc is None:
        yield "a=recvonly"
        yield from (f"a=rid:{rid} recv" for rid in section.rids)
        if section.rids:
            yield f"a=simulcast:recv {';'.join(section.rids)}"
        return
    yield "a=sendonly"
    # The first voice goes with the first picture, and so on: browsers keep lips in time within one MediaStream.
    yield f"a=msid:slot{place} {section.kind}{place}"
    yield f"a=ssrc:{section.local_ssrc} cname:{local.cname}"
    if section.local_rtx_ssrc is not None:
        yield f"a=ssrc:{section.local_rtx_ssrc} cname:{local.cname}"
        yield f"a=ssrc-group:FID {section.local_ssrc} {section.local_rtx_ssrc}"


def _rtx_of(section: Section, codec: Codec) -> Iterator[int]:
    return (rtx for rtx, repeated in section.rtx.items() if repeated == codec.payload_type)


def _write_codec(codec: Codec, *, receiving: bool) -> Iterator[str]:
    channels = f"/{codec.channels}" if codec.channels > 1 else ""
    name = codec.name.lower() if codec.name in ("OPUS", "RED") else codec.name
    yield f"a=rtpmap:{codec.payload_type} {name}/{codec.clock_rate}{channels}"
    parameters = dict(codec.parameters)
    if receiving and "goog-remb" in codec.feedback:  # libwebrtc: else it takes ten seconds to get to its top layer
        parameters["x-google-start-bitrate"] = str(START_KBPS)
    if parameters:
        listed = (f"{name}={value}" if value else name for name, value in parameters.items())
        yield f"a=fmtp:{codec.payload_type} {';'.join(listed)}"
    for feedback in codec.feedback:
        yield f"a=rtcp-fb:{codec.payload_type} {feedback}"


def _write_candidates(candidates: tuple[Candidate, ...]) -> Iterator[str]:
    """The a=candidate lines (RFC 8839 5.1) and their end (RFC 8840 8.2): an ICE-lite agent knows all at once."""
    for foundation, each in enumerate(candidates, start=1):
        end = " tcptype passive" if each.transport == "tcp" else ""
        yield f"a=candidate:{foundation} 1 {each.transport} {each.priority} {each.ip} {each.port} typ {each.type}{end}"
    yield "a=end-of-candidates"
