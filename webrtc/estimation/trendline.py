"""Whether a queue grows on the way: the trend line of Google congestion control.

draft-ietf-rmcat-gcc-02 5.1 to 5.4 with the linear fit that replaced the Kalman filter in practice. Times are in
seconds; the clocks of sender and receiver need no common zero.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from enum import StrEnum
from math import inf

AT_ONCE_S = 0.0005  # packets sent so close together are a burst: only the last arrival of a burst counts
BURST_S = 0.005  # packets that were sent, or arrived, so close together count as one group
MAX_BURST_S = 0.1
WINDOW = 20  # groups of packets in the fit
SUM_AGAIN = 256  # groups
SMOOTHING = 0.9
GAIN = 4.0
MAX_GROUPS = 60  # the trend counts the more, the more groups have been seen
OVERUSE_S = 0.01  # the trend must stay above the threshold so long
THRESHOLD, LEAST_THRESHOLD, MOST_THRESHOLD = 12.5, 6.0, 600.0  # at first, at least, at most
UP, DOWN = 8.7, 39.0  # how fast the threshold follows the trend, per second
SPIKE = 15.0  # a trend so far above the threshold does not move it
LONGEST_MOVE_S = 0.1
HOLE_S = 3.0  # after so long without packets the fit begins again
NEVER = -inf
SAME_TIME = 1e-6  # square seconds: groups that arrived together have no trend


class Usage(StrEnum):
    NORMAL = "normal"
    OVER = "over"
    UNDER = "under"


class Trendline:
    """`usage`: of the link, as the packets taken so far show."""

    def __init__(self) -> None:
        self.usage = Usage.NORMAL
        self._threshold = THRESHOLD
        self.restart()

    def restart(self) -> None:
        """Forget the packets, as after a silence. The threshold stays: it follows the jitter of the link."""
        self.usage = Usage.NORMAL
        # When the first and the last packets of the group at hand were sent, and arrived.
        self._first_sent = self._last_sent = self._first_arrived = self._last_arrived = NEVER
        self._sent_before = self._arrived_before = NEVER  # the last ones of the group before
        self._begin = 0.0
        self._delay = self._smoothed = 0.0  # since `_begin`
        self._points: deque[tuple[float, float]] = deque()  # of the fit: when a group arrived, and its smoothed delay
        self._x = self._y = self._xx = self._xy = 0.0  # their sums, for the line with the least squares
        self._groups = 0
        self._trend = 0.0
        self._over_s = NEVER  # how long above the threshold
        self._over_groups = 0
        self._moved_at = NEVER

    def take(self, sent: list[float], arrived: list[float], /) -> None:
        """Count packets, in order of sending; those sent before the group at hand are left out."""
        first_sent, last_sent = self._first_sent, self._last_sent
        first_arrived, last = self._first_arrived, self._last_arrived
        for sent_at, arrived_at in _bursts(sent, arrived):
            if sent_at < first_sent:
                continue
            if sent_at - first_sent <= BURST_S or (
                arrived_at - last <= BURST_S
                and arrived_at - last < sent_at - last_sent
                and arrived_at - first_arrived < MAX_BURST_S
            ):
                if sent_at > last_sent:
                    last_sent = sent_at
                if arrived_at > last:
                    last = arrived_at
                continue
            self._close(last_sent, last)
            if sent_at - last_sent > HOLE_S:
                self.restart()
                self._begin = arrived_at
            first_sent = last_sent = sent_at
            first_arrived = last = arrived_at
        self._first_sent, self._last_sent = first_sent, last_sent
        self._first_arrived, self._last_arrived = first_arrived, last

    def _close(self, last_sent: float, last_arrived: float) -> None:
        """Count the group whose last packet was sent, and arrived, then."""
        apart, later = last_sent - self._sent_before, last_arrived - self._arrived_before
        self._sent_before, self._arrived_before = last_sent, last_arrived
        if not apart < inf:  # it is the first group, or the one before the first
            return
        self._groups += 1
        self._delay += later - apart
        self._smoothed = y = SMOOTHING * self._smoothed + (1 - SMOOTHING) * self._delay
        x = last_arrived - self._begin
        points = self._points
        points.append((x, y))
        self._x += x
        self._y += y
        self._xx += x * x
        self._xy += x * y
        if len(points) <= WINDOW:
            if len(points) == WINDOW:
                self._judge(apart, last_arrived)
            return
        x, y = points.popleft()
        self._x -= x
        self._y -= y
        self._xx -= x * x
        self._xy -= x * y
        if not self._groups % SUM_AGAIN:
            self._sum_again()
        self._judge(apart, last_arrived)

    def _sum_again(self) -> None:
        """Begin the sums again near zero, before rounding makes them wrong."""
        begin = self._points[0][0]
        self._begin += begin
        self._points = deque((x - begin, y) for x, y in self._points)
        self._x = sum(x for x, _ in self._points)
        self._y = sum(y for _, y in self._points)
        self._xx = sum(x * x for x, _ in self._points)
        self._xy = sum(x * y for x, y in self._points)

    def _judge(self, apart: float, now: float) -> None:
        """`apart`: from the group before to this one, as they were sent; `now`: when this one arrived."""
        before, threshold = self._trend, self._threshold
        spread = WINDOW * self._xx - self._x * self._x
        self._trend = trend = (WINDOW * self._xy - self._x * self._y) / spread if spread > SAME_TIME else before
        scaled = min(self._groups, MAX_GROUPS) * trend * GAIN
        if scaled > threshold:
            self._over_s = apart / 2 if self._over_s < 0 else self._over_s + apart
            self._over_groups += 1
            if self._over_s > OVERUSE_S and self._over_groups > 1 and trend >= before:
                self._over_s, self._over_groups = 0.0, 0
                self.usage = Usage.OVER
        else:
            self._over_s, self._over_groups = NEVER, 0
            self.usage = Usage.UNDER if scaled < -threshold else Usage.NORMAL
        # The threshold follows the trend slowly, so that a link's usual jitter, or a rival that fills the queue, is no
        # overuse.
        size = abs(scaled)
        elapsed = now - self._moved_at
        self._moved_at = now
        if size <= threshold + SPIKE and 0 < elapsed < inf:
            step = (DOWN if size < threshold else UP) * (size - threshold) * min(elapsed, LONGEST_MOVE_S)
            self._threshold = min(max(threshold + step, LEAST_THRESHOLD), MOST_THRESHOLD)


def _bursts(sent: Sequence[float], arrived: Sequence[float]) -> Iterator[tuple[float, float]]:
    """When each burst was sent, and had arrived as a whole."""
    began = last = NEVER
    for sent_at, arrived_at in zip(sent, arrived, strict=True):
        if not 0 <= sent_at - began <= AT_ONCE_S:
            if began > NEVER:
                yield began, last
            began, last = sent_at, arrived_at
        elif arrived_at > last:
            last = arrived_at
    if began > NEVER:
        yield began, last
