"""Layers and the slots that carry them, packet by packet, through real SRTP."""

import pytest

from tests.webrtc.wire import Vp8Sender, Wire, contents, sequences
from webrtc.forwarding.forward import Forwarder
from webrtc.forwarding.layers import Layer, Source
from webrtc.forwarding.routing import WHOLE, Reduction
from webrtc.forwarding.slots import Formats, Slot
from webrtc.forwarding.track import SourceClock, Track
from webrtc.rtp.packet import HEADER
from webrtc.rtp.payload import read_vp8
from webrtc.rtp.sequence_header import Size
from webrtc.sdp.offer import Codec
from webrtc.shared.ids import ClientId, TrackId
from webrtc.shared.state import Role

VP8 = Codec(name="VP8", payload_type=96, clock_rate=90_000, feedback=("nack", "nack pli"))
H264 = Codec(name="H264", payload_type=98, clock_rate=90_000, feedback=("nack", "nack pli"))
OPUS = Codec(name="OPUS", payload_type=111, clock_rate=48_000)
RED = Codec(name="RED", payload_type=63, clock_rate=48_000, parameters={"111/111": ""})
BASE, STILL = Reduction(base_only=True), Reduction(still=True)
FORWARDER = Forwarder()


def layer(rid: str = "", *codecs: Codec) -> Layer:
    chosen = codecs or (VP8,)
    kind = "video" if VP8 in chosen else "audio"
    track = Track(
        id=TrackId(rid),
        kind=kind,  # type: ignore[arg-type]
        ssrc=1,
        payload_types={codec.payload_type: codec for codec in chosen},
        clock=SourceClock(),
        rid=rid,
    )
    return Layer(track=track, send=FORWARDER.send, ask=lambda track, now: None)


def video_slot(wire: Wire, *, rtx: bool = True, mid: str = "0") -> Slot:
    formats = Formats(payload_types={"VP8": 100}, rtx={100: 101} if rtx else {})
    return Slot(
        mid=mid,
        kind="video",
        role=Role.STAGE,
        ssrc=7,
        rtx_ssrc=8 if rtx else None,
        formats=formats,
        outlet=wire.outlet,
    )


def consecutive(numbers: list[int]) -> bool:
    return all((b - a) & 0xFFFF == 1 for a, b in zip(numbers, numbers[1:], strict=False))


def send(to: Layer, packets: list[bytes], now: float) -> None:
    for packet in packets:
        to.forward(packet, now)


def test_switch_of_layers_waits_for_the_keyframe_and_goes_on_without_a_gap() -> None:
    wire, low, high = Wire(transport_cc=3), layer("q"), layer("f")
    slot = video_slot(wire)
    small, large = Vp8Sender(ssrc=1, sequence=65530), Vp8Sender(ssrc=2, sequence=900, timestamp=77, picture=500)
    low.add(slot, 0.0)
    send(low, small.frame(key=True), 0.0)
    high.add(slot, 0.1)
    for i in range(1, 9):  # across the wrap of the sequence number
        send(high, large.frame(), i / 30)
        send(low, small.frame(parts=2), i / 30)
    send(high, large.frame(key=True, parts=3), 0.3)
    send(low, small.frame(), 0.31)  # not of this slot any more
    send(high, large.frame(), 0.33)
    assert consecutive(sequences(wire.packets))
    assert contents(wire.packets) == [
        (0, 0),
        *((i, part) for i in range(1, 9) for part in range(2)),
        *((252, part) for part in range(3)),
        (253, 0),
    ]
    pictures = [read_vp8(packet).picture_id for packet in wire.packets]
    assert all((b - a) & 0x7FFF in (0, 1) for a, b in zip(pictures, pictures[1:], strict=False))
    assert wire.numbers == list(range(len(wire.packets)))


def test_base_layer_alone_has_no_gaps_and_comes_back_whole() -> None:
    wire, here = Wire(), layer()
    slot, sender = video_slot(wire, rtx=False), Vp8Sender(ssrc=1, flat=False)
    here.add(slot, 0.0)
    send(here, sender.frame(key=True), 0.0)
    here.reduce(slot, BASE)
    for i in range(1, 9):
        send(here, sender.frame(parts=2), i / 30)
    here.reduce(slot, WHOLE)
    for i in range(9, 13):
        send(here, sender.frame(), i / 30)
    assert contents(wire.packets) == [
        (0, 0),
        *((i, part) for i in (2, 4, 6, 8) for part in range(2)),
        *((i, 0) for i in (9, 10, 11, 12)),
    ]
    assert consecutive(sequences(wire.packets))
    pictures = [read_vp8(packet).picture_id for packet in wire.packets]
    assert sorted({(each - pictures[0]) & 0x7FFF for each in pictures}) == list(range(9))


@pytest.mark.parametrize(
    ("before", "after", "frames"), [(BASE, WHOLE, (2, 2, 3, 3, 4, 4)), (WHOLE, BASE, (1, 1, 1, 2, 2, 4, 4))]
)
def test_higher_layers_neither_come_nor_go_in_the_middle_of_a_picture(
    before: Reduction, after: Reduction, frames: tuple[int, ...]
) -> None:
    wire, here = Wire(), layer()
    slot, sender = video_slot(wire, rtx=False), Vp8Sender(ssrc=1, flat=False)
    here.add(slot, 0.0)
    send(here, sender.frame(key=True), 0.0)
    here.reduce(slot, before)
    first, *rest = sender.frame(parts=3)  # of the higher layer
    send(here, [first], 0.1)
    here.reduce(slot, after)
    send(here, rest, 0.1)
    for i in range(2, 5):
        send(here, sender.frame(parts=2), i / 30)
    assert tuple(frame for frame, _ in contents(wire.packets)) == (0, *frames)
    assert consecutive(sequences(wire.packets))
    pictures = [read_vp8(packet).picture_id for packet in wire.packets]
    assert [(each - pictures[0]) & 0x7FFF for each in pictures] == [
        sorted({0, *frames}).index(each) for each in (0, *frames)
    ]


def test_what_the_next_layer_is_to_be_changes_nothing_of_this_one() -> None:
    wire, low, high = Wire(), layer("q"), layer("f")
    slot, small, large = video_slot(wire), Vp8Sender(ssrc=1, flat=False), Vp8Sender(ssrc=2, picture=76, flat=False)
    high.add(slot, 0.0)
    send(high, large.frame(key=True), 0.0)
    high.reduce(slot, BASE)
    first, *rest = large.frame(parts=3)  # of the higher layer
    send(high, [first], 0.1)
    low.add(slot, 0.1)  # all of it
    send(high, rest, 0.1)
    low.add(slot, 0.2, BASE)
    send(low, small.frame(key=True), 0.2)
    for i in range(2):
        send(low, small.frame(), 0.3 + i)
    assert contents(wire.packets) == [(76, 0), (0, 0), (2, 0)]
    assert consecutive(sequences(wire.packets))


def test_switch_behind_a_packet_that_was_left_out_goes_on_without_a_gap() -> None:
    wire, low, high = Wire(), layer("q"), layer("f")
    slot, small, large = video_slot(wire), Vp8Sender(ssrc=1, flat=False), Vp8Sender(ssrc=2, picture=77)
    low.add(slot, 0.0)
    send(low, small.frame(key=True), 0.0)
    low.reduce(slot, BASE)
    for i in range(1, 4):
        send(low, small.frame(parts=2), i / 30)  # the first and the last are left out
    high.add(slot, 0.1)
    send(high, large.frame(key=True), 0.12)
    assert contents(wire.packets) == [(0, 0), (2, 0), (2, 1), (77, 0)]
    assert consecutive(sequences(wire.packets))
    pictures = [read_vp8(packet) for packet in wire.packets]
    assert [(each.picture_id - pictures[0].picture_id) & 0x7FFF for each in pictures] == [0, 1, 1, 2]
    assert (pictures[3].tl0picidx - pictures[2].tl0picidx) & 0xFF == 1


def test_nothing_is_left_out_behind_a_gap_and_the_late_packet_finds_its_place() -> None:
    wire, here = Wire(), layer()
    slot, sender = video_slot(wire, rtx=False), Vp8Sender(ssrc=1, flat=False)
    here.add(slot, 0.0)
    send(here, sender.frame(key=True), 0.0)
    here.reduce(slot, BASE)
    send(here, sender.frame(), 0.1)  # left out
    lost = sender.frame()
    send(here, sender.frame(), 0.2)  # of the higher layer, but who knows what was before it
    send(here, sender.frame(), 0.3)
    send(here, lost, 0.4)
    assert contents(wire.packets) == [(0, 0), (3, 0), (4, 0), (2, 0)]
    first, after, later, late = sequences(wire.packets)
    assert [(each - first) & 0xFFFF for each in (late, after, later)] == [1, 2, 3]


def test_still_is_one_whole_picture_at_a_time() -> None:
    wire, here = Wire(), layer()
    slot, sender = video_slot(wire, rtx=False), Vp8Sender(ssrc=1)
    here.add(slot, 0.0, STILL)
    for i in range(20):
        send(here, sender.frame(key=i in (0, 10), parts=2), i / 30)
        if i == 8:
            here.add(slot, i / 30, STILL)
    assert contents(wire.packets) == [(0, 0), (0, 1), (10, 0), (10, 1)]
    assert consecutive(sequences(wire.packets))
    times = [HEADER.unpack_from(packet)[3] for packet in wire.packets]
    assert 25_000 < (times[2] - times[0]) & 0xFFFFFFFF < 35_000  # the third of a second in between


def test_still_without_its_last_packet_still_counts() -> None:
    wire, here = Wire(), layer()
    slot, sender = video_slot(wire), Vp8Sender(ssrc=1)
    here.add(slot, 0.0, STILL)
    first, *lost = sender.frame(key=True, parts=3)
    send(here, [first], 0.0)
    send(here, sender.frame(), 0.1)  # the picture is over, whatever was in it
    here.add(slot, 0.2, STILL)
    send(here, sender.frame(key=True), 0.3)
    pictures = [read_vp8(packet) for packet in wire.packets]
    assert contents(wire.packets) == [(0, 0), (2, 0)]
    assert 1 <= (pictures[1].picture_id - pictures[0].picture_id) & 0x7FFF <= 2  # not the same number twice
    assert 1 <= (pictures[1].tl0picidx - pictures[0].tl0picidx) & 0xFF <= 2
    numbers = sequences(wire.packets)
    assert (numbers[1] - numbers[0]) & 0xFFFF > len(lost)  # they may still come


def test_same_packet_twice_goes_out_once() -> None:
    wire, here = Wire(), layer()
    sender = Vp8Sender(ssrc=1)
    here.add(video_slot(wire), 0.0)
    packets = sender.frame(key=True, parts=3)
    send(here, packets + packets, 0.0)
    assert contents(wire.packets) == [(0, 0), (0, 1), (0, 2)]


def test_redundancy_is_stripped_for_who_does_not_take_it() -> None:
    plain, both, other = Wire(), Wire(), Wire()
    here = layer("", OPUS, RED)
    formats = [
        (plain, Formats(payload_types={"OPUS": 120})),
        (both, Formats(payload_types={"OPUS": 111, "RED": 63}, redundant=111)),
        (other, Formats(payload_types={"OPUS": 96, "RED": 97}, redundant=96)),
    ]
    for wire, takes in formats:
        slot = Slot(mid="0", kind="audio", role=Role.VOICE, ssrc=7, rtx_ssrc=None, formats=takes, outlet=wire.outlet)
        here.add(slot, 0.0)
    red = HEADER.pack(0x80, 63, 5, 960, 1) + bytes.fromhex("ef000002" + "6f" + "1111" + "aabb")
    here.forward(red, 0.0)
    assert [(packet[1], packet[12:]) for wire in (plain, both, other) for packet in wire.packets] == [
        (120, b"\xaa\xbb"),
        (63, red[12:]),
        (96, b"\xaa\xbb"),
    ]


def test_sound_is_repeated_as_it_was_sent_without_its_redundancy() -> None:
    wire, here = Wire(), layer("", RED, OPUS)
    opus = Formats(payload_types={"OPUS": 120})
    slot = Slot(mid="0", kind="audio", role=Role.VOICE, ssrc=7, rtx_ssrc=None, formats=opus, outlet=wire.outlet)
    here.add(slot, 0.0)
    here.forward(HEADER.pack(0x80, 63, 5, 960, 1) + bytes.fromhex("ef000002" + "6f" + "1111" + "aabb"), 0.0)
    [packet] = wire.take()
    found = slot.find(HEADER.unpack_from(packet)[2], now=1.0)
    assert found is not None
    FORWARDER.repeat(slot, *found, now=1.0)
    assert (wire.repeated, wire.packets) == (1, [])


def test_retransmission_has_a_stream_of_its_own() -> None:
    wire, here = Wire(transport_cc=3), layer()
    slot, sender = video_slot(wire), Vp8Sender(ssrc=1, picture=9)
    here.add(slot, 0.0)
    send(here, sender.frame(key=True, parts=2), 0.0)
    first, second = wire.take()
    for packet in (second, first):
        found = slot.find(HEADER.unpack_from(packet)[2], now=1.0)
        assert found is not None
        FORWARDER.repeat(slot, *found, now=1.0)
    repeated = wire.take()
    assert [(packet[1] & 0x7F, HEADER.unpack_from(packet)[4]) for packet in repeated] == [(101, 8)] * 2
    assert [packet[12:] for packet in repeated] == [second[2:4] + second[12:], first[2:4] + first[12:]]
    assert consecutive(sequences(repeated))
    assert wire.numbers == [0, 1, 2, 3]


def test_without_a_stream_of_its_own_only_the_same_octets_are_repeated() -> None:
    plain, numbered = Wire(), Wire(transport_cc=3)
    for wire in (plain, numbered):
        here, slot = layer(), video_slot(wire, rtx=False)
        here.add(slot, 0.0)
        send(here, Vp8Sender(ssrc=1).frame(key=True), 0.0)
        [sent] = wire.take()
        found = slot.find(HEADER.unpack_from(sent)[2], now=1.0)
        assert found is not None
        FORWARDER.repeat(slot, *found, now=1.0)
    assert (plain.repeated, plain.packets, numbered.repeated, numbered.packets) == (1, [], 0, [])


def test_what_was_sent_is_repeated_as_it_was_also_when_the_codec_is_another_by_now() -> None:
    wire, here = Wire(), layer("", VP8, H264)
    formats = Formats(payload_types={"VP8": 100, "H264": 102})
    slot = Slot(mid="0", kind="video", role=Role.STAGE, ssrc=7, rtx_ssrc=None, formats=formats, outlet=wire.outlet)
    here.add(slot, 0.0)
    send(here, Vp8Sender(ssrc=1, sequence=9).frame(key=True), 0.0)
    here.forward(HEADER.pack(0x80, 0x80 | H264.payload_type, 10, 3000, 1) + b"\x65\x88", 0.1)
    first, second = wire.take()
    assert [packet[1] & 0x7F for packet in (first, second)] == [100, 102]
    found = slot.find(HEADER.unpack_from(first)[2], now=1.0)
    assert found is not None
    FORWARDER.repeat(slot, *found, now=1.0)
    assert (wire.repeated, wire.packets) == (1, [])


def test_picture_ids_go_on_when_the_sender_comes_back_to_a_codec() -> None:
    wire, here = Wire(), layer("", VP8, H264)
    formats = Formats(payload_types={"VP8": 100, "H264": 102})
    slot = Slot(mid="0", kind="video", role=Role.STAGE, ssrc=7, rtx_ssrc=None, formats=formats, outlet=wire.outlet)
    sender = Vp8Sender(ssrc=1, sequence=9)
    here.add(slot, 0.0)
    for frame in (sender.frame(key=True), sender.frame()):
        send(here, frame, 0.0)
    here.forward(HEADER.pack(0x80, 0x80 | H264.payload_type, 11, 9000, 1) + b"\x65\x88", 0.1)
    again = Vp8Sender(ssrc=1, sequence=12, timestamp=12_000, picture=77)
    send(here, again.frame(key=True), 0.2)
    pictures = [read_vp8(packet).picture_id for packet in wire.packets if packet[1] & 0x7F == 100]
    assert [(each - pictures[0]) & 0x7FFF for each in pictures] == [0, 1, 2]


def test_layer_that_comes_to_nothing_but_padding_counts_as_stopped() -> None:
    low, high = layer("q"), layer("f")
    source = Source(client=ClientId("c"), kind="video", rids=("f", "q"), layers=[low, high])
    small, large = Vp8Sender(ssrc=1), Vp8Sender(ssrc=2)
    for i in range(30):
        send(low, small.frame(key=i == 0), i / 30)
        send(high, large.frame(key=i == 0) if i < 10 else padding(large), i / 30)
    assert (source.alive(low), source.alive(high)) == (True, False)
    assert (high.track.packets, high.track.lost, high.track.frames, high.track.arrived_at) == (30, 0, 9, 9 / 30)
    for i in range(30, 200):
        send(low, padding(small), i / 30)
    assert (source.flows(6.0), source.gone(6.0)) == (False, True)


def padding(sender: Vp8Sender) -> list[bytes]:
    """The next packet of the sender, without a payload and of the picture before."""
    [packet] = sender.frame()
    return [HEADER.pack(0x80, 96, HEADER.unpack_from(packet)[2], 0, 1)]


def test_padding_behind_a_picture_is_no_cut_of_it() -> None:
    wire, low, high = Wire(), layer("q"), layer("f")
    slot, small, large = video_slot(wire), Vp8Sender(ssrc=1, flat=False), Vp8Sender(ssrc=2)
    low.add(slot, 0.0)
    send(low, small.frame(key=True), 0.0)
    low.reduce(slot, BASE)
    [packet] = small.frame()  # whose number the padding has
    send(low, [HEADER.pack(0x80, 96, HEADER.unpack_from(packet)[2], 0, 1)], 0.1)
    send(low, small.frame(), 0.2)
    send(low, padding(small), 0.2)
    high.add(slot, 0.3)
    send(high, large.frame(key=True), 0.3)
    assert consecutive(sequences(wire.packets))


def test_padding_is_nothing_but_padding() -> None:
    wire, here = Wire(transport_cc=3), layer()
    slot = video_slot(wire)
    here.add(slot, 0.0)
    send(here, Vp8Sender(ssrc=1).frame(key=True), 0.0)
    wire.take()
    assert FORWARDER.pad(slot, 1.0) == 20 + 255
    [packet] = wire.take()
    assert (packet[1], HEADER.unpack_from(packet)[4], packet[12:]) == (101, 8, b"")


def test_link_is_tried_with_packets_that_were_sent_before_where_they_are_larger() -> None:
    wire, here = Wire(transport_cc=3), layer()
    slot = video_slot(wire)
    here.add(slot, 0.0)
    large = [packet + bytes(1000) for packet in Vp8Sender(ssrc=1).frame(key=True, parts=40)]
    send(here, large, 0.0)
    sent = {packet[2:4]: packet[12:] for packet in wire.take()}
    assert FORWARDER.pad(slot, 1.0) > 1000
    [packet] = wire.take()
    assert sent[packet[12:14]] == packet[14:]


def test_layer_is_wanted_for_a_while_after_the_last_wish() -> None:
    here = layer()
    assert not here.wanted(1.0)
    here.want(1.0)
    assert (here.wanted(8.9), here.wanted(9.1)) == (True, False)


@pytest.mark.parametrize(
    ("heights", "order"),
    [
        ({}, "cba"),  # the first one offered is the largest (RFC 8853 5.2)
        ({"b": 360}, "cba"),
        ({"a": 720, "c": 180}, "cba"),
        ({"a": 180, "c": 720}, "abc"),
        ({"a": 180, "b": 360, "c": 720}, "abc"),
        ({"a": 360, "b": 720, "c": 180}, "cab"),
    ],
)
@pytest.mark.parametrize("came", ["abc", "bca", "cba"])
def test_layers_are_in_the_order_of_their_pictures_the_smallest_first(
    came: str, heights: dict[str, int], order: str
) -> None:
    source = Source(client=ClientId("c"), kind="video", rids=("a", "b", "c"))
    for rid in came:
        source.add(layer(rid))
    for each in source.layers:
        each.track.size = Size(16, heights.get(each.track.rid, 0))
    source.sort()
    assert "".join(each.track.rid for each in source.layers) == order


def test_order_follows_at_once_when_a_size_becomes_known() -> None:
    source = Source(client=ClientId("c"), kind="video", rids=("a", "b"))
    for rid in "ab":
        source.add(layer(rid))
    for each, (width, height) in zip(list(source.layers), ((1280, 720), (320, 180)), strict=True):
        size = width.to_bytes(2, "little") + height.to_bytes(2, "little")
        each.forward(HEADER.pack(0x80, 0xE0, 1, 0, 1) + bytes.fromhex("1000") + b"\0\0\x9d\x01\x2a" + size, 0.0)
    assert [each.track.rid for each in source.layers] == ["a", "b"]
    first = layer("c")
    first.begin(HEADER.pack(0x80, 0xE0, 1, 0, 1) + bytes.fromhex("90800100") + b"\0\0\x9d\x01\x2a" + size)
    assert first.track.size == Size(320, 180)
