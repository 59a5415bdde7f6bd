"""The bridge nodes in numbers for Prometheus, as the controller sees them."""

from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from controller.nodes.fleet import Fleet
from controller.nodes.node import NodeState


class NodeCollector(Collector):
    """Read when asked. What a node knows better is in its own /metrics."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet

    def collect(self) -> Iterator[Metric]:
        views = self._fleet.views()
        states = GaugeMetricFamily("nhipcau_bridge_nodes", "Bridge nodes by state", labels=["state"])
        for state in NodeState:
            states.add_metric([state.value], sum(view.state is state for view in views))
        yield states
        cpu = GaugeMetricFamily("nhipcau_bridge_node_cpu_ratio", "Share of one core that a node uses", labels=["node"])
        lessons = GaugeMetricFamily("nhipcau_bridge_node_lessons", "Lessons on a node", labels=["node"])
        for view in views:
            cpu.add_metric([view.name], view.load.cpu)
            lessons.add_metric([view.name], view.bridges)
        yield cpu
        yield lessons
