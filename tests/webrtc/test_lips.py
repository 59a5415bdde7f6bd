"""Lips and voice over two hours, by a subscriber's sender reports: clocks drift, networks shake, layers change.

Two hours of packets and reports are computed, not waited for: tracks, clocks and slots know no time but what they
are given. What a player does with the reports is done here: it plays a frame when its newest report says so.
"""

import random

import pytest

from webrtc.forwarding.outlet import Outlet
from webrtc.forwarding.slots import Formats, Slot
from webrtc.forwarding.track import SourceClock, Track
from webrtc.rtp.packet import HEADER
from webrtc.rtp.rtcp import SenderReport
from webrtc.sdp.offer import Codec, Kind
from webrtc.shared.ids import TrackId
from webrtc.shared.state import Role

VP8 = Codec(name="VP8", payload_type=96, clock_rate=90_000)
OPUS = Codec(name="OPUS", payload_type=111, clock_rate=48_000)
LESSON_S = 2 * 3600
STEP_S = 0.25  # between two frames that are looked at
MAX_SKEW_S = 0.040


class Flow:
    """One track of a sender whose clocks are wrong: `ntp_rate` of its wall clock, `media_rate` of its sampling."""

    def __init__(self, kind: Kind, codec: Codec, clock: SourceClock, *, ssrc: int, offset: int) -> None:
        self.codec, self.offset, self.ssrc = codec, offset, ssrc
        self.track = Track(
            id=TrackId(str(ssrc)), kind=kind, ssrc=ssrc, payload_types={codec.payload_type: codec}, clock=clock
        )
        self.track.use(codec.payload_type)
        self.sequence = 0

    def timestamp(self, captured_s: float, media_rate: float) -> int:
        return self.offset + round(captured_s * media_rate * self.codec.clock_rate)

    def take(self, captured_s: float, media_rate: float, arrived_s: float) -> tuple[bytes, int]:
        timestamp = self.timestamp(captured_s, media_rate) & 0xFFFFFFFF
        self.sequence += 1
        packet = HEADER.pack(0x80, 0x80 | self.codec.payload_type, self.sequence & 0xFFFF, timestamp, self.ssrc)
        return packet, self.track.receive(packet, self.sequence & 0xFFFF, timestamp, arrived_s)


def slot(kind: Kind, codec: Codec) -> Slot:
    formats = Formats(payload_types={codec.name: codec.payload_type})
    role = Role.VOICE if kind == "audio" else Role.STAGE
    return Slot(mid=kind, kind=kind, role=role, ssrc=1, rtx_ssrc=None, formats=formats, outlet=Outlet())


def played_s(report: SenderReport, timestamp: int, rate: int) -> float:
    """When the frame of that outgoing timestamp is played, on the node's clock."""
    ticks = (timestamp - report.rtp + 0x80000000 & 0xFFFFFFFF) - 0x80000000
    return report.ntp / (1 << 32) + ticks / rate


@pytest.mark.parametrize(
    ("ntp_drift", "media_drift", "jitter_s"),
    [(0.0, 0.0, 0.0), (1e-4, -1e-4, 0.05), (-1e-4, 1e-4, 0.3)],
    ids=["good", "drifting", "drifting and shaken"],
)
def test_lips_stay_with_the_voice_for_two_hours(ntp_drift: float, media_drift: float, jitter_s: float) -> None:
    shake = random.Random(7)
    clock = SourceClock()
    voice = Flow("audio", OPUS, clock, ssrc=11, offset=0xFFFF0000)
    layers = [Flow("video", VP8, clock, ssrc=21 + i, offset=0x7FFF0000 * i + 5) for i in range(3)]
    ear, eye = slot("audio", OPUS), slot("video", VP8)
    now_ntp_s, media_rate = 3.9e9, 1 + media_drift
    shown = layers[0]
    reports: dict[str, SenderReport] = {}
    worst = 0.0
    for step in range(round(LESSON_S / STEP_S)):
        captured_s = step * STEP_S
        arrived_s = captured_s + 0.1 + shake.uniform(0, jitter_s)
        if step % 4 == 0:  # reports, each second, of every flow at its own moment
            for flow in (voice, *layers):
                sent_s = captured_s - shake.uniform(0, 0.2)
                theirs = SenderReport(
                    ssrc=flow.ssrc,
                    ntp=int((4.1e9 + sent_s * (1 + ntp_drift)) * (1 << 32)),
                    rtp=flow.timestamp(sent_s, media_rate) & 0xFFFFFFFF,
                    packets=1,
                    octets=1,
                )
                flow.track.take_report(theirs, arrived_s, now_ntp_s + sent_s + 0.1 + shake.uniform(0, jitter_s))
        sound, sound_number = voice.take(captured_s, media_rate, arrived_s)
        pictures = {flow.ssrc: flow.take(captured_s, media_rate, arrived_s) for flow in layers}
        if ear.route is None:
            ear.switch(voice.track, sound, sound_number, arrived_s)
        if eye.route is None or step % 40 == 0:  # another layer every ten seconds
            shown = layers[step // 40 % 3]
            eye.switch(shown.track, *pictures[shown.ssrc], arrived_s)
        if step % 4 == 1:
            for each in (ear, eye):
                report = each.report(now_ntp_s + arrived_s)
                assert report is not None
                reports[each.mid] = report
        if step % 4 and len(reports) == 2 and step % 40 > 4:  # the next report follows a switch
            assert ear.route is not None
            assert eye.route is not None
            heard = HEADER.unpack_from(sound)[3] + ear.route.timestamp & 0xFFFFFFFF
            seen = HEADER.unpack_from(pictures[shown.ssrc][0])[3] + eye.route.timestamp & 0xFFFFFFFF
            skew = played_s(reports["audio"], heard, 48_000) - played_s(reports["video"], seen, 90_000)
            worst = max(worst, abs(skew))
    assert worst < MAX_SKEW_S
