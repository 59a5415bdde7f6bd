"""Slots as a subscriber sees them, across changes of source."""

import pytest

from webrtc.forwarding.outlet import Outlet
from webrtc.forwarding.slots import MAX_RESENDS, RESEND_S, Formats, Route, Slot
from webrtc.forwarding.track import SourceClock, Track
from webrtc.rtp.packet import HEADER
from webrtc.rtp.payload import read_vp8
from webrtc.rtp.rtcp import SenderReport
from webrtc.sdp.offer import Codec
from webrtc.shared.ids import TrackId
from webrtc.shared.state import Role

VP8 = Codec(name="VP8", payload_type=96, clock_rate=90_000, feedback=("nack",))
OPUS = Codec(name="OPUS", payload_type=111, clock_rate=48_000)


class Source:
    """A sender of VP8 frames, one packet each unless `marker` is False."""

    def __init__(self, *, sequence: int, timestamp: int, picture_id: int) -> None:
        self.track = Track(id=TrackId("t"), kind="video", ssrc=1, payload_types={96: VP8}, clock=SourceClock())
        self.track.use(96)
        self.sequence, self.timestamp, self.picture_id = sequence, timestamp, picture_id

    def packet(self, *, key: bool = False, marker: bool = True) -> bytes:
        header = HEADER.pack(0x80, 96 | marker << 7, self.sequence, self.timestamp, 1)
        descriptor = (
            bytes((0x90, 0xC0)) + (0x8000 | self.picture_id).to_bytes(2, "big") + bytes((self.picture_id & 0xFF,))
        )
        self.sequence = (self.sequence + 1) & 0xFFFF
        if marker:
            self.picture_id = (self.picture_id + 1) & 0x7FFF
            self.timestamp = (self.timestamp + 3000) & 0xFFFFFFFF
        return header + descriptor + bytes((not key,))

    def take(self, packet: bytes, now: float) -> int:
        _, _, sequence, timestamp, _ = HEADER.unpack_from(packet)
        return self.track.receive(packet, sequence, timestamp, now)


def slot() -> Slot:
    return video_slot(VP8=120)


def video_slot(**payload_types: int) -> Slot:
    formats = Formats(payload_types=payload_types)
    return Slot(mid="0", kind="video", role=Role.STAGE, ssrc=77, rtx_ssrc=None, formats=formats, outlet=Outlet())


def sent(route: Route, packet: bytes, number: int) -> tuple[int, int, int, int]:
    """(sequence, timestamp, picture id, tl0picidx) of a packet as the subscriber gets it."""
    picture = read_vp8(packet)
    return (
        (number + route.sequence) & 0xFFFF,
        (HEADER.unpack_from(packet)[3] + route.timestamp) & 0xFFFFFFFF,
        (picture.picture_id + route.picture_id) & 0x7FFF,
        (picture.tl0picidx + route.tl0picidx) & 0xFF,
    )


def switch(slot: Slot, source: Source, now: float) -> tuple[int, int, int, int]:
    packet = source.packet(key=True)
    number = source.take(packet, now)
    return sent(slot.switch(source.track, packet, number, now), packet, number)


def test_change_of_source_is_seamless() -> None:
    here = slot()
    one = Source(sequence=65534, timestamp=2**32 - 3000, picture_id=32766)
    two = Source(sequence=9, timestamp=5, picture_id=700)
    sequence, timestamp, picture_id, tl0 = switch(here, one, now=10.0)
    assert here.route is not None
    for i in range(1, 4):  # past the wrap of all three
        packet = one.packet()
        number = one.take(packet, 10.0 + i / 30)
        assert sent(here.route, packet, number) == (
            (sequence + i) & 0xFFFF,
            (timestamp + 3000 * i) & 0xFFFFFFFF,
            (picture_id + i) & 0x7FFF,
            (tl0 + i) & 0xFF,
        )
    assert switch(here, two, now=10.2) == (
        (sequence + 4) & 0xFFFF,
        (timestamp + 9000 + 9000) & 0xFFFFFFFF,  # 0.1 s after the last packet
        (picture_id + 4) & 0x7FFF,
        (tl0 + 4) & 0xFF,
    )
    assert here.packets == 5


def test_frame_that_was_cut_off_shows_as_a_loss() -> None:
    here = slot()
    one, two = Source(sequence=1, timestamp=0, picture_id=0), Source(sequence=1, timestamp=0, picture_id=0)
    first = switch(here, one, now=0.0)
    one.take(one.packet(marker=False), 0.1)
    assert (switch(here, two, now=0.2)[0] - first[0]) & 0xFFFF == 3


def test_pause_goes_into_the_timestamp() -> None:
    here = slot()
    one, two = Source(sequence=1, timestamp=0, picture_id=0), Source(sequence=1, timestamp=0, picture_id=0)
    first = switch(here, one, now=0.0)
    here.stop()
    one.take(one.packet(), 1.0)  # not of this slot any more
    later = switch(here, two, now=60.0)
    assert ((later[0] - first[0]) & 0xFFFF, (later[1] - first[1]) & 0xFFFFFFFF) == (1, 60 * 90_000)


NTP_S = 5000.0  # of the node, and of its sources, when its monotonic clock is zero


def lesson(source: Source, seconds: int, *, reported_late_s: float = 0.0) -> None:
    """Frames and reports from zero on. `reported_late_s`: by its reports they were captured so long before."""
    for i in range(30 * seconds):
        if i % 30 == 0:
            ntp = round((NTP_S + i / 30 - reported_late_s) * (1 << 32))
            report = SenderReport(ssrc=1, ntp=ntp, rtp=source.timestamp, packets=1, octets=1)
            source.track.take_report(report, i / 30, NTP_S + i / 30)
        source.take(source.packet(), i / 30)


@pytest.mark.parametrize("held_s", [0.5, 3.0])
def test_what_was_held_up_keeps_the_time_of_its_capture(held_s: float) -> None:
    here = slot()
    one, two = Source(sequence=1, timestamp=500, picture_id=0), Source(sequence=1, timestamp=9000, picture_id=0)
    lesson(one, 10)
    lesson(two, 10)
    first = switch(here, one, now=10.0)
    two.packet()
    late = switch(here, two, now=10.0 + held_s)  # captured 1/30 s after the other one's, and no later
    assert (late[1] - first[1]) & 0xFFFFFFFF == 3000


def test_reports_that_contradict_the_arrival_are_not_believed() -> None:
    here = slot()
    one, two = Source(sequence=1, timestamp=500, picture_id=0), Source(sequence=1, timestamp=9000, picture_id=0)
    lesson(one, 10)
    lesson(two, 10, reported_late_s=-4.0)
    two.track.clock.offset_s = 0.0  # as if its clock had just been set
    first = switch(here, one, now=10.0)
    later = switch(here, two, now=10.1)
    assert (later[1] - first[1]) & 0xFFFFFFFF == 9000


def test_packet_asked_for_again_is_found_at_its_source() -> None:
    here = slot()
    one, two = Source(sequence=65535, timestamp=0, picture_id=0), Source(sequence=500, timestamp=0, picture_id=0)
    first = switch(here, one, now=0.0)[0]
    one_route = here.route
    one.take(one.packet(), 0.1)
    switch(here, two, now=0.2)
    two_route = here.route
    two.take(two.packet(), 0.3)
    numbers = [here.find((first + i) & 0xFFFF, now=1.0) for i in range(5)]
    assert numbers == [
        (one_route, 0x10000 + 65535),
        (one_route, 0x10000 + 65536),
        (two_route, 0x10000 + 500),
        (two_route, 0x10000 + 501),
        None,  # not sent yet
    ]


def test_resending_is_limited() -> None:
    here = slot()
    first = switch(here, Source(sequence=1, timestamp=0, picture_id=0), now=0.0)[0]
    found = [here.find(first, now=1.0 + i * RESEND_S * 1.01) is not None for i in range(MAX_RESENDS + 2)]
    assert found == [True] * MAX_RESENDS + [False] * 2
    again = switch(here, Source(sequence=1, timestamp=0, picture_id=0), now=2.0)[0]
    assert [here.find(again, now=3.0) is not None for _ in range(3)] == [True, False, False]


def test_sender_report_maps_the_source_clock() -> None:
    here = slot()
    source = Source(sequence=1, timestamp=1000, picture_id=0)
    _, timestamp, _, _ = switch(here, source, now=0.0)
    assert here.report(5000.0) is None
    source.track.take_report(SenderReport(ssrc=1, ntp=100 << 32, rtp=1000, packets=1, octets=1), now=0.0, ntp_s=4000.0)
    assert here.report(4002.0) == SenderReport(
        ssrc=77, ntp=4002 << 32, rtp=(timestamp + 180_000) & 0xFFFFFFFF, packets=1, octets=18
    )


def test_slot_takes_what_the_subscriber_decodes() -> None:
    voice = Track(id=TrackId("v"), kind="audio", ssrc=2, payload_types={111: OPUS}, clock=SourceClock())
    assert slot().takes(Source(sequence=0, timestamp=0, picture_id=0).track)
    assert not slot().takes(voice)
    assert not video_slot(H264=1).takes(Source(sequence=0, timestamp=0, picture_id=0).track)
