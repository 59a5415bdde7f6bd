"""What a bridge's report means for a site and for a page. Pure."""

from controller.views import SiteLink, SiteMedia, SlotView
from rooms.room import RoomId
from webrtc.state import BridgeState, Link

LINKS = {Link.GOOD: SiteLink.GOOD, Link.WEAK: SiteLink.WEAK, Link.LOST: SiteLink.LOST}


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
            )
    return SiteMedia()


def bridge_slots(bridge: BridgeState | None) -> dict[tuple[str, str], dict[str, SlotView]]:
    """(participant, client) -> mid -> what the slot carries."""
    if bridge is None:
        return {}
    slides = {
        track.id for participant in bridge.participants for track in participant.tracks if track.content == "slides"
    }
    return {
        (participant.id, subscription.client): {
            slot.mid: SlotView(
                room_id=RoomId(slot.source) if slot.source is not None else None,
                flow=slot.flow,
                slides=slot.track in slides,
            )
            for slot in subscription.slots
        }
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


def present_rooms(bridge: BridgeState | None) -> frozenset[RoomId]:
    """Those that something connects with the bridge."""
    return frozenset(RoomId(participant.id) for participant in (bridge.participants if bridge else ()))
