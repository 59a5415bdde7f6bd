"""The node in numbers for Prometheus, read from the bridges' states when asked."""

from collections import Counter
from collections.abc import Iterator, Sequence

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeHistogramMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from webrtc.bridge.media_plane import MediaPlane
from webrtc.node.participant_metrics import subscription_metrics, track_metrics
from webrtc.node.status import NodeStatus
from webrtc.shared.state import Flow, LinkState, Role, SlotState

LOSSES = (0.0, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
ROUND_TRIPS_S = (0.01, 0.03, 0.1, 0.2, 0.4, 1.0, 2.0)
ESTIMATES_BPS = (100e3, 200e3, 400e3, 800e3, 1.5e6, 3e6, 6e6)


class PlaneCollector(Collector):
    """Sums and distributions over the node, and figures of each room as long as it is there."""

    def __init__(self, plane: MediaPlane, status: NodeStatus) -> None:
        self._plane = plane
        self._status = status

    def collect(self) -> Iterator[Metric]:
        states = {bridge: bridge.state().participants for bridge in self._plane.bridges.values()}
        participants = [each for here in states.values() for each in here]
        # By id: a room that is in two bridges, while a lesson moves, may be reported only once.
        rooms = {each.id: each for bridge, here in states.items() for each in here if each.id in bridge.policy.order}
        tracks = [track for participant in participants for track in participant.tracks]
        yield _gauge("bridges", "Open bridges", len(self._plane.bridges))
        yield _gauge("connections", "WHIP and WHEP connections", len(self._plane.connections))
        links = GaugeMetricFamily(
            "nhipcau_node_participants", "Participants by the state of their link", labels=["link"]
        )
        for link in LinkState:
            links.add_metric([link.value], sum(participant.link == link for participant in participants))
        yield links
        yield _gauge("tracks_flowing", "Published tracks whose packets arrive", sum(track.flowing for track in tracks))
        received = sum(track.bitrate_bps for track in tracks)
        yield CounterMetricFamily(
            "nhipcau_node_refused_datagrams", "Datagrams dropped before any connection saw them", self._plane.refused
        )
        load = self._status.load
        yield _gauge("cpu_ratio", "Share of one core that the node uses, over the last seconds", load.cpu)
        yield _gauge("received_packets_per_second", "RTP packets that come in", load.packets_in_per_s)
        yield _gauge("sent_packets_per_second", "RTP packets that go out", load.packets_out_per_s)
        yield _gauge("draining", "1 while the node is being emptied", self._status.draining)
        yield _gauge("received_bits_per_second", "Bits per second of all published tracks", received)
        links_out = [each for participant in participants for each in participant.subscriptions if each.connected]
        sent = sum(each.sent_bps for each in links_out)
        yield _gauge("sent_bits_per_second", "Bits per second to all subscribers", sent)
        yield HistogramMetricFamily(
            "nhipcau_node_loop_lag_seconds",
            "How late the event loop comes to what is due",
            buckets=self._status.lag.buckets,
            sum_value=self._status.lag.sum_s,
        )
        yield _distribution("tracks_loss_ratio", "Lost on the way in", LOSSES, [each.loss for each in tracks])
        yield _distribution("subscribers_loss_ratio", "Lost on the way out", LOSSES, [each.loss for each in links_out])
        trips = [each.round_trip_ms / 1000 for each in links_out if each.round_trip_ms is not None]
        yield _distribution("subscribers_round_trip_seconds", "To subscribers and back", ROUND_TRIPS_S, trips)
        estimates = [each.estimate_bps for each in links_out if each.estimate_bps is not None]
        text = "What the links to subscribers take"
        yield _distribution("subscribers_estimate_bits_per_second", text, ESTIMATES_BPS, estimates)
        yield self._slots([slot for each in links_out for slot in each.slots if slot.source is not None])
        yield from track_metrics(rooms.values())
        yield from subscription_metrics(rooms.values())

    def _slots(self, slots: list[SlotState]) -> Metric:
        family = GaugeMetricFamily(
            "nhipcau_node_slots",
            "Slots that have a source, by what they are for and how it comes",
            labels=["role", "flow"],
        )
        counts = Counter((slot.role, slot.flow) for slot in slots)
        for role in Role:
            for flow in Flow:
                family.add_metric([role.value, flow.value], counts[role, flow])
        return family


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"nhipcau_node_{name}", text, value=value)


def _distribution(name: str, text: str, bounds: Sequence[float], values: Sequence[float]) -> Metric:
    """How the present values are spread; no count over time."""
    counts = [(str(bound), sum(value <= bound for value in values)) for bound in bounds]
    buckets = [*counts, ("+Inf", len(values))]
    return GaugeHistogramMetricFamily(f"nhipcau_node_{name}", text, buckets=buckets, gsum_value=sum(values))
