"""How large pictures are, read from the headers that real encoders write, and from forms that none of them writes."""

from fractions import Fraction

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from webrtc.rtp.payload import read_size
from webrtc.rtp.sequence_header import UNKNOWN_SIZE, Size, read_av1_sequence, read_sps

RTP = bytes.fromhex("80e0123400000bb8cafebabe")
H264_FORMATS = [  # profile, pixels, options of x264
    ("baseline", "yuv420p", ""),
    ("main", "yuv420p", "bframes=3"),
    ("high", "yuv420p", ""),
    ("high", "yuv420p", "cqm=jvt"),
    ("high", "gray", ""),
    ("high10", "yuv420p10le", ""),
    ("high422", "yuv422p", "cqm=jvt"),
    ("high422", "yuv422p10le", ""),
    ("high444", "yuv444p", "cqm=jvt"),
    ("high444", "yuv444p10le", ""),
]


def encoded(profile: str, pixels: str, options: str, size: Size) -> bytes:
    """The first picture, as x264 writes it."""
    encoder = av.CodecContext.create("libx264", "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height = size
    encoder.pix_fmt, encoder.time_base = pixels, Fraction(1, 30)
    encoder.options = {"profile": profile, "preset": "fast", "tune": "zerolatency", "x264-params": options}
    frame = av.VideoFrame(*size, pixels)
    frame.pts = 0
    for plane in frame.planes:
        plane.update(bytes(plane.buffer_size))
    return b"".join(bytes(packet) for packet in [*encoder.encode(frame), *encoder.encode(None)])


@pytest.mark.parametrize("size", [Size(320, 180), Size(1280, 720), Size(322, 182)])
@pytest.mark.parametrize(("profile", "pixels", "options"), H264_FORMATS)
def test_h264_of_every_profile_tells_its_size(profile: str, pixels: str, options: str, size: Size) -> None:
    stream = encoded(profile, pixels, options, size).replace(b"\0\0\0\1", b"\0\0\1")
    unit = next(each for each in stream.split(b"\0\0\1") if each and each[0] & 0x1F == 7)
    assert read_sps(unit) == size
    assert read_size("H264", RTP + unit) == size
    assert read_size("H264", RTP + b"\x78" + len(unit).to_bytes(2, "big") + unit) == size


class Bits:
    """Writes bit strings."""

    def __init__(self) -> None:
        self._digits = ""

    def bits(self, count: int, value: int) -> "Bits":
        self._digits += format(value, f"0{count}b")
        return self

    def golomb(self, *values: int) -> "Bits":
        for value in values:
            self._digits += format(value + 1, "b").zfill(2 * (value + 1).bit_length() - 1)
        return self

    def signed(self, *values: int) -> "Bits":
        return self.golomb(*(2 * value - 1 if value > 0 else -2 * value for value in values))

    def octets(self) -> bytes:
        digits = self._digits + "1"
        digits += "0" * (-len(digits) % 8)
        return int(digits, 2).to_bytes(len(digits) // 8, "big")


def test_h264_with_all_that_a_sequence_may_have_tells_its_size() -> None:
    sps = Bits().golomb(0, 1, 0, 0).bits(1, 0).bits(1, 1)  # 4:2:0, with scaling:
    sps.bits(1, 1).signed(*[1, -1] * 8).bits(1, 1).signed(-8).bits(4, 0).bits(1, 1).signed(*[0] * 64).bits(1, 0)
    sps.golomb(0, 1).bits(1, 0).signed(-3, 4).golomb(3).signed(1, -2, 300)  # order of type 1
    sps.golomb(4).bits(1, 0).golomb(79, 22).bits(3, 0b011).bits(1, 1).golomb(0, 0, 0, 4)  # fields: 1280 x 736, cut
    assert read_sps(b"\x67\x64\x00\x1f" + sps.octets()) == Size(1280, 736 - 4 * 4)


SVT_AV1 = {  # sequence headers
    Size(320, 180): "000000043cfecc6af98040",
    Size(640, 360): "0000000cc4ff671abe6010",
    Size(1280, 720): "0000002d4cffb3c6af9804",
}


@pytest.mark.parametrize(("size", "header"), SVT_AV1.items())
def test_av1_tells_its_size(size: Size, header: str) -> None:
    sequence = bytes.fromhex(header)
    assert read_av1_sequence(sequence) == size
    length = bytes((1 + len(sequence),))
    for payload in (
        b"\x18\x08" + sequence,  # one element
        b"\x28" + length + b"\x08" + sequence + b"\x30frame",  # two, of which the last has no length
        b"\x08" + length + b"\x08" + sequence + b"\x06\x30frame",  # all have
        b"\x28" + bytes((3 + len(sequence),)) + b"\x0e\x00" + bytes((len(sequence),)) + sequence + b"\x30",
    ):
        assert read_size("AV1", RTP + payload) == size
    assert read_size("AV1", RTP + b"\x10\x08" + sequence) == UNKNOWN_SIZE  # no new sequence


def test_av1_with_all_that_a_sequence_may_have_tells_its_size() -> None:
    header = Bits().bits(5, 0).bits(1, 1).bits(32, 1).bits(32, 30).bits(1, 1).golomb(0)  # timing,
    header.bits(1, 1).bits(5, 9).bits(32, 1).bits(10, 0).bits(1, 1).bits(5, 1)  # a decoder's model, two points:
    header.bits(12, 0x101).bits(5, 9).bits(1, 0).bits(1, 1).bits(21, 0).bits(1, 1).bits(4, 3)
    header.bits(12, 0x103).bits(5, 4).bits(1, 0).bits(1, 0)
    header.bits(4, 10).bits(4, 9).bits(11, 1279).bits(10, 719)
    assert read_av1_sequence(header.octets()) == Size(1280, 720)
    still = Bits().bits(4, 1).bits(1, 1).bits(5, 0).bits(4, 9).bits(4, 8).bits(10, 639).bits(9, 359)
    assert read_av1_sequence(still.octets()) == Size(640, 360)


@given(st.binary(max_size=200))
def test_any_header_is_read(octets: bytes) -> None:
    for size in (read_sps(octets), read_av1_sequence(octets)):
        assert size == UNKNOWN_SIZE or min(size) > 0
