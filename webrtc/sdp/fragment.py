"""The pieces of SDP that a client sends after the answer: more candidates, or an ICE restart (RFC 8840, RFC 9725 4.3).

A client's candidates are not kept: an ICE-lite agent sends no checks, it learns addresses from the checks it gets.
"""

from dataclasses import dataclass

from webrtc.errors import InvalidSdp, UnsupportedSdp
from webrtc.sdp.offer import read_ice, read_lines

MEDIA_TYPE = "application/trickle-ice-sdpfrag"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fragment:
    """The client's ICE credentials; both None in a fragment that brings only candidates. `mids`: of its m-lines."""

    ufrag: str | None
    pwd: str | None
    mids: tuple[str, ...] = ()


def parse_fragment(text: str) -> Fragment:
    """The fragment in `text`. Raises `InvalidSdp`, `UnsupportedSdp`, nothing else, whatever the text."""
    session, media = read_lines(text)
    levels = [*(each.attributes for each in media), session]
    mids = tuple(mid for each in media if (mid := each.attributes.first("mid")) is not None)
    transports = [level for level in levels if level.first("ice-ufrag") or level.first("ice-pwd")]
    if transports:  # the session's own count only where no m-line has any
        transports = [each for each in transports if each is not session] or [session]
        named = {(read_ice(each, session, "ice-ufrag"), read_ice(each, session, "ice-pwd")) for each in transports}
        if len(named) > 1:
            raise UnsupportedSdp("credentials of more than one transport", reference="RFC 9143 7.1")
        [(ufrag, pwd)] = named
        return Fragment(ufrag=ufrag, pwd=pwd, mids=mids)
    if not any(level.first("candidate") or level.first("end-of-candidates") is not None for level in levels):
        raise InvalidSdp("neither ICE credentials nor candidates", reference="RFC 8840 4.4")
    return Fragment(ufrag=None, pwd=None, mids=mids)


def make_fragment(answer_text: str, *, ufrag: str, pwd: str) -> str:
    """Our side of an ICE restart: the answer's BUNDLE transport with new credentials (RFC 9725 4.3.3)."""
    session, media = read_lines(answer_text)
    group = session.first("group") or ""
    tagged = group.split(" ")[1]
    section = next(each for each in media if each.attributes.first("mid") == tagged)
    lines = [
        "a=ice-lite",
        f"a=ice-options:{session.first('ice-options')}",
        f"a=group:{group}",
        f"m={section.line}",
        f"a=mid:{tagged}",
        f"a=ice-ufrag:{ufrag}",
        f"a=ice-pwd:{pwd}",
        *(f"a=candidate:{candidate}" for candidate in section.attributes.all("candidate")),
        "a=end-of-candidates",
    ]
    return "".join(f"{line}\r\n" for line in lines)
