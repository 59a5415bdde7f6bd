"""The state of a node beside its bridges: its load, and whether it is being drained."""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from math import exp

from webrtc.bridge.media_plane import MediaPlane
from webrtc.node.loop_lag import LoopLag

SAMPLE_S = 1.0
LATEST_S = 0.2  # the lag of a second counts up to this: one long pause of the machine is no lasting lag
SMOOTHING_S = 5.0  # a step in the CPU share shows to two thirds after this time


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """`cpu`: share of one core that the process uses, smoothed; a node uses one core at most, so 1.0 is all.

    `lag_s`: how late the event loop runs what is due, smoothed; packets wait as long.
    """

    cpu: float = 0.0
    lag_s: float = 0.0
    packets_in_per_s: int = 0
    packets_out_per_s: int = 0
    connections: int = 0


class NodeStatus:
    """`node`: random at each start, so that a controller sees a restart. `capacity`: in connections; 0: any."""

    def __init__(self, node: str, *, capacity: int = 0) -> None:
        self.node = node
        self.capacity = capacity
        self.version = _version()
        self.load = Load()
        self.lag = LoopLag()
        self.draining = False
        self._listeners: list[Callable[[], None]] = []

    def on_change(self, listener: Callable[[], None]) -> None:
        self._listeners.append(listener)

    def measured(self, load: Load) -> None:
        self.load = load
        self._notify()

    def drain(self, on: bool) -> None:
        """Ask the controller to place no more lessons here, and to move those that are here; or take that back."""
        if on != self.draining:
            self.draining = on
            self._notify()

    def to_json(self) -> dict[str, object]:
        own = {"draining": self.draining, "capacity": self.capacity, "version": self.version}
        return {**asdict(self.load), **own}

    def _notify(self) -> None:
        for listener in self._listeners:
            listener()


class LoadMeter:
    """Measures this process, which does nothing but the work of its plane."""

    def __init__(self, plane: MediaPlane, status: NodeStatus) -> None:
        self._plane = plane
        self._status = status

    async def run(self) -> None:
        """Report a load every `SAMPLE_S` until cancelled."""
        wall, cpu, packets = time.monotonic(), time.process_time(), self._packets()
        lag, smooth, smooth_lag_s = self._status.lag, 0.0, 0.0
        while True:
            late_before_s, looks_before = lag.sum_s, lag.count
            await lag.watch(SAMPLE_S)
            wall_before, cpu_before, packets_before = wall, cpu, packets
            wall, cpu, packets = time.monotonic(), time.process_time(), self._packets()
            took_s = wall - wall_before
            weight = 1 - exp(-took_s / SMOOTHING_S)
            smooth += ((cpu - cpu_before) / took_s - smooth) * weight
            late_s = min(LATEST_S, (lag.sum_s - late_before_s) / (lag.count - looks_before))
            smooth_lag_s += (late_s - smooth_lag_s) * weight
            # Counters of connections that ended are no longer in the sums: a sum that fell shows nothing.
            received, sent = (
                max(0, round((now - before) / took_s)) for now, before in zip(packets, packets_before, strict=True)
            )
            self._status.measured(
                Load(
                    cpu=round(smooth, 4),
                    lag_s=round(smooth_lag_s, 4),
                    packets_in_per_s=received,
                    packets_out_per_s=sent,
                    connections=len(self._plane.connections),
                )
            )

    def _packets(self) -> tuple[int, int]:
        """RTP packets received and sent so far."""
        there = [each for bridge in self._plane.bridges.values() for each in bridge.state().participants]
        received = sum(track.packets for each in there for track in each.tracks)
        return received, sum(each.packets for participant in there for each in participant.subscriptions)


def _version() -> str:
    try:
        return version("nhipcau")
    except PackageNotFoundError:  # run from its sources
        return "unknown"
