"""What loss shows of a link: whether it is full, or loses packets whatever is sent.

Google congestion control holds a rate from 2 % of loss on and lowers it from 10 % on (draft-ietf-rmcat-gcc-02 6).
A radio link that always loses 5 % would never get above its first rate. So the usual loss is learned: a full link loses
less after less was sent, and a bad one loses as much as before.
"""

INTERVAL_S = 0.5  # of a sample, unless so few packets went out that it would show nothing
LEAST_PACKETS, LONGEST_S = 50, 2.0
WEIGHT = 0.3  # of a sample
RELIEF = 0.08  # of the difference by which the loss is lower than usual, per sample
LOW, HIGH = 0.02, 0.10
EXCESS = 0.05  # above the usual loss
FIRST_S = 2.0  # the loss of the first seconds, when little is sent, is the usual one
DOUBT_S = 5.0  # the loss is between LOW and HIGH for so long: find out by sending less
ANSWER_S = 2.0  # and a round trip, until the loss shows that less was sent
FELL = 0.6  # of the loss before: it fell, so the link was full
MOST_USUAL = 0.3


class LossControl:
    """`loss`: smoothed. `usual`: the part of it that does not come from sending too much."""

    def __init__(self, now: float) -> None:
        self.loss = 0.0
        self.usual = 0.0
        self._began = self._sampled_at = now
        self._received = self._lost = 0
        self._samples = 0
        self._doubt_since: float | None = None
        self._before = 0.0  # the loss before the rate was lowered
        self._answer_at: float | None = None

    @property
    def bearable(self) -> bool:
        """Whether the rate may rise."""
        return self.loss < max(LOW, 1.5 * self.usual + LOW)

    def count(self, received: int, lost: int) -> None:
        self._received += received
        self._lost += lost

    def take(self, fraction: float) -> None:
        """Take a whole sample, as a receiver report has it."""
        self._samples += 1
        self.loss += (fraction - self.loss) * (WEIGHT if self._samples > 1 else 1)
        if self.loss < self.usual:
            self.usual += (self.loss - self.usual) * RELIEF  # slowly: a sample may be lucky

    def restart(self, now: float) -> None:
        """Forget what was counted since the last sample, as after a silence."""
        self._received = self._lost = 0
        self._sampled_at = now
        self._doubt_since = None

    def forget(self, now: float) -> None:
        """Expect the usual loss again: for a while nothing was sent that could show it."""
        self.loss = self.usual
        self.restart(now)

    def judge(self, round_trip_s: float, now: float) -> bool:
        """Whether to lower the rate now, to what arrives."""
        if self._received + self._lost and not self._sample(now):
            return False
        if now - self._began < FIRST_S and self.loss < HIGH:
            self.usual = self.loss
        if self._answer_at is not None:
            if now < self._answer_at:
                return False
            self._answer_at = None
            if self.loss > FELL * self._before:
                self.usual = min(self.loss, MOST_USUAL)
        if self.bearable:
            self._doubt_since = None
            return False
        if self._doubt_since is None:
            self._doubt_since = now
        full = self.loss > HIGH and self.loss > self.usual + EXCESS
        if not full and now - self._doubt_since < DOUBT_S:
            return False
        self._doubt_since = None
        self._before = self.loss
        self._answer_at = now + ANSWER_S + round_trip_s
        return True

    def _sample(self, now: float) -> bool:
        """Close the sample, if it is long enough."""
        packets, elapsed = self._received + self._lost, now - self._sampled_at
        if elapsed < INTERVAL_S or (packets < LEAST_PACKETS and elapsed < LONGEST_S):
            return False
        self.take(self._lost / packets)
        self._received = self._lost = 0
        self._sampled_at = now
        return True
