"""The trend line of each engine on packets with known delays, and all engines on the same random ones."""

from collections.abc import Callable
from random import Random

import pytest

from webrtc.estimation.trendline import SUM_AGAIN, Trendline, Usage
from webrtc.forwarding import engines

APART_S = 0.01


@pytest.fixture
def trend(each_engine: str) -> Trendline:
    return engines.chosen.trendline()


def run(trend: Trendline, delay_s: Callable[[int], float], groups: int, start: int = 0) -> set[Usage]:
    """What it finds from group to group."""
    seen = set()
    for i in range(start, start + groups):
        trend.take([i * APART_S], [i * APART_S + 0.05 + delay_s(i)])
        seen.add(trend.usage)
    return seen


def test_constant_delay_is_normal(trend: Trendline) -> None:
    assert run(trend, lambda i: 0, 1000) == {Usage.NORMAL}


def test_growing_queue_is_overuse_and_shrinking_one_underuse(trend: Trendline) -> None:
    run(trend, lambda i: 0, 100)
    assert Usage.OVER in run(trend, lambda i: (i - 100) * 0.002, 40, 100)
    assert Usage.UNDER in run(trend, lambda i: 0.08 - (i - 140) * 0.002, 40, 140)
    run(trend, lambda i: 0, 100, 180)
    assert trend.usage is Usage.NORMAL


def test_jitter_is_seldom_overuse_once_the_threshold_knows_it(trend: Trendline) -> None:
    random = Random(3)
    run(trend, lambda i: random.random() * 0.03, 500)
    over = sum(run(trend, lambda i: random.random() * 0.03, 1, 500 + i) == {Usage.OVER} for i in range(2000))
    assert over < 2000 / 50


def test_clocks_that_drift_apart_are_no_queue(trend: Trendline) -> None:
    assert run(trend, lambda i: i * APART_S * 100e-6, 20 * SUM_AGAIN) == {Usage.NORMAL}


def test_packets_of_one_burst_are_one_group(trend: Trendline) -> None:
    for i in range(200):
        trend.take([i * 0.04] * 5, [i * 0.04 + 0.05 + n * 0.005 for n in range(5)])  # spread by the bottleneck
    assert trend.usage is Usage.NORMAL


def test_packet_of_an_earlier_group_is_left_out(trend: Trendline) -> None:
    for i in range(1, 200):
        trend.take([i * APART_S, i * APART_S - 0.03], [i * APART_S, i * APART_S + 0.5])
    assert trend.usage is Usage.NORMAL


@pytest.mark.parametrize("seed", range(6))
def test_engines_find_the_same(seed: int) -> None:
    random = Random(seed)
    trends = [each.trendline() for each in engines.installed.values()]
    found: list[set[Usage]] = []
    sent, delay = 0.0, 0.05
    for _ in range(20 * SUM_AGAIN):
        times, arrivals = [], []
        for _ in range(random.choice((0, 1, 1, 2, 5, 40))):
            sent += random.choice((0.0, 0.0002, 0.001, 0.01, 0.03, -0.02 if random.random() < 0.1 else 0.02))
            delay = max(0.0, delay + random.uniform(-0.004, 0.0042 if random.random() < 0.5 else 0.004))
            times.append(sent)
            arrivals.append(sent + delay)
        sent += random.choice((0.0, 0.05, 4.0)) if random.random() < 0.01 else 0.0
        for trend in trends:
            if random.random() < 0.0002:
                for each in trends:
                    each.restart()
            trend.take(times, arrivals)
        found.append({trend.usage for trend in trends})
    assert all(len(usages) == 1 for usages in found)
    assert len({usage for usages in found for usage in usages}) == len(Usage), "the session is too tame"


def test_trend_takes_lists_of_equal_length_only() -> None:
    for each in engines.installed.values():
        trend = each.trendline()
        with pytest.raises(ValueError):  # noqa: PT011  # from zip, or from C
            trend.take([1.0], [])
        with pytest.raises(TypeError):
            trend.take([1.0], ["late"])  # type: ignore[list-item]
        assert trend.usage is Usage.NORMAL
