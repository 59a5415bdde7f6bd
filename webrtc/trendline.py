"""Whether a queue grows on the way: the trend line of Google congestion control.

draft-ietf-rmcat-gcc-02 5.1 to 5.4 with the linear fit that replaced the Kalman filter in practice. Times are in
milliseconds; the clocks of sender and receiver need no common zero.
"""

from collections import deque
from enum import StrEnum

BURST_MS = 5.0  # packets sent, or come, so close together count as one
MAX_BURST_MS = 100.0
WINDOW = 20  # groups of packets in the fit
SUM_AGAIN = 256  # groups
SMOOTHING = 0.9
GAIN = 4.0
MAX_GROUPS = 60  # the trend counts the more, the more groups have been seen
OVERUSE_MS = 10.0  # the trend must stay above the threshold so long
THRESHOLD_MS = 12.5, 6.0, 600.0  # at first, at least, at most
UP, DOWN = 0.0087, 0.039  # how fast the threshold follows the trend
SPIKE_MS = 15.0  # a trend so far above the threshold does not move it
HOLE_MS = 3000.0  # after so long without packets the fit begins again


class Usage(StrEnum):
    NORMAL = "normal"
    OVER = "over"
    UNDER = "under"


class Trendline:
    """`usage`: of the link, by the packets taken so far."""

    def __init__(self) -> None:
        self.usage = Usage.NORMAL
        self._threshold = THRESHOLD_MS[0]
        self.restart()

    def restart(self) -> None:
        """Forget the packets, as after a silence; the threshold stays, for it knows the jitter of the link."""
        self.usage = Usage.NORMAL
        self._first_sent = self._last_sent = self._first_arrived = self._last_arrived = -1.0  # of the group at hand
        self._group: tuple[float, float] | None = None  # last sent, last arrived, of the group before
        self._begin = 0.0
        self._delay = self._smoothed = 0.0  # since `_begin`
        self._points: deque[tuple[float, float]] = deque()  # of the fit: when a group arrived, and its smoothed delay
        self._x = self._y = self._xx = self._xy = 0.0  # their sums, for the line with the least squares
        self._groups = 0
        self._trend = 0.0
        self._over_ms = -1.0  # how long above the threshold, -1 if it is not
        self._over_groups = 0
        self._moved_at = -1.0

    def take(self, sent: float, arrived: float) -> None:
        """Count a packet, in order of sending; one sent before the group at hand is left out."""
        last = self._last_arrived
        if last < 0:
            self._open(sent, arrived)
            self._begin = arrived
            return
        if sent < self._first_sent:
            return
        if sent - self._first_sent > BURST_MS and not (
            arrived - last <= BURST_MS
            and arrived - last < sent - self._last_sent
            and arrived - self._first_arrived < MAX_BURST_MS
        ):
            self._close()
            if sent - self._last_sent > HOLE_MS:
                self.restart()
                self._begin = arrived
            self._open(sent, arrived)
            return
        if sent > self._last_sent:
            self._last_sent = sent
        if arrived > last:
            self._last_arrived = arrived

    def _open(self, sent: float, arrived: float) -> None:
        self._first_sent = self._last_sent = sent
        self._first_arrived = self._last_arrived = arrived

    def _close(self) -> None:
        before, self._group = self._group, (self._last_sent, self._last_arrived)
        if before is None:
            return
        apart = self._last_sent - before[0]
        self._groups += 1
        self._delay += self._last_arrived - before[1] - apart
        self._smoothed = SMOOTHING * self._smoothed + (1 - SMOOTHING) * self._delay
        x, y = self._last_arrived - self._begin, self._smoothed
        points = self._points
        points.append((x, y))
        self._x += x
        self._y += y
        self._xx += x * x
        self._xy += x * y
        if len(points) > WINDOW:
            x, y = points.popleft()
            self._x -= x
            self._y -= y
            self._xx -= x * x
            self._xy -= x * y
            if not self._groups % SUM_AGAIN:
                self._sum_again()
        if len(points) == WINDOW:
            spread = WINDOW * self._xx - self._x * self._x
            self._judge((WINDOW * self._xy - self._x * self._y) / spread if spread > 1 else self._trend, apart)

    def _sum_again(self) -> None:
        """Begin the sums anew near zero, before rounding makes them false."""
        begin = self._points[0][0]
        self._begin += begin
        self._points = deque((x - begin, y) for x, y in self._points)
        self._x = sum(x for x, _ in self._points)
        self._y = sum(y for _, y in self._points)
        self._xx = sum(x * x for x, _ in self._points)
        self._xy = sum(x * y for x, y in self._points)

    def _judge(self, trend: float, apart: float) -> None:
        scaled = min(self._groups, MAX_GROUPS) * trend * GAIN
        if scaled > self._threshold:
            self._over_ms = apart / 2 if self._over_ms < 0 else self._over_ms + apart
            self._over_groups += 1
            if self._over_ms > OVERUSE_MS and self._over_groups > 1 and trend >= self._trend:
                self._over_ms, self._over_groups = 0.0, 0
                self.usage = Usage.OVER
        else:
            self._over_ms, self._over_groups = -1.0, 0
            self.usage = Usage.UNDER if scaled < -self._threshold else Usage.NORMAL
        self._trend = trend
        self._adapt(abs(scaled))

    def _adapt(self, scaled: float) -> None:
        """Follow the trend slowly, so that a link's usual jitter, or a rival that fills the queue, is no overuse."""
        elapsed = min(self._last_arrived - self._moved_at, 100.0) if self._moved_at >= 0 else 0.0
        self._moved_at = self._last_arrived
        if scaled <= self._threshold + SPIKE_MS:
            pace = DOWN if scaled < self._threshold else UP
            _, least, most = THRESHOLD_MS
            threshold = self._threshold + pace * (scaled - self._threshold) * max(0.0, elapsed)
            self._threshold = min(max(threshold, least), most)
