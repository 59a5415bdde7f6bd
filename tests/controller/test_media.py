"""What a bridge's report says of a room, by table of who is sent whose picture and sound."""

from collections.abc import Mapping
from dataclasses import replace

from controller.media import site_media, speaking_room
from controller.views import SiteLink, SiteMedia
from rooms.room import RoomId
from webrtc.ids import BridgeId, ClientId, ParticipantId
from webrtc.state import BridgeState, Flow, Link, ParticipantState, Role, SlotState, SubscriptionState

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
        sent_bps=0,
        loss=0.0,
        jitter_ms=0.0,
        round_trip_ms=None,
        slots=(slot(Role.STAGE, stage), slot(Role.VOICE, voice)),
    )
    return ParticipantState(
        id=ParticipantId(name),
        link=Link.GOOD,
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
