"""The offers of the load's rooms, as our display page makes them in Chromium, and what it reads of the answers."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from bench.lesson_connection import PWD, UFRAG
from webrtc.sdp.offer import Kind

VP8, VP8_RTX, OPUS = 96, 97, 111
AUDIO_LEVEL, TRANSPORT_CC, MID, RID, REPAIRED_RID = 1, 3, 4, 10, 11  # ids of the header extensions
_URIS = {
    AUDIO_LEVEL: "urn:ietf:params:rtp-hdrext:ssrc-audio-level",
    TRANSPORT_CC: "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
    MID: "urn:ietf:params:rtp-hdrext:sdes:mid",
    RID: "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id",
    REPAIRED_RID: "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id",
}
_EXTENSIONS: dict[Kind, Sequence[int]] = {
    "audio": (AUDIO_LEVEL, TRANSPORT_CC, MID),
    "video": (TRANSPORT_CC, MID, RID, REPAIRED_RID),
}
_VIDEO_FEEDBACK = ("goog-remb", "transport-cc", "ccm fir", "nack", "nack pli")
_CODECS: dict[Kind, Sequence[str]] = {
    "audio": (f"a=rtpmap:{OPUS} opus/48000/2", f"a=rtcp-fb:{OPUS} transport-cc", f"a=fmtp:{OPUS} useinbandfec=1"),
    "video": (
        f"a=rtpmap:{VP8} VP8/90000",
        *(f"a=rtcp-fb:{VP8} {each}" for each in _VIDEO_FEEDBACK),
        f"a=rtpmap:{VP8_RTX} rtx/90000",
        f"a=fmtp:{VP8_RTX} apt={VP8}",
    ),
}


def publishing(fingerprint: str, rids: Sequence[str]) -> str:
    """One picture in simulcast layers, the lowest first, and one sound."""
    simulcast = [*(f"a=rid:{rid} send" for rid in rids), f"a=simulcast:send {';'.join(rids)}"]
    return _offer(fingerprint, "sendonly", [("video", simulcast), ("audio", ())])


_Media = tuple[Kind, Sequence[str]]  # and its own lines


def subscribing(fingerprint: str, *, pictures: int, voices: int) -> str:
    picture: _Media = ("video", ())
    voice: _Media = ("audio", ())
    return _offer(fingerprint, "recvonly", [picture] * pictures + [voice] * voices)


def _offer(fingerprint: str, direction: str, media: Sequence[_Media]) -> str:
    lines = ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0"]
    lines.append("a=group:BUNDLE " + " ".join(str(mid) for mid in range(len(media))))
    for mid, (kind, more) in enumerate(media):
        formats = f"{VP8} {VP8_RTX}" if kind == "video" else str(OPUS)
        lines += [
            f"m={kind} 9 UDP/TLS/RTP/SAVPF {formats}",
            "c=IN IP4 0.0.0.0",
            f"a=mid:{mid}",
            f"a={direction}",
            f"a=ice-ufrag:{UFRAG}",
            f"a=ice-pwd:{PWD}",
            f"a=fingerprint:sha-256 {fingerprint}",
            "a=setup:actpass",
            "a=rtcp-mux",
            "a=rtcp-rsize",
            *(f"a=extmap:{id} {_URIS[id]}" for id in _EXTENSIONS[kind]),
            *_CODECS[kind],
            *more,
        ]
    return "".join(f"{line}\r\n" for line in lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class AnsweredSection:
    """`extensions`: ids that were agreed on. `ssrcs`: of what comes, then of its retransmission."""

    mid: str
    kind: Kind
    simulcast: bool
    extensions: frozenset[int]
    ssrcs: tuple[int, ...]


def read_answer(text: str) -> list[AnsweredSection]:
    return [_read_section(f"m={section}") for section in text.split("\r\nm=")[1:]]


def _read_section(section: str) -> AnsweredSection:
    [mid] = re.findall(r"a=mid:(\S+)", section)
    return AnsweredSection(
        mid=mid,
        kind="video" if section.startswith("m=video") else "audio",
        simulcast="a=simulcast:" in section,
        extensions=frozenset(int(id) for id in re.findall(r"a=extmap:(\d+)", section)),
        ssrcs=tuple(dict.fromkeys(int(ssrc) for ssrc in re.findall(r"a=ssrc:(\d+)", section))),
    )
