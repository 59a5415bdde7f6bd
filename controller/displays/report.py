"""What a display says of itself, and how far it has come. Values only."""

from dataclasses import dataclass
from enum import StrEnum


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


@dataclass(frozen=True, slots=True, kw_only=True)
class DisplayReport:
    """What a display page says of itself, every 2 s and at each change."""

    joined: bool
    camera: Camera
    publishing: bool
    playing: int  # elements that show a moving picture
    frames_decoded: int  # since the page joined
    audio_energy: float  # WebRTC's totalAudioEnergy, summed over the received tracks
    weak: bool
    send_round_trip_ms: float | None = None  # None before the node has said it (RTCP receiver reports)
    send_loss: float | None = None  # lost on the way to the node, 0 to 1
    limited: SendLimit = SendLimit.NONE
    freezes: int = 0  # of all received pictures, since the page joined
    concealed: float = 0.0  # share of the sound that was made up by the decoder of late, 0 to 1
    cpu_slow: bool = False  # the machine cannot decode all that it was sent: the page has asked for less
