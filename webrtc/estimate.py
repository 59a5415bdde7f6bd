"""What the link to one subscriber takes: an estimate out of the feedback on what was sent to it.

Delay-based as Google congestion control (draft-ietf-rmcat-gcc-02) with the trend line of its later versions, together with
losses, and probing by padding before a rate is used. Pure: all times are seconds of one monotonic clock.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from webrtc.transport_cc import TransportFeedback

START_BPS = 1_000_000
START_WITHOUT_FEEDBACK_BPS = 512_000
FLOOR_BPS = 30_000
CAP_BPS = 20_000_000

Sent = Callable[[int], tuple[float, int] | None]


class State(StrEnum):
    RISING = "rising"
    HOLDING = "holding"
    FALLING = "falling"
    SILENT = "silent"  # packets go out and nothing comes back


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """A wish for padding: everything sent in the next `duration_s` shall add up to `target_bps`."""

    id: int
    target_bps: int
    duration_s: float


class SendEstimate:
    """`transport_cc`: whether the subscriber sends transport-wide feedback; without it, REMB and loss have to do."""

    def __init__(self, *, transport_cc: bool, now: float) -> None:
        self.transport_cc = transport_cc
        self.state = State.RISING
        self.loss = 0.0
        self.round_trip_s: float | None = None
        self._bps: float = START_BPS if transport_cc else START_WITHOUT_FEEDBACK_BPS

    @property
    def bps(self) -> int:
        return int(self._bps)

    def on_feedback(self, feedback: TransportFeedback, sent: Sent, now: float) -> None:
        """`sent`: when (s) and how large (octets, with headers) the packet of a 16-bit transport number went out."""

    def on_loss(self, fraction: float, round_trip_s: float | None, sent_bps: int, now: float) -> None:
        """Take a receiver report: `fraction` lost (0 to 1) over all tracks; `sent_bps`: what went out meanwhile."""

    def on_remb(self, bps: int, now: float) -> None:
        """Take what the receiver says it can take."""

    def tick(self, last_sent: float, now: float) -> None:
        """To be called about every 100 ms: silence has to be seen too. `last_sent`: when a packet last went out."""

    def probe(self, wanted_bps: int, now: float) -> Probe | None:
        """A probe to be sent now, if `wanted_bps` is above the estimate and the link may take more."""
        return None

    def probe_sent(self, probe: Probe, first: int, last: int, now: float) -> None:
        """All packets (media and padding) of `probe` had the 16-bit transport numbers from `first` to `last`."""
