"""What a bridge's report says of a room, by table of who is sent whose picture and sound."""

from collections.abc import Mapping
from dataclasses import replace

from controller.nodes.bridge_report import (
    Received,
    SiteLink,
    SiteMedia,
    bridge_slots,
    moving_media,
    present_rooms,
    shared_screens,
    site_media,
    speaking_room,
    wanted_layers,
)
from rooms.room import RoomId
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

HERE = SiteMedia(receiving=True, link=SiteLink.GOOD)


def slot(role: Role, source: str) -> SlotState:
    kind = "audio" if role is Role.VOICE else "video"
    return SlotState(
        mid="0", kind=kind, role=role, flow=Flow.LIVE, source=ParticipantId(source), track=None, height=0, bitrate_bps=0
    )


def participant(name: str, stage: str, voice: str, *, speaking: bool = False) -> ParticipantState:
    subscription = SubscriptionState(
        client=ClientId("display"),
        connected=True,
        packets=0,
        estimate_bps=None,
        wanted_bps=0,
        sent_bps=0,
        loss=0.0,
        jitter_ms=0.0,
        round_trip_ms=None,
        slots=(slot(Role.STAGE, stage), slot(Role.VOICE, voice)),
    )
    return ParticipantState(
        id=ParticipantId(name),
        link=LinkState.GOOD,
        round_trip_ms=None,
        speaking=speaking,
        tracks=(),
        subscriptions=(subscription,),
    )


def media(*participants: ParticipantState) -> Mapping[str, SiteMedia]:
    bridge = BridgeState(id=BridgeId("lesson"), participants=participants)
    return {each.id: site_media(bridge, RoomId(each.id)) for each in participants}


def test_who_is_large_for_most_is_on_stage_and_who_is_sent_is_heard() -> None:
    found = media(
        participant("host", "called", "called"),
        participant("called", "host", "host", speaking=True),
        participant("third", "called", "host"),
        participant("viewer-1", "third", "third"),
    )
    assert found["called"] == replace(HERE, on_stage=True, heard=True, speaking=True)
    assert found["host"] == replace(HERE, on_stage=True, heard=True)  # for one of two
    assert found["third"] == HERE


def test_alone_nobody_is_on_stage() -> None:
    assert media(participant("host", "", "")) == {"host": HERE}
    assert site_media(None, RoomId("host")) == SiteMedia()


def test_who_speaks_is_said_while_somebody_does() -> None:
    before = BridgeState(id=BridgeId("lesson"), participants=(participant("host", "", "", speaking=True),))
    speaks = replace(before, dominant=ParticipantId("host"))
    spoke = replace(speaks, participants=(participant("host", "", ""),))
    assert [speaking_room(each) for each in (None, before, speaks, spoke)] == [None, None, "host", None]


def bridge_of(*kinds: str) -> BridgeState:
    """The host's room sends these to it."""
    tracks = tuple(replace(track(kind), kind=kind) for kind in kinds)
    return BridgeState(id=BridgeId("lesson"), participants=(replace(participant("host", "", ""), tracks=tracks),))


def test_while_a_room_goes_over_the_bridge_counts_in_which_more_of_it_flows() -> None:
    nothing, sound, both = bridge_of(), bridge_of("audio"), bridge_of("audio", "video")
    for bridges in ((None, both), (nothing, both), (sound, both), (both, sound)):
        assert moving_media(bridges, RoomId("host")) == replace(HERE, video=True, audio=True)
    assert moving_media((nothing, None), RoomId("host")) == HERE
    assert moving_media((None, nothing), RoomId("host")) == SiteMedia()  # the first, where nothing flows in either


def track(id: str, *, rid: str = "", content: str = "main", wanted: bool = True) -> TrackState:
    return TrackState(
        id=TrackId(id),
        kind="video",
        client=ClientId("display"),
        content=content,
        rid=rid,
        codec="VP8",
        flowing=True,
        wanted=wanted,
        width=0,
        height=0,
        frames_per_s=0.0,
        bitrate_bps=0,
        packets=0,
        lost=0,
        loss=0.0,
        jitter_ms=0.0,
        freezes=0,
    )


def test_display_is_told_what_its_slots_carry_and_which_of_its_layers_are_wanted() -> None:
    host, guest = participant("host", "guest", "guest"), participant("guest", "host", "host")
    host = replace(host, tracks=(track("q", rid="q"), track("f", rid="f", wanted=False), track("s", content="slides")))
    [stage, voice] = guest.subscriptions[0].slots
    slots = (
        replace(stage, mid="0", track=TrackId("s"), flow=Flow.STILL),
        replace(stage, mid="1", role=Role.THUMBNAIL, source=None, flow=Flow.NONE),
        replace(voice, mid="2"),
    )
    guest = replace(guest, subscriptions=(replace(guest.subscriptions[0], slots=slots),))
    bridge = BridgeState(id=BridgeId("lesson"), participants=(host, guest))
    assert bridge_slots(bridge)["guest", "display"] == Received(
        slots={"0": RoomId("host"), "1": None, "2": RoomId("host")},
        flows={"0": Flow.STILL, "1": Flow.NONE, "2": Flow.LIVE},
        slides=("0",),
    )
    assert wanted_layers(bridge) == {("host", "display"): {"q": True, "f": False}}
    assert present_rooms(bridge) == {"host", "guest"}
    assert (bridge_slots(None), wanted_layers(None), present_rooms(None)) == ({}, {}, frozenset())


def test_of_several_shared_screens_of_a_room_the_newest_counts() -> None:
    older, newer = (replace(track(each, content="slides"), client=ClientId(each)) for each in ("tv", "laptop"))
    host = replace(participant("host", "guest", "guest"), tracks=(track("camera"), older, newer))
    guest = replace(participant("guest", "host", "host"), tracks=(track("camera"),))
    bridge = BridgeState(id=BridgeId("lesson"), participants=(host, guest))
    assert shared_screens(bridge) == {"host": "laptop"}
    assert [site_media(bridge, RoomId(each)).sharing for each in ("host", "guest")] == ["laptop", None]
    assert shared_screens(None) == {}
