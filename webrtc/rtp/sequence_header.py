"""The size of the pictures of a sequence, read from its header.

H.264: ITU-T H.264 7.3.2.1.1, any profile of RFC 6184. AV1: AV1 Bitstream 5.5. Any octets are read; what is cut off or
makes no sense has no known size.
"""

from functools import lru_cache
from typing import NamedTuple

MAX_OCTETS = 160  # of a header that are read; only scaling lists make it longer, and no call has these
MOST = 16384  # pixels of a side
# profile_idc of High, of all above, and of what extends them (7.3.2.1.1): these have a field for colour sampling.
SAMPLED = frozenset({44, 83, 86, 100, 110, 118, 122, 128, 134, 135, 138, 139, 244})
# The pixels that cropping counts in, across and down, by ChromaArrayType.
CROPPED = {0: (1, 1), 1: (2, 2), 2: (2, 1), 3: (1, 1)}


class Size(NamedTuple):
    """The size of a picture, in pixels."""

    width: int
    height: int


UNKNOWN_SIZE = Size(0, 0)


class _Bits:
    """Reads bit strings; past the end it raises `IndexError`."""

    def __init__(self, octets: bytes) -> None:
        self._value, self._left = int.from_bytes(octets, "big"), 8 * len(octets)

    def bits(self, count: int) -> int:
        if count > self._left:
            raise IndexError
        self._left -= count
        return self._value >> self._left & ((1 << count) - 1)

    def golomb(self) -> int:
        """Exp-Golomb (H.264 9.1), which is AV1's uvlc, too."""
        rest = self._value & ((1 << self._left) - 1)
        return self.bits(2 * (self._left - rest.bit_length()) + 1) - 1

    def signed(self) -> int:
        value = self.golomb()
        return (value + 1) // 2 if value & 1 else -(value // 2)


def _checked(width: int, height: int) -> Size:
    return Size(width, height) if 0 < width < MOST and 0 < height < MOST else UNKNOWN_SIZE


# -- H.264


@lru_cache(maxsize=256)
def read_sps(unit: bytes) -> Size:
    """The size in a sequence parameter set, given from the octet of its NAL unit's type on."""
    try:
        # Without the emulation prevention (7.4.1).
        return _read_sps(unit[1], _Bits(unit[4:MAX_OCTETS].replace(b"\0\0\3", b"\0\0")))
    except IndexError:
        return UNKNOWN_SIZE


def _read_sps(profile: int, read: _Bits) -> Size:
    """`read` stands behind profile and level."""
    read.golomb()  # seq_parameter_set_id
    chroma = _read_sampling(read) if profile in SAMPLED else 1
    read.golomb()  # log2_max_frame_num_minus4
    _skip_order(read)
    read.golomb()  # max_num_ref_frames
    read.bits(1)
    width, rows = 16 * (read.golomb() + 1), read.golomb() + 1
    frames_only = read.bits(1)
    if not frames_only:
        read.bits(1)
    height = 16 * rows * (2 - frames_only)
    read.bits(1)
    if read.bits(1):
        left, right, top, bottom = (read.golomb() for _ in range(4))
        across, down = CROPPED[chroma]
        width, height = width - across * (left + right), height - down * (2 - frames_only) * (top + bottom)
    return _checked(width, height)


def _read_sampling(read: _Bits) -> int:
    """ChromaArrayType. Raises `IndexError` where there is no such format."""
    chroma = read.golomb()
    if chroma > 3:
        raise IndexError
    planes = read.bits(1) if chroma == 3 else 0
    read.golomb()  # bit_depth_luma_minus8
    read.golomb()  # bit_depth_chroma_minus8
    read.bits(1)
    if read.bits(1):
        for place in range(12 if chroma == 3 else 8):
            if read.bits(1):
                _skip_scaling(read, 16 if place < 6 else 64)
    return 0 if planes else chroma


def _skip_scaling(read: _Bits, size: int) -> None:
    last = following = 8
    for _ in range(size):
        if following:
            following = (last + read.signed()) % 256
        last = following or last


def _skip_order(read: _Bits) -> None:
    """The fields that give the order of pictures."""
    order = read.golomb()
    if order == 0:
        read.golomb()  # log2_max_pic_order_cnt_lsb_minus4
    elif order == 1:
        read.bits(1)
        read.signed()
        read.signed()
        for _ in range(read.golomb()):
            read.signed()


# -- AV1


@lru_cache(maxsize=256)
def read_av1_sequence(header: bytes) -> Size:
    """The size of the largest frame by a sequence header, given without the header of its OBU."""
    try:
        return _read_av1_sequence(_Bits(header[:MAX_OCTETS]))
    except IndexError:
        return UNKNOWN_SIZE


def _read_av1_sequence(read: _Bits) -> Size:
    read.bits(4)  # seq_profile, still_picture
    if read.bits(1):  # reduced_still_picture_header
        read.bits(5)
    else:
        _skip_operating_points(read)
    width_bits, height_bits = read.bits(4) + 1, read.bits(4) + 1
    return _checked(read.bits(width_bits) + 1, read.bits(height_bits) + 1)


def _skip_operating_points(read: _Bits) -> None:
    delay_bits = 0  # of a decoder's buffer, where there is a model of it
    if read.bits(1):  # timing_info_present_flag
        read.bits(64)
        if read.bits(1):
            read.golomb()
        if read.bits(1):  # decoder_model_info_present_flag
            delay_bits = read.bits(5) + 1
            read.bits(42)
    delays = read.bits(1)  # initial_display_delay_present_flag
    for _ in range(read.bits(5) + 1):
        read.bits(12)
        if read.bits(5) > 7:  # seq_level_idx
            read.bits(1)
        if delay_bits and read.bits(1):
            read.bits(2 * delay_bits + 1)
        if delays and read.bits(1):
            read.bits(4)
