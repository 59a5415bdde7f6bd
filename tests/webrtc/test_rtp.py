import pytest
from hypothesis import given
from hypothesis import strategies as st

from webrtc.errors import InvalidPacket
from webrtc.rtp import (
    NO_PICTURE,
    Vp8,
    begins_h264_keyframe,
    extend,
    is_rtcp,
    plain,
    read_vp8,
    wide_picture_id,
)

HEADER = bytes.fromhex("80e0123400000bb8cafebabe")


@pytest.mark.parametrize(
    ("number", "near", "extended"),
    [(5, 0x10004, 0x10005), (0xFFFF, 0x10000, 0xFFFF), (0, 0x1FFFF, 0x20000), (0x8001, 0x10000, 0x8001), (7, 7, 7)],
)
def test_sequence_numbers_extend_across_the_wrap(number: int, near: int, extended: int) -> None:
    assert extend(number, near) == extended


@pytest.mark.parametrize(
    ("packet", "expected"),
    [
        (HEADER + b"media", HEADER + b"media"),
        (b"\x90" + HEADER[1:] + bytes.fromhex("bede000110ff0000") + b"media", HEADER + b"media"),
        (b"\x82" + HEADER[1:] + bytes(8) + b"media", HEADER + b"media"),
        (b"\xa0" + HEADER[1:] + b"media\0\0\3", HEADER + b"media"),
        (b"\xa0" + HEADER[1:] + b"\0\0\0\4", HEADER),
    ],
)
def test_plain_leaves_header_and_payload(packet: bytes, expected: bytes) -> None:
    assert plain(packet) == expected


@pytest.mark.parametrize(
    "packet",
    [
        b"",
        HEADER[:11],
        b"\x40" + HEADER[1:],
        b"\x90" + HEADER[1:],
        b"\x90" + HEADER[1:] + bytes.fromhex("bede0009"),
        b"\x8f" + HEADER[1:],
        b"\xa0" + HEADER[1:] + b"\0",
        b"\xa0" + HEADER[1:] + b"\x20",
    ],
)
def test_plain_refuses_what_contradicts_itself(packet: bytes) -> None:
    with pytest.raises(InvalidPacket):
        plain(packet)


@pytest.mark.parametrize(
    ("payload", "picture"),
    [
        ("1000", Vp8(-1, -1, True)),
        ("1001", Vp8(-1, -1, False)),
        ("90808123" + "00", Vp8(0x123, -1, True)),
        ("90e0812345" + "60" + "00", Vp8(0x123, 0x45, True)),
        ("80808123" + "00", Vp8(0x123, -1, False)),
        ("91808123" + "00", Vp8(0x123, -1, False)),
        ("9040" + "45" + "00", Vp8(-1, -1, True)),
        ("9080", NO_PICTURE),
        ("90", NO_PICTURE),
        ("", NO_PICTURE),
    ],
)
def test_vp8_descriptor_is_read(payload: str, picture: Vp8) -> None:
    assert read_vp8(HEADER + bytes.fromhex(payload)) == picture


def test_short_picture_id_is_widened() -> None:
    assert wide_picture_id(HEADER + bytes.fromhex("90c0072a00")) == HEADER + bytes.fromhex("90c080072a00")
    for untouched in ("1000", "90808123", "9080", "9040aa"):
        assert wide_picture_id(HEADER + bytes.fromhex(untouched)) == HEADER + bytes.fromhex(untouched)


@pytest.mark.parametrize(
    ("payload", "begins"),
    [
        ("67", True),
        ("65", True),
        ("41", False),
        ("7800026742", True),
        ("7800034141410002658c", True),
        ("7800024141", False),
        ("7c85", True),
        ("7c05", False),
        ("7c81", False),
        ("78", False),
        ("7c", False),
        ("", False),
    ],
)
def test_h264_keyframe_begins_at_its_parameters(payload: str, begins: bool) -> None:
    assert begins_h264_keyframe(HEADER + bytes.fromhex(payload)) == begins


@pytest.mark.parametrize(("second", "control"), [(72, False), (191, False), (192, True), (200, True), (224, False)])
def test_rtcp_is_told_by_its_type(second: int, control: bool) -> None:
    assert is_rtcp(bytes((0x80, second))) == control


@given(st.binary(max_size=80))
def test_any_payload_is_read(payload: bytes) -> None:
    packet = HEADER + payload
    read_vp8(wide_picture_id(packet))
    begins_h264_keyframe(packet)


@given(st.binary(max_size=80))
def test_any_datagram_is_plain_or_invalid(datagram: bytes) -> None:
    try:
        assert plain(datagram)[0] == 0x80
    except InvalidPacket:
        pass
