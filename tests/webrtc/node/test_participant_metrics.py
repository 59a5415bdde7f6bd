"""Rooms in numbers: labels that stay few, and values in base units."""

from dataclasses import replace

from prometheus_client.metrics_core import Metric

from webrtc.node.participant_metrics import subscription_metrics, track_metrics
from webrtc.shared.ids import ClientId, ParticipantId, TrackId
from webrtc.shared.state import Flow, LinkState, ParticipantState, Role, SlotState, SubscriptionState, TrackState

AUDIO = TrackState(
    id=TrackId("t1"),
    kind="audio",
    client=ClientId("display"),
    content="main",
    rid="",
    codec="OPUS",
    flowing=True,
    wanted=True,
    width=0,
    height=0,
    frames_per_s=0.0,
    bitrate_bps=48_000,
    packets=500,
    lost=2,
    loss=0.03,
    jitter_ms=12.0,
    freezes=0,
)
CAMERA = replace(AUDIO, id=TrackId("t2"), kind="video", rid="h", height=360, frames_per_s=15.0, freezes=3)
SLIDES = replace(CAMERA, id=TrackId("t3"), content="slides", rid="")
SECOND = replace(CAMERA, id=TrackId("t4"))
STAGE = SlotState(
    mid="0", kind="video", role=Role.STAGE, flow=Flow.LIVE, source=None, track=None, height=720, bitrate_bps=1
)
LINK = SubscriptionState(
    client=ClientId("display"),
    connected=True,
    packets=1,
    estimate_bps=900_000,
    wanted_bps=900_000,
    sent_bps=500_000,
    loss=0.01,
    jitter_ms=4.0,
    round_trip_ms=80.0,
    slots=(STAGE,),
)
ROOM = ParticipantState(
    id=ParticipantId("room-a"),
    link=LinkState.GOOD,
    round_trip_ms=80.0,
    speaking=False,
    tracks=(AUDIO, CAMERA, SLIDES, SECOND),
    subscriptions=(LINK, replace(LINK, estimate_bps=300_000, loss=0.2), replace(LINK, connected=False, loss=1.0)),
)


def values(metrics: list[Metric]) -> dict[tuple[str, ...], float]:
    return {
        (sample.name.removeprefix("nhipcau_node_"), *sample.labels.values()): sample.value
        for metric in metrics
        for sample in metric.samples
    }


def test_tracks_are_named_by_content_and_layer() -> None:
    found = values(list(track_metrics([ROOM])))
    names = {key[2] for key in found}
    assert names == {"audio", "video-h", "slides", "video-h-2"}
    assert {key[1] for key in found} == {"room-a"}
    assert found["track_jitter_seconds", "room-a", "audio"] == 0.012
    assert found["track_freezes_total", "room-a", "video-h"] == 3
    assert ("track_height_lines", "room-a", "audio") not in found


def test_of_several_displays_the_worst_link_is_reported() -> None:
    assert values(list(subscription_metrics([ROOM, replace(ROOM, id=ParticipantId("gone"), subscriptions=())]))) == {
        ("participant_sent_bits_per_second", "room-a"): 1_000_000,
        ("participant_estimate_bits_per_second", "room-a"): 300_000,
        ("participant_sent_loss_ratio", "room-a"): 0.2,
        ("participant_round_trip_seconds", "room-a"): 0.08,
        ("participant_sent_jitter_seconds", "room-a"): 0.004,
        ("participant_stage_height_lines", "room-a"): 720,
    }
