"""Who is large, small and heard for one subscriber: rules without state, over ranks; slots and stickiness are the bridge's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from webrtc.ids import ParticipantId
from webrtc.policy import Policy
from webrtc.speaker import Speech


@dataclass(frozen=True, slots=True, kw_only=True)
class Offering:
    """What there is to be shown and heard of a participant at this moment."""

    picture: bool = False
    slides: bool = False
    voice: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """All ranked, the best first; nobody twice in one list, and never the viewer itself.

    `slides`: whose shared screen is on the stage; then no picture is. `stage`: whose picture may be large: the first, or
    the next where the subscriber cannot take it. `thumbnails`: whose picture is small: as many from the front as there are
    slots; the order says who is left out, not who stands where, so a slot keeps its source while that is among them.
    `voices`: all that may be heard: as many from the front as there are slots, in the same way.
    """

    slides: ParticipantId | None = None
    stage: tuple[ParticipantId, ...] = ()
    thumbnails: tuple[ParticipantId, ...] = ()
    voices: tuple[ParticipantId, ...] = ()


def cast(
    *,
    viewer: ParticipantId,
    present: Sequence[ParticipantId],
    offerings: Mapping[ParticipantId, Offering],
    policy: Policy,
    speech: Speech,
) -> Cast:
    """What `viewer` gets. `present`: in the policy's order, then as they came."""
    return Cast()


def eligible(policy: Policy) -> frozenset[ParticipantId] | None:
    """Who may be dominant under `policy`, for `Speakers.restrict`: None for anybody."""
    return None
