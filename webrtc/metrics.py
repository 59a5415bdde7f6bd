"""The node in numbers for Prometheus, read from the bridges' states when asked."""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from webrtc.plane import MediaPlane
from webrtc.state import Link
from webrtc.status import NodeStatus


class PlaneCollector(Collector):
    """Sums over the node; single lessons are not labels, since there would be new ones every hour."""

    def __init__(self, plane: MediaPlane, status: NodeStatus) -> None:
        self._plane = plane
        self._status = status

    def collect(self) -> Iterator[Metric]:
        participants = [each for bridge in self._plane.bridges.values() for each in bridge.state().participants]
        tracks = [track for participant in participants for track in participant.tracks]
        yield _gauge("bridges", "Open bridges", len(self._plane.bridges))
        yield _gauge("connections", "WHIP and WHEP connections", len(self._plane.connections))
        links = GaugeMetricFamily(
            "nhipcau_node_participants", "Participants by the state of their link", labels=["link"]
        )
        for link in Link:
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


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"nhipcau_node_{name}", text, value=value)
