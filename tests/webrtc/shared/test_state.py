import json

from pydantic import TypeAdapter

from webrtc.shared.ids import BridgeId, ClientId, ParticipantId, TrackId
from webrtc.shared.state import (
    BridgeState,
    Flow,
    LinkState,
    ParticipantState,
    Role,
    SlotState,
    SubscriptionState,
    TrackState,
)


def test_state_is_what_the_controller_reads() -> None:
    track = TrackState(
        id=TrackId("t"),
        kind="video",
        client=ClientId("display"),
        content="main",
        rid="h",
        codec="VP8",
        flowing=True,
        wanted=True,
        width=640,
        height=360,
        frames_per_s=24.5,
        bitrate_bps=1,
        packets=2,
        lost=3,
        loss=0.25,
        jitter_ms=4.5,
        freezes=1,
    )
    slot = SlotState(
        mid="0",
        kind="video",
        role=Role.STAGE,
        flow=Flow.LIVE,
        source=ParticipantId("b"),
        track=TrackId("t"),
        height=360,
        bitrate_bps=5,
    )
    subscription = SubscriptionState(
        client=ClientId("display"),
        connected=True,
        packets=9,
        estimate_bps=None,
        wanted_bps=9,
        sent_bps=7,
        loss=0.5,
        jitter_ms=2.5,
        round_trip_ms=1.5,
        slots=(slot,),
    )
    participant = ParticipantState(
        id=ParticipantId("a"),
        link=LinkState.GOOD,
        round_trip_ms=None,
        speaking=True,
        tracks=(track,),
        subscriptions=(subscription,),
    )
    state = BridgeState(id=BridgeId("lesson"), participants=(participant,), dominant=ParticipantId("a"))
    assert TypeAdapter(BridgeState).validate_json(json.dumps(state.to_json())) == state
