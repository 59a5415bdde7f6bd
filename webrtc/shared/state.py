"""The state of a bridge: snapshots for the controller, as dataclasses and as JSON."""

from dataclasses import dataclass, fields
from enum import StrEnum
from operator import attrgetter

from webrtc.shared.ids import BridgeId, ClientId, ParticipantId, TrackId
from webrtc.shared.policy import Mode


class LinkState(StrEnum):
    GOOD = "good"
    WEAK = "weak"  # nothing received for 5 s
    LOST = "lost"  # not connected yet, or nothing received for 15 s


class Role(StrEnum):
    """What a slot is for: the first picture of a subscriber is the stage."""

    STAGE = "stage"
    THUMBNAIL = "thumbnail"
    VOICE = "voice"


class Flow(StrEnum):
    """How a slot's source reaches the subscriber now."""

    NONE = "none"  # it has no source, or waits for the first packet
    LIVE = "live"
    STILL = "still"  # the link takes only a picture every few seconds
    PAUSED = "paused"  # the page does not show it, or the link takes nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackState:
    """One flow as it comes in; each simulcast layer is one.

    `content`: "main", or "slides" for a shared screen (RFC 4796). `rid`: names the layer, "" without simulcast.
    `wanted`: whether anybody gets it; if not, the sender may stop it. `width`, `height`: 0 where not known.
    `bitrate_bps`: over about the last second, headers included. `loss`: lost on the way in over the last seconds,
    0 to 1, before repair. `lost`, `jitter_ms`: as RFC 3550 6.4.1 counts. `freezes`: gaps in the picture of over 0.5 s.
    """

    id: TrackId
    kind: str
    client: ClientId
    content: str
    rid: str
    codec: str
    flowing: bool
    wanted: bool
    width: int
    height: int
    frames_per_s: float
    bitrate_bps: int
    packets: int
    lost: int
    loss: float
    jitter_ms: float
    freezes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotState:
    """`source`: whose packets the slot carries now. `track`: which layer of it. Both None while it carries nothing."""

    mid: str
    kind: str
    role: Role
    flow: Flow
    source: ParticipantId | None
    track: TrackId | None
    height: int  # of the layer sent; 0 for sound, or where not known
    bitrate_bps: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionState:
    """`estimate_bps`: what the link to the subscriber takes, None before the first estimate; `sent_bps`: what goes out.

    `wanted_bps`: the rate that would bring everything to its best; the link is not probed much further than that.
    `loss`: lost on the way out over the last seconds, 0 to 1, before repair. `round_trip_ms`: None before a report.
    """

    client: ClientId
    connected: bool
    packets: int
    estimate_bps: int | None
    wanted_bps: int
    sent_bps: int
    loss: float
    jitter_ms: float
    round_trip_ms: float | None
    slots: tuple[SlotState, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ParticipantState:
    """`round_trip_ms`: the longest of its subscriptions'. `speaking`: its sound is above the noise of its room."""

    id: ParticipantId
    link: LinkState
    round_trip_ms: float | None
    speaking: bool
    tracks: tuple[TrackState, ...]
    subscriptions: tuple[SubscriptionState, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BridgeState:
    """`dominant`: who speaks now, or spoke last; None before anybody has."""

    id: BridgeId
    participants: tuple[ParticipantState, ...]
    mode: Mode = Mode.DISCUSSION
    floor: ParticipantId | None = None
    dominant: ParticipantId | None = None

    def to_json(self) -> dict[str, object]:
        state = _plain(self)
        state["participants"] = [
            _plain(participant)
            | {
                "tracks": [_plain(track) for track in participant.tracks],
                "subscriptions": [
                    _plain(subscription) | {"slots": [_plain(slot) for slot in subscription.slots]}
                    for subscription in participant.subscriptions
                ],
            }
            for participant in self.participants
        ]
        return state


_State = TrackState | SlotState | SubscriptionState | ParticipantState | BridgeState
_FIELDS = {
    kind: tuple(field.name for field in fields(kind))
    for kind in (TrackState, SlotState, SubscriptionState, ParticipantState, BridgeState)
}
_VALUES = {kind: attrgetter(*names) for kind, names in _FIELDS.items()}


def _plain(state: _State) -> dict[str, object]:
    """Its own fields: a lesson of 21 rooms has some 400 such objects; `dataclasses.asdict` would copy each value."""
    kind = type(state)
    return dict(zip(_FIELDS[kind], _VALUES[kind](state), strict=True))
