"""How the sites of all live lessons are, in numbers for Prometheus.

Counts only: the controller's /metrics is open to whoever reaches its pages. Each room's figures are in the /metrics of
its node, which asks for the node's secret.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from controller.quality.verdict import SiteQuality, Word


class QualityCollector(Collector):
    """Read when asked. `shown`: what is said of each site now."""

    def __init__(self, shown: Callable[[], Iterable[SiteQuality]]) -> None:
        self._shown = shown

    def collect(self) -> Iterator[Metric]:
        shown = list(self._shown())
        words = GaugeMetricFamily(
            "nhipcau_sites", "Sites of live lessons by the word that is said of them", labels=["word"]
        )
        for word in Word:
            words.add_metric([word.value], sum(each.word is word for each in shown))
        yield words
        causes = GaugeMetricFamily(
            "nhipcau_sites_troubled", "Sites that are weak or lost, by cause and its side", labels=["cause", "side"]
        )
        for (cause, side), count in Counter(
            (each.cause, each.side) for each in shown if each.word is not Word.GOOD
        ).items():
            causes.add_metric([cause.value, side.value], count)
        yield causes
