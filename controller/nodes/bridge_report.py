"""What a bridge's report means for a site and for a page. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from rooms.room import RoomId
from webrtc.shared.ids import ParticipantId
from webrtc.shared.state import BridgeState, Flow, LinkState, ParticipantState, Role


class SiteLink(StrEnum):
    """How well a site's media arrive."""

    NONE = "none"
    GOOD = "good"
    WEAK = "weak"
    LOST = "lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteMedia:
    """What the bridge node says of a site: is its picture and sound flowing, does it receive the others.

    `on_stage`: large for at least half of the other rooms; `heard`: sent to one of them at least. `sharing`: which of
    its clients' screens is shared (`ScreenGrant.client`).
    """

    video: bool = False
    audio: bool = False
    receiving: bool = False
    link: SiteLink = SiteLink.NONE
    speaking: bool = False
    on_stage: bool = False
    heard: bool = False
    sharing: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """What the receive slots of one connection carry, by mid: whose track, and how it comes.

    `slides`: mids of the slots that carry a shared screen, not a room's camera.
    """

    slots: Mapping[str, RoomId | None] = field(default_factory=dict)
    flows: Mapping[str, Flow] = field(default_factory=dict)
    slides: tuple[str, ...] = ()


VIEWER = "viewer-"
LINKS = {LinkState.GOOD: SiteLink.GOOD, LinkState.WEAK: SiteLink.WEAK, LinkState.LOST: SiteLink.LOST}


def viewer(account_id: str) -> str:
    """The participant that a teacher's own view is."""
    return VIEWER + account_id


def is_viewer(participant: str) -> bool:
    return participant.startswith(VIEWER)


def site_media(bridge: BridgeState | None, room_id: RoomId) -> SiteMedia:
    """Whether a room's picture and sound flow, and whether it receives the others."""
    if bridge is None:
        return SiteMedia()
    for participant in bridge.participants:
        if RoomId(participant.id) == room_id:
            flowing = {track.kind for track in participant.tracks if track.flowing}
            return SiteMedia(
                video="video" in flowing,
                audio="audio" in flowing,
                receiving=any(each.connected for each in participant.subscriptions),
                link=LINKS[participant.link],
                speaking=participant.speaking,
                on_stage=_on_stage(bridge, participant.id),
                heard=any(participant.id in _carried(each, Role.VOICE) for each in _others(bridge, participant.id)),
                sharing=shared_screens(bridge).get(room_id),
            )
    return SiteMedia()


def moving_media(bridges: Iterable[BridgeState | None], room_id: RoomId) -> SiteMedia:
    """As `site_media`, while rooms go over to another bridge: of the one in which more flows, else of the first."""
    return max((site_media(each, room_id) for each in bridges), key=lambda media: media.video + media.audio)


def _on_stage(bridge: BridgeState, id: ParticipantId) -> bool:
    others = [each for each in _others(bridge, id) if each.subscriptions]
    shown = sum(id in _carried(each, Role.STAGE) for each in others)
    return shown > 0 and 2 * shown >= len(others)


def _others(bridge: BridgeState, id: ParticipantId) -> list[ParticipantState]:
    """The other rooms: what a teacher watches at a desk says nothing of the lesson."""
    return [each for each in bridge.participants if each.id != id and not is_viewer(each.id)]


def _carried(participant: ParticipantState, role: Role) -> set[ParticipantId | None]:
    return {slot.source for each in participant.subscriptions for slot in each.slots if slot.role is role}


def speaking_room(bridge: BridgeState | None) -> RoomId | None:
    """The room that speaks now."""
    if bridge is None or bridge.dominant is None:
        return None
    speaks = any(each.id == bridge.dominant and each.speaking for each in bridge.participants)
    return RoomId(bridge.dominant) if speaks else None


def bridge_slots(bridge: BridgeState | None) -> dict[tuple[str, str], Received]:
    """(participant, client) -> what its slots carry."""
    if bridge is None:
        return {}
    slides = {
        track.id for participant in bridge.participants for track in participant.tracks if track.content == "slides"
    }
    return {
        (participant.id, subscription.client): Received(
            slots={slot.mid: None if slot.source is None else RoomId(slot.source) for slot in subscription.slots},
            flows={slot.mid: slot.flow for slot in subscription.slots},
            slides=tuple(slot.mid for slot in subscription.slots if slot.track in slides),
        )
        for participant in bridge.participants
        for subscription in participant.subscriptions
    }


def wanted_layers(bridge: BridgeState | None) -> dict[tuple[str, str], dict[str, bool]]:
    """(participant, client) -> rid -> whether anybody is sent that layer of its camera."""
    if bridge is None:
        return {}
    wanted: dict[tuple[str, str], dict[str, bool]] = {}
    for participant in bridge.participants:
        for track in participant.tracks:
            if track.rid:
                wanted.setdefault((participant.id, track.client), {})[track.rid] = track.wanted
    return wanted


def shared_screens(bridge: BridgeState | None) -> dict[RoomId, str]:
    """Room -> the client whose screen it shares: of several the newest, whose place the others are to leave."""
    return {
        RoomId(participant.id): track.client
        for participant in (bridge.participants if bridge else ())
        for track in participant.tracks
        if track.content == "slides"
    }


def present_rooms(*bridges: BridgeState | None) -> frozenset[RoomId]:
    """Those that something connects with one of the bridges."""
    return frozenset(RoomId(participant.id) for each in bridges if each for participant in each.participants)
