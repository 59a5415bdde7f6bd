"""Sites in numbers: counts, and nobody's name."""

from prometheus_client import CollectorRegistry, generate_latest

from controller.quality.metrics import QualityCollector
from controller.quality.verdict import Cause, Side, SiteQuality, Word

WEAK = SiteQuality(word=Word.WEAK, cause=Cause.UPLINK_LOSS, side=Side.SITE)


def test_sites_are_counted_by_word_and_by_cause() -> None:
    registry = CollectorRegistry()
    registry.register(QualityCollector(lambda: [SiteQuality(), WEAK, WEAK]))
    lines = [line for line in generate_latest(registry).decode().splitlines() if not line.startswith("#")]
    assert lines == [
        'nhipcau_sites{word="good"} 1.0',
        'nhipcau_sites{word="weak"} 2.0',
        'nhipcau_sites{word="lost"} 0.0',
        'nhipcau_sites_troubled{cause="uplink_loss",side="site"} 2.0',
    ]
