"""The rules of the word that is said of a site: by table, and over time."""

from collections.abc import Iterable
from dataclasses import replace

import pytest

from controller.displays.report import Camera, DisplayReport, SendLimit
from controller.quality.verdict import (
    GOOD,
    NODE_CPU,
    Cause,
    Figures,
    Freezes,
    Recent,
    Side,
    SiteQuality,
    Steady,
    Word,
    figures,
    judge,
    judge_all,
)
from webrtc.shared.ids import ClientId, ParticipantId, TrackId
from webrtc.shared.state import Flow, LinkState, ParticipantState, Role, SlotState, SubscriptionState, TrackState

A, B, C, D = (ParticipantId(each) for each in "abcd")
FINE = Figures(
    link=LinkState.GOOD,
    receiving=True,
    picture=True,
    sound=True,
    frames_per_s=25.0,
    estimate_bps=2_000_000,
    lacks=True,
    round_trip_ms=40.0,
    sources=frozenset({B}),
)
CALM = Recent()
FELT = Recent(freezes=2)
STALLS = Recent(up_freezes=2)
REPORT = DisplayReport(
    joined=True, camera=Camera.OK, publishing=True, playing=1, frames_decoded=100, audio_energy=1.0, weak=False
)


def weak(cause: Cause, side: Side = Side.SITE) -> SiteQuality:
    return SiteQuality(word=Word.WEAK, cause=cause, side=side)


def lost(cause: Cause, side: Side = Side.SITE) -> SiteQuality:
    return SiteQuality(word=Word.LOST, cause=cause, side=side)


@pytest.mark.parametrize(
    ("seen", "recent", "quality"),
    [
        (FINE, CALM, GOOD),
        (None, CALM, lost(Cause.NOT_CONNECTED)),
        (replace(FINE, link=LinkState.LOST), CALM, lost(Cause.NOT_CONNECTED)),
        (replace(FINE, picture=False, sound=False), CALM, lost(Cause.SILENT)),
        (replace(FINE, picture=False), CALM, lost(Cause.CAMERA)),
        (replace(FINE, sound=False), CALM, lost(Cause.MICROPHONE)),
        (replace(FINE, link=LinkState.WEAK), CALM, weak(Cause.NOT_CONNECTED)),
        (replace(FINE, receiving=False), CALM, weak(Cause.NOT_CONNECTED)),
        (replace(FINE, up_loss=0.05), CALM, GOOD),
        (replace(FINE, up_loss=0.06), CALM, weak(Cause.UPLINK_LOSS)),
        (replace(FINE, up_loss=0.03), STALLS, weak(Cause.UPLINK_LOSS)),
        (replace(FINE, down_loss=0.06), CALM, weak(Cause.DOWNLINK_LOSS)),
        (replace(FINE, down_loss=0.03), CALM, GOOD),
        (replace(FINE, down_loss=0.03), FELT, weak(Cause.DOWNLINK_LOSS)),
        (replace(FINE, down_loss=0.03, concealed=0.06), CALM, weak(Cause.DOWNLINK_LOSS)),
        (replace(FINE, up_loss=0.3, down_loss=0.3, overloaded=True), CALM, weak(Cause.UPLINK_LOSS)),
        (replace(FINE, overloaded=True, held_back=True), CALM, weak(Cause.CPU)),
        (replace(FINE, held_back=True), CALM, weak(Cause.UPLINK_SLOW)),
        (FINE, STALLS, weak(Cause.UPLINK_SLOW)),
        (replace(FINE, frames_per_s=4.0), CALM, weak(Cause.UPLINK_SLOW)),
        (replace(FINE, frames_per_s=7.5), CALM, GOOD),  # a camera in dim light
        (replace(FINE, estimate_bps=390_000), CALM, weak(Cause.DOWNLINK_SLOW)),
        (replace(FINE, estimate_bps=390_000, lacks=False), CALM, GOOD),  # more was never tried
        (replace(FINE, estimate_bps=None), CALM, GOOD),
        (replace(FINE, stills=True), CALM, weak(Cause.DOWNLINK_SLOW)),
        (replace(FINE, held_back=True, up_bps=150_000, estimate_bps=90_000), CALM, weak(Cause.DOWNLINK_SLOW)),
        (replace(FINE, held_back=True, up_bps=150_000, estimate_bps=300_000), CALM, weak(Cause.UPLINK_SLOW)),
        (replace(FINE, round_trip_ms=400.0), CALM, GOOD),
        (replace(FINE, round_trip_ms=401.0), CALM, weak(Cause.ROUND_TRIP)),
        (replace(FINE, round_trip_ms=None), CALM, GOOD),
        (replace(FINE, up_jitter_ms=90.0), CALM, weak(Cause.JITTER)),
        (replace(FINE, down_jitter_ms=90.0), CALM, GOOD),
        (replace(FINE, down_jitter_ms=90.0), FELT, weak(Cause.JITTER)),
    ],
)
def test_a_site_is_judged_by_its_figures(seen: Figures | None, recent: Recent, quality: SiteQuality) -> None:
    assert judge(seen, recent) == quality


def test_who_feels_gaps_and_has_none_suffers_from_whom_it_gets_or_the_node() -> None:
    def found(sender: Figures, *, cpu: float = 0.2) -> SiteQuality:
        return judge_all({A: (FINE, FELT), B: (sender, CALM)}, node_cpu=cpu)[A]

    assert found(replace(FINE, up_loss=0.1)) == weak(Cause.UPLINK_LOSS, Side.OTHERS)
    assert found(replace(FINE, overloaded=True)) == weak(Cause.CPU, Side.OTHERS)
    assert found(replace(FINE, stills=True)) == weak(Cause.DOWNLINK_SLOW, Side.OTHERS)
    assert found(replace(FINE, down_loss=0.1)) == weak(Cause.JITTER)  # what B receives does not touch A
    assert found(FINE, cpu=NODE_CPU + 0.01) == weak(Cause.NODE, Side.BRIDGE)
    assert found(FINE) == weak(Cause.JITTER)
    assert judge_all({A: (FINE, CALM), B: (FINE, CALM)}, node_cpu=1.0) == {A: GOOD, B: GOOD}


def test_trouble_of_most_rooms_of_a_lesson_is_the_bridges() -> None:
    bad, node = (replace(FINE, down_loss=0.2), CALM), weak(Cause.NODE, Side.BRIDGE)
    here = (FINE, CALM)
    assert judge_all({A: bad, B: bad, C: bad, D: here}, node_cpu=0.1) == {A: node, B: node, C: node, D: GOOD}
    own = weak(Cause.DOWNLINK_LOSS)
    assert judge_all({A: bad, B: bad, C: here}, node_cpu=0.1) == {A: own, B: own, C: GOOD}
    dark = (replace(FINE, picture=False), CALM)  # three rooms without a camera are no network
    assert set(judge_all({A: dark, B: dark, C: dark}, node_cpu=0.1).values()) == {lost(Cause.CAMERA)}


def said(moments: Iterable[tuple[float, SiteQuality]]) -> list[tuple[float, SiteQuality | None]]:
    """(time, what is said from then on), whenever it changes."""
    steady, changes = Steady(0.0), []
    before: SiteQuality | None = None
    for now, seen in moments:
        if steady.take(seen, now) != before:
            before = steady.shown
            changes.append((now, before))
    return changes


def seconds(*parts: tuple[int, SiteQuality]) -> list[tuple[float, SiteQuality]]:
    """One moment per second."""
    flat = [quality for count, quality in parts for _ in range(count)]
    return [(float(now), quality) for now, quality in enumerate(flat)]


LOSS, SLOW, GONE = weak(Cause.UPLINK_LOSS), weak(Cause.UPLINK_SLOW), lost(Cause.SILENT)


@pytest.mark.parametrize(
    ("moments", "changes"),
    [
        (seconds((1, GOOD), (10, LOSS), (10, GOOD)), [(0, GOOD), (4, LOSS), (16, GOOD)]),
        (seconds((1, GOOD), (10, SLOW)), [(0, GOOD), (7, SLOW)]),
        (seconds((1, GOOD), (3, LOSS), (1, GOOD), (3, LOSS), (5, GOOD)), [(0, GOOD)]),  # too short to be said
        (seconds((1, GOOD), (4, LOSS), (4, GOOD), (1, LOSS), (4, GOOD)), [(0, GOOD), (4, LOSS)]),
        (seconds((1, GOOD), (5, GONE), (3, GOOD)), [(0, GOOD), (4, GONE), (7, GOOD)]),  # a picture that is back
        (seconds((1, GOOD), (5, LOSS), (8, SLOW)), [(0, GOOD), (4, LOSS), (11, SLOW)]),
        (seconds((4, LOSS), (3, GOOD)), [(4, GOOD)]),  # what begins badly and gets well
        (seconds((8, GONE)), [(5, GONE)]),
    ],
)
def test_a_word_is_said_once_it_has_lasted(
    moments: list[tuple[float, SiteQuality]], changes: list[tuple[float, SiteQuality]]
) -> None:
    assert said(moments) == changes


def test_freezes_count_for_ten_seconds_and_begin_anew_with_the_page() -> None:
    freezes = Freezes()
    counts = [(0.0, 7), (1.0, 9), (5.0, 0), (6.0, 1), (11.5, 1), (17.0, 1)]
    found = [freezes.take(replace(FINE, freezes=count), now).freezes for now, count in counts]
    assert found == [0, 2, 2, 3, 1, 0]
    assert freezes.take(None, 18.0) == CALM


def track(kind: str, **change: object) -> TrackState:
    plain = TrackState(
        id=TrackId(f"t-{kind}"),
        kind=kind,
        client=ClientId("display"),
        content="main",
        rid="",
        codec="OPUS" if kind == "audio" else "VP8",
        flowing=True,
        wanted=True,
        width=320,
        height=180 if kind == "video" else 0,
        frames_per_s=15.0 if kind == "video" else 0.0,
        bitrate_bps=100_000,
        packets=100,
        lost=0,
        loss=0.0,
        jitter_ms=1.0,
        freezes=0,
    )
    return replace(plain, **change)  # type: ignore[arg-type]  # fields by name


def participant(*tracks: TrackState) -> ParticipantState:
    stage = SlotState(
        mid="0", kind="video", role=Role.STAGE, flow=Flow.STILL, source=B, track=None, height=180, bitrate_bps=9000
    )
    subscription = SubscriptionState(
        client=ClientId("display"),
        connected=True,
        packets=5,
        estimate_bps=300_000,
        wanted_bps=400_000,
        sent_bps=250_000,
        loss=0.04,
        jitter_ms=7.0,
        round_trip_ms=80.0,
        slots=(stage,),
    )
    return ParticipantState(
        id=A, link=LinkState.GOOD, round_trip_ms=80.0, speaking=False, tracks=tracks, subscriptions=(subscription,)
    )


def test_figures_are_taken_from_the_report_of_the_bridge_and_of_the_display() -> None:
    tracks = (
        track("audio", bitrate_bps=40_000, loss=0.10, jitter_ms=12.0),
        track("video", rid="q", loss=0.02, bitrate_bps=100_000, freezes=4),
        track("video", rid="h", loss=0.04, bitrate_bps=300_000, freezes=9, height=360, frames_per_s=14.0),
    )
    report = replace(REPORT, send_round_trip_ms=120.0, freezes=3, concealed=0.01, cpu_slow=True)
    assert figures(participant(*tracks), report) == Figures(
        link=LinkState.GOOD,
        receiving=True,
        picture=True,
        sound=True,
        up_bps=440_000,
        up_loss=0.10,  # speech suffers first
        up_jitter_ms=12.0,
        up_freezes=4,
        up_height=360,
        frames_per_s=15.0,
        down_bps=250_000,
        estimate_bps=300_000,
        lacks=True,
        down_loss=0.04,
        down_jitter_ms=7.0,
        stills=True,
        stage_height=180,
        sources=frozenset({B}),
        round_trip_ms=120.0,
        freezes=3,
        concealed=0.01,
        overloaded=True,
    )


@pytest.mark.parametrize(
    ("tracks", "muted", "camera_off", "expected"),
    [
        ([], True, True, GOOD),
        ([track("audio")], False, True, GOOD),
        ([track("video")], True, False, GOOD),
        ([track("audio")], True, False, lost(Cause.CAMERA)),
        ([], False, True, lost(Cause.MICROPHONE)),
    ],
)
def test_a_class_that_keeps_picture_or_sound_to_itself_has_lost_nothing(
    tracks: list[TrackState], muted: bool, camera_off: bool, expected: SiteQuality
) -> None:
    seen = figures(participant(*tracks), REPORT, muted=muted, camera_off=camera_off)
    assert judge(replace(seen, lacks=False, stills=False), CALM) == expected


@pytest.mark.parametrize(
    ("higher", "held_back"),
    [
        ([], True),
        ([track("video", rid="h", flowing=True)], False),
        ([track("video", rid="h", flowing=False)], True),
        ([track("video", rid="h", flowing=False, wanted=False)], False),  # nobody would be sent it
        ([track("video", content="slides", flowing=True, client=ClientId("display-screen"))], True),
    ],
)
def test_an_uplink_holds_back_where_only_the_lowest_wanted_layer_comes(
    higher: list[TrackState], held_back: bool
) -> None:
    report = replace(REPORT, limited=SendLimit.BANDWIDTH)
    seen = participant(track("audio"), track("video", rid="q"), *higher)
    assert figures(seen, report).held_back is held_back
    assert not figures(seen, REPORT).held_back
