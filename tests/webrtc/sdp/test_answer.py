from itertools import count
from pathlib import Path

import pytest
from aiortc.sdp import SessionDescription
from hypothesis import given, settings

from testing.rounds import rounds
from tests.webrtc.sdp.test_offer import OFFERS, damaged_offers
from webrtc.errors import InvalidSdp, UnsupportedSdp
from webrtc.sdp.answer import (
    AUDIO_LEVEL_EXTENSION,
    PROFILES,
    SEND_TIME_EXTENSION,
    TRANSPORT_CC_EXTENSION,
    UNVOICED_LEVEL_EXTENSION,
    make_answer,
)
from webrtc.sdp.fragment import make_fragment, parse_fragment
from webrtc.sdp.offer import Answer, Candidate, Codec, LocalParameters, Section, parse_offer

TRANSPORT = ("a=ice-", "a=fingerprint", "a=setup", "a=rtcp", "a=candidate")
ANSWERS = Path(__file__).parent / "answers"


def _answer(text: str, *, sending: bool) -> Answer:
    ssrcs = count(1001)
    local = LocalParameters(
        ufrag="node",
        pwd="nodepassword0123456789",
        fingerprint="A5:" * 31 + "A5",
        candidates=(
            Candidate(ip="192.0.2.10", port=40000, priority=2130706431),
            Candidate(ip="2001:db8::10", port=40000, priority=2130706175),
        ),
        ssrcs_for=lambda mid: (next(ssrcs), next(ssrcs)),
        cname="bridge",
    )
    return make_answer(parse_offer(text), sending=sending, local=local)


@pytest.mark.parametrize(
    ("name", "sending"),
    [
        ("aiortc_recv", True),
        ("aiortc_send", False),
        ("chromium_recv", True),
        ("chromium_send", False),
        ("chromium_simulcast", False),
        ("ffmpeg_active", False),
        ("ffmpeg_passive", False),
        ("firefox_recv", True),
        ("firefox_send", False),
        ("firefox_simulcast", False),
        ("gstreamer_send", False),
    ],
)
def test_answer_to_a_known_client_is_the_agreed_one(name: str, sending: bool) -> None:
    assert _answer(OFFERS[name], sending=sending).text == (ANSWERS / f"{name}.sdp").read_bytes().decode()


@pytest.mark.parametrize(
    ("name", "role"), [("ffmpeg_passive", "client"), ("ffmpeg_active", "server"), ("chromium_send", "server")]
)
def test_we_take_the_dtls_role_that_is_left(name: str, role: str) -> None:
    assert _answer(OFFERS[name], sending=False).dtls_role == role


def test_levels_that_tell_nothing_of_voice_are_agreed_on_as_such() -> None:
    line = f"a=extmap:1 {AUDIO_LEVEL_EXTENSION}"
    assert f"{line}\r\n" in OFFERS["chromium_send"]
    answer = _answer(OFFERS["chromium_send"].replace(line, f"{line} vad=off"), sending=False)
    [sound] = [section for section in answer.sections if section.kind == "audio"]
    assert sound.extensions[UNVOICED_LEVEL_EXTENSION] == 1
    assert AUDIO_LEVEL_EXTENSION not in sound.extensions
    assert f"{line} vad=off\r\n" in answer.text


def test_sections_say_what_was_agreed() -> None:
    assert _answer(OFFERS["gstreamer_send"], sending=False).sections == (
        Section(
            mid="video0",
            kind="video",
            rejected=False,
            codecs=(Codec(name="VP8", payload_type=96, clock_rate=90000, feedback=("nack", "nack pli", "ccm fir")),),
            remote_ssrcs=(3141592653,),
        ),
        Section(
            mid="audio1",
            kind="audio",
            rejected=False,
            codecs=(
                Codec(
                    name="OPUS",
                    payload_type=97,
                    clock_rate=48000,
                    channels=2,
                    parameters={"sprop-maxcapturerate": "48000", "sprop-stereo": "0"},
                    feedback=("nack",),
                ),
            ),
            remote_ssrcs=(2718281828,),
        ),
    )


def test_every_slot_has_its_own_ssrc() -> None:
    sections = _answer(OFFERS["chromium_recv"], sending=True).sections
    assert [(section.mid, section.local_ssrc) for section in sections] == [("0", 1001), ("1", 1003), ("2", 1005)]


def test_constrained_baseline_is_preferred() -> None:
    (video,) = _answer(OFFERS["chromium_simulcast"], sending=False).sections
    assert [(codec.name, codec.payload_type) for codec in video.codecs] == [
        ("VP8", 96),
        ("H264", 108),
        ("AV1", 45),
        ("VP9", 98),
    ]


def test_player_keeps_what_can_be_played() -> None:
    text = OFFERS["chromium_recv"].replace("a=recvonly", "a=inactive", 1)
    answer = _answer(text, sending=True)
    assert [(section.mid, section.rejected) for section in answer.sections] == [("0", True), ("1", False), ("2", False)]
    assert "a=group:BUNDLE 1 2\r\n" in answer.text
    assert answer.text.index("m=video 0 ") < answer.text.index("m=video 9 ") < answer.text.index("a=candidate:1 ")


@pytest.mark.parametrize("profile", sorted(PROFILES))
@pytest.mark.parametrize(("name", "sending"), [("chromium_send", False), ("chromium_recv", True)])
def test_profile_that_means_dtls_is_accepted_and_stays(name: str, sending: bool, profile: str) -> None:
    text = _answer(OFFERS[name].replace("UDP/TLS/RTP/SAVPF", profile), sending=sending).text
    lines = [line.split(" ")[:3] for line in text.splitlines() if line.startswith("m=")]
    assert [(port, protocol) for _, port, protocol in lines] == [("9", profile)] * len(lines)


def test_section_of_the_bundle_alone_shares_its_transport() -> None:
    """As in the figure of RFC 9725 4.2: how it is transported is said once (RFC 9429 5.2.1)."""
    first, *rest = OFFERS["chromium_send"].split("m=")[1:]
    [second] = rest
    kept = [line for line in second.splitlines(True) if not line.startswith(TRANSPORT)]
    session = OFFERS["chromium_send"].split("m=")[0]
    text = f"{session}m={first}m={''.join(kept).replace(' 9 ', ' 0 ', 1)}a=bundle-only\r\n"
    for offer in (text, text.replace("a=group:BUNDLE 0 1", "a=group:BUNDLE 1 0")):
        answer = _answer(offer, sending=False)
        assert [section.rejected for section in answer.sections] == [False, False]
        assert [answer.text.count(line) for line in ("a=rtcp-mux\r\n", "a=rtcp-rsize\r\n", " 9 UDP")] == [2, 2, 2]
    with pytest.raises(UnsupportedSdp):
        _answer(text.replace("a=rtcp-mux\r\n", ""), sending=False)


def _extensions(text: str) -> list[dict[str, int]]:
    return [dict(section.extensions) for section in _answer(text, sending=True).sections]


def test_packets_are_numbered_where_that_was_agreed() -> None:
    assert _extensions(OFFERS["chromium_recv"]) == [{TRANSPORT_CC_EXTENSION: 4}] * 3
    assert _extensions(OFFERS["firefox_recv"]) == [{}, {TRANSPORT_CC_EXTENSION: 7}]  # sound, picture


def test_packets_have_one_extension_and_pictures_decide_which() -> None:
    *pictures, sound = (f"m={each}" for each in OFFERS["chromium_recv"].split("m=")[1:])
    session = OFFERS["chromium_recv"].split("m=")[0]

    def unnumbered(section: str) -> str:
        return "".join(line for line in section.splitlines(True) if TRANSPORT_CC_EXTENSION not in line)

    assert _extensions("".join((session, *pictures, unnumbered(sound)))) == [{TRANSPORT_CC_EXTENSION: 4}] * 2 + [{}]
    timed = [session, *map(unnumbered, pictures)]
    assert _extensions("".join((*timed, sound))) == [{SEND_TIME_EXTENSION: 2}] * 2 + [{}]
    assert _extensions("".join((*timed, unnumbered(sound)))) == [{SEND_TIME_EXTENSION: 2}] * 3


def test_what_is_repeated_on_its_own_ssrc_has_no_number() -> None:
    text = OFFERS["chromium_recv"]
    sound = text.replace("a=rtcp-fb:111 transport-cc", "a=rtcp-fb:111 transport-cc\r\na=rtcp-fb:111 nack")
    assert _extensions(sound) == [{TRANSPORT_CC_EXTENSION: 4}] * 2 + [{}]
    picture = text.replace("a=fmtp:97 apt=96", "a=fmtp:97 apt=95", 1)  # VP8 has no retransmissions any more
    assert _extensions(picture) == [{}] * 3
    answer = _answer(picture, sending=True).text
    assert ("transport-cc" in answer, "a=rtcp-fb:96 nack\r\n" in answer) == (False, True)
    without = picture.replace("a=rtcp-fb:96 nack\r\n", "", 1)  # and nobody asks for any
    assert _extensions(without) == [{TRANSPORT_CC_EXTENSION: 4}] * 3


@pytest.mark.parametrize(
    ("name", "sending", "old", "new", "reference"),
    [
        ("chromium_recv", False, "", "", "RFC 9725 4.2"),
        ("chromium_send", True, "", "", "RFC 9429 5.3.1"),
        ("chromium_data", False, "", "", "RFC 8827 6.5"),
        ("chromium_send", False, "UDP/TLS/RTP/SAVPF", "UDP/RTP/SAVPF", "RFC 8827 6.5"),
        ("chromium_send", False, "UDP/TLS/RTP/SAVPF", "UDP/TLS/RTP/AVP", "RFC 8827 6.5"),
        ("chromium_send", False, "a=rtcp-mux\r\n", "", "RFC 9725 4.4.1"),
        ("chromium_send", False, "opus/48000", "speex/32000", "RFC 7742 5, RFC 7874 3"),
        ("ffmpeg_active", False, "packetization-mode=1", "packetization-mode=0", "RFC 7742 5, RFC 7874 3"),
        ("ffmpeg_active", False, "profile-level-id=42", "profile-level-id=64", "RFC 7742 5, RFC 7874 3"),
    ],
)
def test_offer_that_cannot_be_met_is_refused_whole(
    name: str, sending: bool, old: str, new: str, reference: str
) -> None:
    with pytest.raises(UnsupportedSdp) as caught:
        _answer(OFFERS[name].replace(old, new) if old else OFFERS[name], sending=sending)
    assert caught.value.reference == reference


@pytest.mark.parametrize("path", sorted(ANSWERS.glob("*.sdp")), ids=lambda path: path.stem)
def test_another_parser_reads_our_answers(path: Path) -> None:
    read = SessionDescription.parse(path.read_bytes().decode())
    offered = parse_offer(OFFERS[path.stem])
    assert [media.rtp.muxId for media in read.media] == [section.mid for section in offered.sections]
    assert [media.ice.usernameFragment for media in read.media if media.ice] == ["node"] * len(read.media)


@settings(max_examples=rounds(300, 20_000), deadline=None)
@given(damaged_offers())
def test_any_offer_is_answered_or_refused(text: str) -> None:
    for sending in (True, False):
        try:
            answer = _answer(text, sending=sending)
        except InvalidSdp:
            continue
        assert parse_offer(answer.text).bundle  # what we write, we can read
        assert len(answer.sections) == len(parse_offer(text).sections)


def test_restart_fragment_repeats_the_transport_of_the_answer() -> None:
    answer = _answer(OFFERS["ffmpeg_passive"], sending=False)
    text = make_fragment(answer.text, ufrag="newnode", pwd="newpassword0123456789x")
    assert text.split("\r\n") == [
        "a=ice-lite",
        "a=ice-options:trickle ice2",
        "a=group:BUNDLE 0 1",
        "m=audio 9 UDP/TLS/RTP/SAVPF 111",
        "a=mid:0",
        "a=ice-ufrag:newnode",
        "a=ice-pwd:newpassword0123456789x",
        "a=candidate:1 1 udp 2130706431 192.0.2.10 40000 typ host",
        "a=candidate:2 1 udp 2130706175 2001:db8::10 40000 typ host",
        "a=end-of-candidates",
        "",
    ]
    assert parse_fragment(text).ufrag == "newnode"
