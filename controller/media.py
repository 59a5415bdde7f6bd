"""What a bridge's report means for a site and for a page. Pure."""

from controller.views import SiteLink, SiteMedia
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


def bridge_slots(bridge: BridgeState | None) -> dict[tuple[str, str], dict[str, RoomId | None]]:
    """(participant, client) -> mid -> whose track the slot carries."""
    if bridge is None:
        return {}
    return {
        (participant.id, subscription.client): {
            slot.mid: RoomId(slot.source) if slot.source is not None else None for slot in subscription.slots
        }
        for participant in bridge.participants
        for subscription in participant.subscriptions
    }
