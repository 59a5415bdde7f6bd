import json

from pydantic import TypeAdapter

from webrtc.bridge import choose
from webrtc.forward import Fanout, Forwarder, Outlet
from webrtc.ids import BridgeId, ClientId, ParticipantId, TrackId
from webrtc.sdp import Codec, Kind
from webrtc.slots import Slot
from webrtc.state import (
    BridgeState,
    Flow,
    Link,
    ParticipantState,
    Role,
    SlotState,
    SubscriptionState,
    TrackState,
)
from webrtc.track import SourceClock, Track

CODECS = {
    "VP8": Codec(name="VP8", payload_type=96, clock_rate=90_000),
    "H264": Codec(name="H264", payload_type=97, clock_rate=90_000),
    "OPUS": Codec(name="OPUS", payload_type=111, clock_rate=48_000),
}


def source(kind: Kind, codec: str) -> Fanout:
    track = Track(id=TrackId(codec), kind=kind, ssrc=1, payload_types={1: CODECS[codec]}, clock=SourceClock())
    return Fanout(track=track, forwarder=Forwarder(), ask=lambda track, now: None)


def slot(kind: Kind, *codecs: str) -> Slot:
    return Slot(mid="", kind=kind, ssrc=1, payload_types=dict.fromkeys(codecs, 1), outlet=Outlet())


def test_slots_fill_in_the_order_of_the_sources() -> None:
    a, b, voice = source("video", "VP8"), source("video", "VP8"), source("audio", "OPUS")
    stage, sound, small = slot("video", "VP8"), slot("audio", "OPUS"), slot("video", "VP8")
    assert choose((stage, sound, small), {}, [a, voice, b]) == {stage: a, sound: voice, small: b}


def test_slot_keeps_its_source_while_it_is_there() -> None:
    a, b, c = source("video", "VP8"), source("video", "VP8"), source("video", "VP8")
    one, two = slot("video", "VP8"), slot("video", "VP8")
    assert choose((one, two), {one: b}, [a, b, c]) == {one: b, two: a}
    assert choose((one, two), {one: b, two: a}, [a, c]) == {one: c, two: a}
    assert choose((one, two), {one: b, two: a}, []) == {}


def test_slot_gets_only_what_its_subscriber_decodes() -> None:
    camera, phone = source("video", "H264"), source("video", "VP8")
    one, two = slot("video", "VP8"), slot("video", "VP8", "H264")
    assert choose((one, two), {}, [camera, phone]) == {one: phone, two: camera}


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
        sent_bps=7,
        loss=0.5,
        jitter_ms=2.5,
        round_trip_ms=1.5,
        slots=(slot,),
    )
    participant = ParticipantState(
        id=ParticipantId("a"),
        link=Link.GOOD,
        round_trip_ms=None,
        speaking=True,
        tracks=(track,),
        subscriptions=(subscription,),
    )
    state = BridgeState(id=BridgeId("lesson"), participants=(participant,), dominant=ParticipantId("a"))
    assert TypeAdapter(BridgeState).validate_json(json.dumps(state.to_json())) == state
