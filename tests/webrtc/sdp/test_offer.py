"""Offers of real clients: FFmpeg n9.0.2, Chromium 156 and aiortc 1.16 captured; Firefox, GStreamer in their manner."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from webrtc.errors import InvalidSdp, UnsupportedSdp
from webrtc.sdp.fragment import Fragment, parse_fragment
from webrtc.sdp.offer import Codec, Offer, OfferedSection, parse_offer

OFFERS = {path.stem: path.read_bytes().decode() for path in (Path(__file__).parent / "offers").glob("*.sdp")}


def test_ffmpeg_offer_is_read_wholly() -> None:
    audio = OfferedSection(
        mid="0",
        kind="audio",
        protocol="UDP/TLS/RTP/SAVPF",
        enabled=True,
        formats=("111",),
        direction="sendonly",
        codecs=(Codec(name="OPUS", payload_type=111, clock_rate=48000, channels=2),),
        extensions={},
        ssrcs=(348378536,),
        repairs={},
        rids=(),
        content="main",
        rtcp_mux=True,
        rtcp_rsize=False,
    )
    h264 = {"level-asymmetry-allowed": "1", "packetization-mode": "1", "profile-level-id": "420016"}
    video = OfferedSection(
        mid="1",
        kind="video",
        protocol="UDP/TLS/RTP/SAVPF",
        enabled=True,
        formats=("106", "105"),
        direction="sendonly",
        codecs=(
            Codec(name="H264", payload_type=106, clock_rate=90000, parameters=h264, feedback=("nack",)),
            Codec(name="RTX", payload_type=105, clock_rate=90000, parameters={"apt": "106"}),
        ),
        extensions={},
        ssrcs=(348378537,),
        repairs={348378538: 348378537},
        rids=(),
        content="main",
        rtcp_mux=True,
        rtcp_rsize=True,
    )
    digest = "7B:59:DC:14:64:70:26:80:4B:0A:C7:4E:29:9F:12:A3:8C:52:46:F9:85:96:F3:22:04:E0:20:87:77:0C:A6:88"
    assert parse_offer(OFFERS["ffmpeg_passive"]) == Offer(
        ufrag="0966c85a",
        pwd="99657b8500ce09aa4e9df5e8f413c22d",
        fingerprints=(("sha-256", digest),),
        setup="passive",
        bundle=("0", "1"),
        sections=(audio, video),
    )


@pytest.mark.parametrize(
    ("name", "rids"),
    [("chromium_simulcast", ("l", "m", "h")), ("firefox_simulcast", ("h", "l")), ("chromium_send", ())],
)
def test_layers_of_simulcast_are_kept_in_order(name: str, rids: tuple[str, ...]) -> None:
    video = [section for section in parse_offer(OFFERS[name]).sections if section.kind == "video"]
    assert [section.rids for section in video] == [rids]


def test_session_level_fingerprint_and_bundle_only_sections_count() -> None:
    offer = parse_offer(OFFERS["firefox_send"])
    assert offer.fingerprints == (("sha-256", "5A:" * 31 + "5A"),)
    assert [section.enabled for section in offer.sections] == [True, True]


def test_retransmission_is_not_taken_for_media() -> None:
    assert [section.ssrcs for section in parse_offer(OFFERS["firefox_send"]).sections] == [(1111111111,), (2222222222,)]


def test_lines_may_end_without_carriage_return() -> None:
    text = OFFERS["chromium_send"]
    assert parse_offer(text.replace("\r\n", "\n")) == parse_offer(text)


@pytest.mark.parametrize(
    ("old", "new", "reference"),
    [
        ("v=0", "v=1", "RFC 8866 5.1"),
        ("a=mid:1", "a=mid:0", "RFC 5888 8.1"),
        ("a=mid:1", "a=nomid:1", "RFC 9143 7.1"),
        ("a=mid:1", "a=mid:1 2", "RFC 9143 7.1"),
        ("m=video 9", "m=video 99999", "RFC 8866 5.14"),
        ("m=video 9", "m=video", "RFC 8866 5.14"),
        ("m=video 9", "m=video \u0669", "RFC 8866 5.14"),
        ("s=-", "nonsense", "RFC 8866 5"),
        ("s=-", "s=a\rb", "RFC 8866 5"),
        ("a=ice-ufrag:", "a=ice-ufrag:?", "RFC 8839 5.4"),
        ("a=ice-pwd:", "a=ice-no-pwd:", "RFC 8839 5.4"),
        ("a=fingerprint:sha-256 ", "a=fingerprint:sha-1 ", "RFC 8122 5"),
        ("a=fingerprint:sha-256 ", "a=fingerprint:sha-256 00:", "RFC 8122 5"),
        ("a=setup:actpass", "a=setup:holdconn", "RFC 8842 5.2"),
        ("a=rtpmap:111 opus/48000/2", "a=rtpmap:111 opus/fast/2", "RFC 8866 6.6"),
        ("a=ssrc:810785371 cname", "a=ssrc:4294967296 cname", "RFC 5576 4.1"),
    ],
)
def test_broken_offer_names_what_it_breaks(old: str, new: str, reference: str) -> None:
    text = OFFERS["chromium_send"]
    assert old in text
    with pytest.raises(InvalidSdp) as caught:
        parse_offer(text.replace(old, new))
    assert (caught.value.reference, isinstance(caught.value, UnsupportedSdp)) == (reference, False)


@pytest.mark.parametrize(
    ("old", "new", "reference"),
    [
        ("a=group:BUNDLE 0 1", "a=group:BUNDLE 0", "RFC 9725 4.4.1"),
        ("a=group:BUNDLE 0 1", "a=group:LS 0 1", "RFC 9725 4.4.1"),
        ("a=group:BUNDLE 0 1", "a=group:BUNDLE 0\r\na=group:BUNDLE 1", "RFC 9725 4.4.1"),
        ("m=video", "m=text", "RFC 9429 5.2.1"),
        (" 9 UDP/TLS", " 0 UDP/TLS", "RFC 9725 4.4.3"),
    ],
)
def test_unsupported_offer_is_distinguished_from_a_broken_one(old: str, new: str, reference: str) -> None:
    with pytest.raises(UnsupportedSdp) as caught:
        parse_offer(OFFERS["chromium_send"].replace(old, new))
    assert caught.value.reference == reference


def test_endless_offers_are_refused() -> None:
    text = OFFERS["ffmpeg_passive"]
    with pytest.raises(InvalidSdp, match="longer"):
        parse_offer(text + "a=x\r\n" * 60_000)
    with pytest.raises(UnsupportedSdp, match="m-lines"):
        parse_offer(text + "m=audio 0 UDP/TLS/RTP/SAVPF 0\r\n" * 100)


ODD = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        ["a=group:BUNDLE", "a=mid:", "a=ssrc:", "a=rtpmap:96", "a=simulcast:send", "a=extmap:", "m=", "a="]
    ),
)


@st.composite
def damaged_offers(draw: st.DrawFn) -> str:
    lines = draw(st.sampled_from(sorted(OFFERS.values()))).split("\r\n")
    for _ in range(draw(st.integers(1, 6))):
        place = draw(st.integers(0, len(lines) - 1))
        match draw(st.integers(0, 3)):
            case 0:
                lines[place] = draw(ODD)
            case 1:
                lines.insert(place, draw(st.sampled_from(lines)))
            case 2:
                lines[place] = lines[place][: draw(st.integers(0, len(lines[place])))]
            case _:
                lines[place] = lines[place].partition(":")[0] + ":" + draw(ODD)
    return "\r\n".join(lines)


@settings(max_examples=300, deadline=None)
@given(st.text() | damaged_offers())
def test_any_text_is_an_offer_or_invalid(text: str) -> None:
    try:
        offer = parse_offer(text)
    except InvalidSdp:
        return
    assert {section.mid for section in offer.sections} >= set(offer.bundle)


FRAGMENT = """a=group:BUNDLE 0 1
m=audio 9 UDP/TLS/RTP/SAVPF 111
a=mid:0
a=ice-ufrag:EsAw
a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1
a=candidate:1387637174 1 udp 2122260223 192.0.2.1 61764 typ host generation 0 ufrag EsAw network-id 1
a=end-of-candidates
"""


@pytest.mark.parametrize(
    ("text", "fragment"),
    [
        (FRAGMENT, Fragment(ufrag="EsAw", pwd="P2uYro0UCOQ4zxjKXaWCBui1", mids=("0",))),
        ("a=ice-ufrag:EsAw\r\na=ice-pwd:" + 24 * "x", Fragment(ufrag="EsAw", pwd=24 * "x")),
        (
            "m=audio 9 RTP/AVP 0\na=mid:1\na=candidate:1 1 udp 1 192.0.2.1 6 typ host",
            Fragment(ufrag=None, pwd=None, mids=("1",)),
        ),
        ("a=end-of-candidates", Fragment(ufrag=None, pwd=None)),
    ],
)
def test_fragment_gives_the_credentials(text: str, fragment: Fragment) -> None:
    assert parse_fragment(text) == fragment


@settings(max_examples=200, deadline=None)
@given(st.text() | st.lists(ODD | st.sampled_from(FRAGMENT.split("\n"))).map("\n".join))
def test_any_text_is_a_fragment_or_invalid(text: str) -> None:
    try:
        fragment = parse_fragment(text)
    except InvalidSdp:
        return
    assert (fragment.ufrag is None) == (fragment.pwd is None)
