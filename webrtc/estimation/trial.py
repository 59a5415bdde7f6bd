"""Showing a picture that cannot do with less, before it is known whether the link takes it: by sending it.

A still until the first probe is no way to begin a call. So as long as nothing has told what the link takes, a large
picture of one layer goes out at once, and feedback is listened to closely: the first queue, loss or silence ends it.
"""

MOST_BPS = 4_000_000
UNANSWERED_S = 0.5  # what may go out without an answer is a queue on a narrow link
WAIT_S = 0.1  # of the newest packet, and it is a queue
LOSS, STRAY = 0.2, 6  # share of what came, and packets beside it, that may be missing


class Trial:
    """`running`: whether more is sent than the estimate because of it."""

    def __init__(self) -> None:
        self.running = False
        self._most_bps: float = MOST_BPS
        self._unanswered = False

    @property
    def bps(self) -> int:
        """So much may be sent, whatever the estimate; 0 where that is to be followed."""
        return 0 if self._unanswered else int(self._most_bps)

    def end(self) -> None:
        """Something has told what the link takes."""
        self._most_bps = 0.0

    def wait(self, silence_s: float) -> None:
        """Nobody has answered yet, for so long."""
        self._unanswered = silence_s >= UNANSWERED_S

    def judge(self, acknowledged_bps: float, *, wait_s: float, received: int, missing: int) -> float:
        """Take feedback; what it shows that the link takes, 0 where it shows nothing."""
        self._unanswered = False
        if not self._most_bps or not acknowledged_bps:
            return 0.0
        if wait_s > WAIT_S or missing > STRAY + LOSS * received:
            self._most_bps = min(self._most_bps, acknowledged_bps)
            return 0.0
        return min(acknowledged_bps, self._most_bps) if self.running else 0.0
