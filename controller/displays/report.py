"""What a display says of itself, and how far it has come. Values only."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict, Field, StrictBool

from controller.schema import Count, Number


class SiteDisplay(StrEnum):
    """How far a site's display has come."""

    ABSENT = "absent"
    CONNECTED = "connected"
    JOINING = "joining"
    JOINED = "joined"


class Camera(StrEnum):
    """What a display page says of its camera and microphone."""

    UNKNOWN = "unknown"
    OK = "ok"
    DENIED = "denied"
    MISSING = "missing"


class SendLimit(StrEnum):
    """Why a display's browser sends a smaller picture than it could (qualityLimitationReason of webrtc-stats)."""

    NONE = "none"
    CPU = "cpu"
    BANDWIDTH = "bandwidth"


Share = Annotated[Number, Field(ge=0, le=1)]
AtLeastZero = Annotated[Number, Field(ge=0)]


@dataclass(frozen=True, slots=True, kw_only=True)
class DisplayReport:
    """What a display page says of itself over its WebSocket, every 2 s and at each change.

    `playing`: elements that show a moving picture. `frames_decoded`, `freezes`: of all received pictures, since the
    page joined. `audio_energy`: WebRTC's totalAudioEnergy, summed over the received tracks. `send_round_trip_ms`: null
    before the node has said it (RTCP receiver reports); `send_loss`: lost on the way to the node, 0 to 1. `concealed`:
    share of the sound that the decoder made up of late. `cpu_slow`: the machine cannot decode all that it was sent: the
    page has asked for less.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    type: Literal["report"] = "report"
    joined: StrictBool
    camera: Camera
    publishing: StrictBool
    playing: Count
    frames_decoded: Count
    audio_energy: AtLeastZero
    weak: StrictBool
    send_round_trip_ms: AtLeastZero | None = None
    send_loss: Share | None = None
    limited: SendLimit = SendLimit.NONE
    freezes: Count = 0
    concealed: Share = 0.0
    cpu_slow: StrictBool = False
