"""The checker of `bench.lesson` must see what it is there for."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import pytest

from bench.lesson_slot import Slot
from bench.lesson_stamp import STAMP
from webrtc.rtp.packet import HEADER

OWN = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Packet:
    """By default the only one of a keyframe in temporal layer 0."""

    sequence: int = 100
    timestamp: int = 3000
    marker: bool = True
    picture_id: int = 50
    tl0picidx: int = 9
    temporal: int = 0
    key: bool = True
    source: int = 1
    layer: int = 0
    frame: int = 5
    base: int = 3
    place: int = 0
    packets: int = 1

    def to_bytes(self) -> bytes:
        descriptor = bytes((0x80 | (self.place == 0) << 4, 0xE0))
        descriptor += (0x8000 | self.picture_id).to_bytes(2, "big") + bytes((self.tl0picidx, self.temporal << 6))
        stamp = STAMP.pack(0, self.source, self.layer, self.frame, self.base, self.place, self.packets)
        header = HEADER.pack(0x80, 96 | self.marker << 7, self.sequence, self.timestamp, 1)
        return header + descriptor + bytes((not self.key,)) + bytes(9) + stamp


FIRST = Packet()
SECOND = replace(
    FIRST, sequence=101, timestamp=6000, picture_id=51, temporal=2, key=False, frame=6
)  # does not count for the base layer
THIRD = replace(SECOND, sequence=102, timestamp=9000, picture_id=52, tl0picidx=10, temporal=0, frame=7, base=4)
OTHER = replace(
    FIRST,
    sequence=102,
    timestamp=9000,
    picture_id=52,
    tl0picidx=10,
    source=2,
    frame=90,
    base=40,
    packets=2,
    marker=False,
)


def received(*packets: Packet) -> Slot:
    slot = Slot(mid="0", kind="video", ssrc=1, own=OWN)
    for number, packet in enumerate(packets):
        slot.take(memoryview(packet.to_bytes()), 12, now=number / 30)
    return slot


def test_a_stream_that_continues_has_no_errors() -> None:
    slot = received(FIRST, SECOND, THIRD)
    assert (slot.errors, slot.missing, slot.frames) == ({}, {}, {0: 3})


def test_a_switch_at_a_keyframe_is_none_either() -> None:
    slot = received(FIRST, SECOND, OTHER)
    assert (slot.errors, slot.switches, slot.layer_switches) == ({}, 1, 0)


def test_a_gap_is_missed_until_it_is_filled() -> None:
    slot = received(FIRST, THIRD)
    assert list(slot.missing) == [101]
    slot.take(memoryview(SECOND.to_bytes()), 12, now=0.2)
    assert (slot.missing, slot.repaired) == ({}, 1)


def test_a_source_left_in_the_middle_of_a_frame_may_skip_one_number() -> None:
    slot = received(FIRST, replace(SECOND, packets=2, marker=False), replace(OTHER, sequence=103))
    assert (slot.errors, slot.missing, slot.cuts) == ({}, {}, 1)


@pytest.mark.parametrize(
    ("packet", "errors"),
    [
        (replace(SECOND, timestamp=3000), {"timestamp": 1}),
        (replace(SECOND, timestamp=1000), {"timestamp": 1}),
        (replace(SECOND, picture_id=52), {"picture id": 1}),
        (replace(SECOND, tl0picidx=10), {"tl0picidx": 1}),
        (replace(SECOND, temporal=0, tl0picidx=10, base=5), {"reference missing": 1}),
        (replace(SECOND, place=1, packets=2), {"cut frame": 1}),
        (replace(SECOND, source=2), {"switch without keyframe": 1}),
        (replace(SECOND, source=OWN, key=True), {"own room": 1}),
        (replace(SECOND, sequence=100), {"repeated": 1}),
    ],
)
def test_what_a_decoder_would_stumble_over_is_seen(packet: Packet, errors: Mapping[str, int]) -> None:
    assert received(FIRST, packet).errors == errors
