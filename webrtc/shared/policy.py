"""What the controller wants of a bridge: who takes part, who runs it, and who may be seen large and heard."""

from dataclasses import dataclass
from enum import StrEnum

from webrtc.shared.ids import ParticipantId


class Mode(StrEnum):
    """Who is heard, and who is large for the others."""

    TEACHER = "teacher"  # the host speaks to all
    CALLED = "called"  # the host and the room that has the floor
    DISCUSSION = "discussion"  # everybody; whoever speaks is large


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """`order`: the participants as they shall be shown, the host room first; others follow as they came.

    `floor`: who has the floor: this one is large for all others, and heard, in every mode.
    `muted`: whose sound is not passed on, whatever they send. `dark`: whose cameras are not; a shared screen still is.
    """

    order: tuple[ParticipantId, ...] = ()
    mode: Mode = Mode.DISCUSSION
    floor: ParticipantId | None = None
    muted: tuple[ParticipantId, ...] = ()
    dark: tuple[ParticipantId, ...] = ()

    @property
    def host(self) -> ParticipantId | None:
        return self.order[0] if self.order else None
