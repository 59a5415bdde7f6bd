"""A trial: a picture that has no smaller layer is sent before it is known whether the link takes it.

A call should not begin with a still that lasts until the first probe. So as long as nothing has shown what the link
takes, a large picture of one layer goes out at once. The first queue, loss or silence ends the trial.
"""

MOST_BPS = 4_000_000
UNANSWERED_S = 0.5  # no more goes out without an answer: on a narrow link it would be a long queue
WAIT_S = 0.1  # a longer wait of the newest packet shows a queue
LOSS, STRAY = 0.2, 6  # this share of what came, and so many packets more, may be missing


class Trial:
    """`running`: whether more than the estimate is sent because of this trial."""

    def __init__(self) -> None:
        self.running = False
        self._most_bps: float = MOST_BPS
        self._unanswered = False

    @property
    def bps(self) -> int:
        """So much may be sent, whatever the estimate; 0 where the estimate is to be followed."""
        return 0 if self._unanswered else int(self._most_bps)

    def end(self) -> None:
        """Note that something has shown what the link takes."""
        self._most_bps = 0.0

    def wait(self, silence_s: float) -> None:
        """Note that no answer has come for `silence_s`."""
        self._unanswered = silence_s >= UNANSWERED_S

    def judge(self, acknowledged_bps: float, *, wait_s: float, received: int, missing: int) -> float:
        """Take feedback; the rate that it shows the link to take, 0 where it shows none."""
        self._unanswered = False
        if not self._most_bps or not acknowledged_bps:
            return 0.0
        if wait_s > WAIT_S or missing > STRAY + LOSS * received:
            self._most_bps = min(self._most_bps, acknowledged_bps)
            return 0.0
        return min(acknowledged_bps, self._most_bps) if self.running else 0.0
