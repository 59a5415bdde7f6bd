"""What a bridge says about itself: snapshots for the controller, as dataclasses and as JSON."""

from dataclasses import dataclass
from enum import StrEnum

from webrtc.ids import BridgeId, ClientId, ParticipantId, TrackId


class Link(StrEnum):
    GOOD = "good"
    WEAK = "weak"  # nothing heard for 5 s
    LOST = "lost"  # not connected yet, or nothing heard for 15 s


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackState:
    """`bitrate_bps`: over about the last second, headers included; `lost` and `jitter_ms`: as RFC 3550 6.4.1 counts."""

    id: TrackId
    kind: str
    client: ClientId
    codec: str
    flowing: bool
    bitrate_bps: int
    packets: int
    lost: int
    jitter_ms: float

    def to_json(self) -> dict[str, object]:
        return {
            "id": self.id,
            "kind": self.kind,
            "client": self.client,
            "codec": self.codec,
            "flowing": self.flowing,
            "bitrate_bps": self.bitrate_bps,
            "packets": self.packets,
            "lost": self.lost,
            "jitter_ms": self.jitter_ms,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotState:
    """`source`: whose packets the slot carries now; None while it has none."""

    mid: str
    kind: str
    source: ParticipantId | None

    def to_json(self) -> dict[str, object]:
        return {"mid": self.mid, "kind": self.kind, "source": self.source}


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionState:
    client: ClientId
    connected: bool
    packets: int
    slots: tuple[SlotState, ...]

    def to_json(self) -> dict[str, object]:
        return {
            "client": self.client,
            "connected": self.connected,
            "packets": self.packets,
            "slots": [slot.to_json() for slot in self.slots],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ParticipantState:
    """`round_trip_ms`: from its receiver reports; None for one that does not subscribe or has not reported yet."""

    id: ParticipantId
    link: Link
    round_trip_ms: float | None
    tracks: tuple[TrackState, ...]
    subscriptions: tuple[SubscriptionState, ...]

    def to_json(self) -> dict[str, object]:
        return {
            "id": self.id,
            "link": self.link.value,
            "round_trip_ms": self.round_trip_ms,
            "tracks": [track.to_json() for track in self.tracks],
            "subscriptions": [subscription.to_json() for subscription in self.subscriptions],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class BridgeState:
    id: BridgeId
    participants: tuple[ParticipantState, ...]

    def to_json(self) -> dict[str, object]:
        return {"id": self.id, "participants": [participant.to_json() for participant in self.participants]}
