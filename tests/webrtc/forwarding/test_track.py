import pytest

from webrtc.forwarding.track import MAX_NACKS, SourceClock, Track
from webrtc.rtp.packet import HEADER
from webrtc.rtp.rtcp import ReportBlock, SenderReport
from webrtc.rtp.sequence_header import UNKNOWN_SIZE
from webrtc.sdp.offer import Codec
from webrtc.shared.ids import TrackId

VP8 = Codec(name="VP8", payload_type=96, clock_rate=90_000, feedback=("nack", "nack pli"))


def video() -> Track:
    track = Track(id=TrackId("t"), kind="video", ssrc=1, payload_types={96: VP8}, clock=SourceClock())
    assert track.use(96)
    return track


def take(track: Track, sequence: int, now: float = 0.0, timestamp: int = 0, payload: bytes = b"\x10\x01") -> int:
    packet = HEADER.pack(0x80, 96, sequence & 0xFFFF, timestamp, 1) + payload
    return track.receive(packet, sequence & 0xFFFF, timestamp, now)


def test_numbers_go_on_across_the_wrap() -> None:
    track = video()
    assert [take(track, sequence) - take(video(), 0xFFFE) for sequence in (0xFFFE, 0xFFFF, 0, 1, 0xFFFD)] == [
        0, 1, 2, 3, -1,
    ]  # fmt: skip
    assert (track.packets, track.lost) == (5, -1)


@pytest.mark.parametrize("first", [0, 1000, 0x7FFF, 40_000, 64_511, 0xFFFF])
def test_track_may_begin_with_any_number(first: int) -> None:
    track = video()
    for sequence in (first, first + 1):
        assert track.is_new(sequence & 0xFFFF)
        take(track, sequence)
    assert not track.is_new(first)
    assert track.packets == 2


def test_gap_of_a_track_that_nobody_wanted_is_no_freeze() -> None:
    track = video()

    def picture(at: float) -> int:
        take(track, track.packets, at, timestamp=round(at * 90_000))
        return track.freezes

    assert [picture(at) for at in (1.0, 1.1, 2.0)] == [0, 0, 1]
    track.pause(True)
    assert picture(3.0) == 1
    track.pause(False)  # wanted again, and some time later it comes
    assert [picture(at) for at in (9.0, 9.1, 10.0)] == [1, 1, 2]


def test_gap_is_asked_for_after_a_moment_and_again() -> None:
    track = video()
    take(track, 0xFFFE)
    take(track, 2, now=1.0)
    assert track.due_nacks(1.0) == ()
    assert track.due_nacks(1.03) == (0xFFFF, 0, 1)
    take(track, 0, now=1.05)
    assert track.due_nacks(1.1) == ()
    assert track.due_nacks(1.14) == (0xFFFF, 1)
    assert track.lost == 2


def test_packet_that_never_comes_is_given_up() -> None:
    track = video()
    take(track, 1)
    take(track, 3)
    asked = [track.due_nacks(1.0 + i) for i in range(MAX_NACKS + 2)]
    assert asked == [(2,)] * MAX_NACKS + [()] * 2
    assert not track.missing


def test_long_gap_is_bridged_by_a_keyframe() -> None:
    track = video()
    take(track, 1)
    take(track, 1000, now=5.0)
    assert not track.missing
    assert track.keyframe_due(5.0)


def test_keyframe_wishes_are_one_request_until_it_comes() -> None:
    track = video()
    for _ in range(20):
        track.want_keyframe()
    assert [track.keyframe_due(now) for now in (1.0, 1.0, 1.4, 1.5, 1.9, 2.0)] == [
        True, False, False, True, False, True,
    ]  # fmt: skip
    track.keyframe_seen(0, UNKNOWN_SIZE)
    assert not track.keyframe_due(9.0)


def test_size_of_the_last_keyframe_is_known_and_stays() -> None:
    track = video()
    assert track.keyframe_octets == 0
    track.keyframe_seen(take(track, 7, timestamp=1), UNKNOWN_SIZE)
    assert track.keyframe_octets == 14  # so far
    take(track, 8, timestamp=1)
    take(track, 9, timestamp=2)
    assert track.keyframe_octets == 28
    for sequence in range(10, 2000):
        take(track, sequence, timestamp=sequence)
    assert track.keyframe_octets == 28


def second(track: Track, at: int, *, until: float = 1.0, octets: int = 1000, keyframe: int = 0) -> int:
    """Frames from `at` to `at + until`, `octets` in each; the first one of `keyframe` thousands of them. Its rate."""
    for place in range(round(20 * until)):
        now = at + place / 20
        key = keyframe if place == 0 else 0
        for packet in range(key or 1):
            size = 1000 if key else octets
            number = take(track, track.packets, now, round(now * 90_000), bytes(size - HEADER.size))
            if key and packet == 0:
                track.keyframe_seen(number, UNKNOWN_SIZE)
    track.measure(at + 1)
    return track.steady_bps


def test_rate_that_layers_are_chosen_by_knows_no_keyframes_and_no_half_seconds() -> None:
    track = video()
    track.measure(0)
    assert second(track, 1, until=0.3) == 0  # it has just begun
    assert second(track, 2, keyframe=60) == pytest.approx(160_000, rel=0.05)
    assert track.bitrate_bps > 600_000
    assert second(track, 3) == pytest.approx(160_000, rel=0.05)
    assert 160_000 < second(track, 4, octets=10_000) < 600_000  # a page is turned
    for at in range(5, 30):
        second(track, at)
    assert second(track, 30) == pytest.approx(160_000, rel=0.05)
    for at in (31, 32, 33):  # its sender stops it
        track.measure(at + 1)
    assert second(track, 34, until=0.2) == pytest.approx(160_000, rel=0.05)  # and begins again
    for at in range(35, 60):
        second(track, at, octets=2000)
    assert track.steady_bps == pytest.approx(320_000, rel=0.05)


def test_history_keeps_the_newest() -> None:
    track = video()
    first = take(track, 0)
    for sequence in range(1, 1025):
        last = take(track, sequence)
    kept = track.packet(last)
    assert kept is not None
    assert (track.packet(first), HEADER.unpack_from(kept)[2]) == (None, 1024)


def test_report_block_counts_loss_since_the_last() -> None:
    track = video()
    for sequence in (0, 1, 3, 4):
        take(track, sequence, now=sequence / 10, timestamp=sequence * 9000)
    track.take_report(SenderReport(ssrc=1, ntp=0x1234567890ABCDEF, rtp=0, packets=4, octets=4), 1.0, 0.0)
    highest = 0x10000 + 4
    first = ReportBlock(ssrc=1, fraction_lost=51, lost=1, highest=highest, jitter=0, last_sr=0x567890AB, delay=32768)
    assert track.report_block(1.5) == first
    assert track.report_block(1.5).fraction_lost == 0


def test_jitter_follows_rfc_3550() -> None:
    track = video()
    take(track, 0, now=0.0, timestamp=0xFFFFFF00)
    take(track, 1, now=0.11, timestamp=(0xFFFFFF00 + 9000) & 0xFFFFFFFF)
    assert round(track.jitter, 3) == round(900 / 16, 3)


def report(at_s: float) -> SenderReport:
    return SenderReport(ssrc=1, ntp=round(at_s * (1 << 32)), rtp=0, packets=0, octets=0)


def test_source_clock_takes_the_least_delayed_report() -> None:
    clock = SourceClock()
    clock.take(report(90.0), 100.125)  # the first one comes late
    assert clock.offset_s == 10.125
    clock.take(report(91.0), 101.0)
    for late_s in (0.375, 1.5, 3.0):
        clock.take(report(92.0), 102.0 + late_s)
        assert clock.offset_s == 10.0


def test_source_clock_follows_one_that_drifts_and_one_that_is_set() -> None:
    clock = SourceClock()
    for second in range(0, 7200, 5):  # the node's runs away from the source's, 100 ppm
        clock.take(report(float(second)), 10.0 + second * 1.0001)
        assert clock.offset_s is not None
        assert 0 <= 10 + second * 1e-4 - clock.offset_s < 2.1 * SourceClock.WINDOW_S * 1e-4
    clock.take(report(20.0), 8000.0)
    assert clock.offset_s == 7980.0
