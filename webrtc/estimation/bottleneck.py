"""What feedback shows of the bottleneck: how much comes through, how long packets wait, and its capacity.

Times are seconds; the clocks of sender and receiver may differ by any constant.
"""

from collections import deque
from math import sqrt

from webrtc.estimation.windowed_min import WindowedMin

DELIVERY_S = 0.5  # the rate that arrives is measured over so long
MAX_SPANS = 64  # feedbacks that it is measured over at most, whatever times they report
LEAST_S = 0.05
FASTEST_S = 15.0  # a route may change: the fastest packet counts for up to twice so long
LONG_S = 0.4  # from here on speech comes late
GROWING_S = 0.02  # from one feedback to the next
STEADY_S, STEADY = 3.0, 0.15  # a wait that stays the same, within that share, for so long is no queue of ours
CAPACITY_WEIGHT = 0.05  # of a new measurement
DEVIATION, LEAST_DEVIATION = 0.05, 0.03  # of the capacity, at first and at least


class Delivery:
    """The rate that arrives, over about the last half second."""

    def __init__(self) -> None:
        self._spans: deque[tuple[float, float, int]] = deque(maxlen=MAX_SPANS)  # until when, how long, octets

    def __bool__(self) -> bool:
        return bool(self._spans)

    @property
    def bps(self) -> float:
        """0 where it is not known."""
        elapsed = sum(elapsed for _, elapsed, _ in self._spans)
        return sum(octets for _, _, octets in self._spans) * 8 / elapsed if elapsed > LEAST_S else 0.0

    def take(self, first: float, last: float, octets: int, *, follows: bool) -> None:
        """Count `octets` that arrived from `first` to `last`. `follows`: no feedback was lost since the last ones."""
        began = self._spans[-1][0] if follows and self._spans else first
        until = max(last, began)
        self._spans.append((until, until - began, octets))
        while len(self._spans) > 2 and until - self._spans[0][0] >= DELIVERY_S:
            self._spans.popleft()

    def forget(self) -> None:
        self._spans.clear()


class Queue:
    """The time that packets wait in queues: how much longer they take than the fastest of the last half minute.

    So the drift of the two clocks does not matter.
    """

    def __init__(self) -> None:
        self.wait_s = 0.0
        self.growing = self.shrinking = False
        self._fastest = WindowedMin(FASTEST_S)
        self._usual_s = self._since = 0.0  # about how long packets wait, and since when

    @property
    def long(self) -> bool:
        return self.wait_s > LONG_S

    def take(self, trip_s: float, now: float) -> None:
        """`trip_s`: from sending to arrival, of the newest packet that was reported."""
        self._fastest.take(trip_s, now)
        before, self.wait_s = self.wait_s, trip_s - self._fastest.value
        self.growing = self.wait_s > before + GROWING_S
        self.shrinking = self.wait_s < before
        if abs(self.wait_s - self._usual_s) > STEADY * self._usual_s:
            self._usual_s, self._since = self.wait_s, now

    def steady(self, now: float) -> bool:
        """Whether packets have waited equally long for so long that the way itself must have become longer."""
        return self.long and now - self._since >= STEADY_S


class Capacity:
    """The rate that arrived, on average, when the link was overused (draft-ietf-rmcat-gcc-02 5.5)."""

    def __init__(self) -> None:
        self._mean = 0.0  # 0 while it is not known
        self._variance = 0.0

    def near(self, bps: float) -> bool:
        return self._mean > 0 and abs(bps - self._mean) <= 3 * sqrt(self._variance)

    def exceeded(self, bps: float) -> bool:
        """Whether more arrives than the link took before, so that its capacity is no longer known."""
        return self._mean > 0 and bps > self._mean + 3 * sqrt(self._variance)

    def overused(self, bps: float) -> None:
        """`bps` arrived while the queue grew."""
        if not self.near(bps):
            self._mean, self._variance = bps, (DEVIATION * bps) ** 2
            return
        change = bps - self._mean
        self._mean += CAPACITY_WEIGHT * change
        self._variance += CAPACITY_WEIGHT * (change * change - self._variance)
        self._variance = max(self._variance, (LEAST_DEVIATION * self._mean) ** 2)

    def forget(self) -> None:
        self._mean = 0.0
