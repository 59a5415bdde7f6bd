import pytest
from hypothesis import given
from hypothesis import strategies as st

from webrtc.rtp.payload import (
    NO_PICTURE,
    READ_PICTURE,
    Picture,
    read_av1,
    read_h264,
    read_size,
    read_vp8,
    read_vp9,
    wide_picture_id,
)
from webrtc.rtp.sequence_header import Size

HEADER = bytes.fromhex("80e0123400000bb8cafebabe")


@pytest.mark.parametrize(
    ("payload", "picture"),
    [
        ("1000", Picture(-1, -1, 0, False, True)),
        ("1001", Picture(-1, -1, 0, False, False)),
        ("90808123" + "00", Picture(0x123, -1, 0, False, True)),
        ("90e0812345" + "60" + "00", Picture(0x123, 0x45, 1, True, True)),
        ("80808123" + "00", Picture(0x123, -1, 0, False, False)),
        ("91808123" + "00", Picture(0x123, -1, 0, False, False)),
        ("9040" + "45" + "00", Picture(-1, -1, 0, False, True)),
        ("9080", NO_PICTURE),
        ("90", NO_PICTURE),
        ("", NO_PICTURE),
    ],
)
def test_vp8_descriptor_is_read(payload: str, picture: Picture) -> None:
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
    assert read_h264(HEADER + bytes.fromhex(payload)).keyframe == begins


@pytest.mark.parametrize(
    ("payload", "begins"),
    [
        ("08", True),
        ("8c8012", True),
        ("48", False),
        ("00", False),
        ("2802", False),
        ("a8800100", True),
        ("a88012", False),
        ("", False),
    ],
)
def test_vp9_keyframe_begins_in_its_lowest_layer(payload: str, begins: bool) -> None:
    assert read_vp9(HEADER + bytes.fromhex(payload)).keyframe == begins


@pytest.mark.parametrize(("payload", "begins"), [("18", True), ("10", False), ("", False)])
def test_av1_keyframe_begins_its_sequence(payload: str, begins: bool) -> None:
    assert read_av1(HEADER + bytes.fromhex(payload)).keyframe == begins


@pytest.mark.parametrize(
    ("codec", "payload", "size"),
    [
        ("VP8", "90808123" + "1002009d012a80026801", Size(640, 360)),
        ("VP8", "10" + "1002009d012a80426801", Size(640, 360)),  # scaled: the top two bits are no part of it
        ("VP8", "10" + "1002009d012a80", Size(0, 0)),
        ("H264", "6742c016d900a02ff970110000030001000003001e0f162e48", Size(640, 360)),
        ("H264", "6742c01f", Size(0, 0)),
        ("H264", "6764001fac", Size(0, 0)),
        ("H264", "65", Size(0, 0)),
        ("VP9", "8a" + "8001" + "10" + "02800168", Size(640, 360)),
        ("VP9", "8a" + "8001" + "10" + "0280", Size(0, 0)),
        ("VP9", "08", Size(0, 0)),
        ("AV1", "18", Size(0, 0)),
    ],
)
def test_size_of_a_picture_is_read(codec: str, payload: str, size: Size) -> None:
    assert read_size(codec, HEADER + bytes.fromhex(payload)) == size


@given(st.sampled_from(sorted(READ_PICTURE)), st.binary(max_size=80))
def test_any_payload_is_read(codec: str, payload: bytes) -> None:
    packet = wide_picture_id(HEADER + payload)
    READ_PICTURE[codec](packet)
    read_size(codec, packet)
