"""The trend line on packets with known delays."""

from collections.abc import Callable
from random import Random

from webrtc.trendline import SUM_AGAIN, Trendline, Usage

APART_S = 0.01


def run(trend: Trendline, delay_s: Callable[[int], float], groups: int, start: int = 0) -> set[Usage]:
    """What it finds from group to group."""
    seen = set()
    for i in range(start, start + groups):
        trend.take([i * APART_S], [i * APART_S + 0.05 + delay_s(i)])
        seen.add(trend.usage)
    return seen


def test_constant_delay_is_normal() -> None:
    assert run(Trendline(), lambda i: 0, 1000) == {Usage.NORMAL}


def test_growing_queue_is_overuse_and_shrinking_one_underuse() -> None:
    trend = Trendline()
    run(trend, lambda i: 0, 100)
    assert Usage.OVER in run(trend, lambda i: (i - 100) * 0.002, 40, 100)
    assert Usage.UNDER in run(trend, lambda i: 0.08 - (i - 140) * 0.002, 40, 140)
    run(trend, lambda i: 0, 100, 180)
    assert trend.usage is Usage.NORMAL


def test_jitter_is_seldom_overuse_once_the_threshold_knows_it() -> None:
    trend, random = Trendline(), Random(3)
    run(trend, lambda i: random.random() * 0.03, 500)
    over = sum(run(trend, lambda i: random.random() * 0.03, 1, 500 + i) == {Usage.OVER} for i in range(2000))
    assert over < 2000 / 50


def test_clocks_that_drift_apart_are_no_queue() -> None:
    assert run(Trendline(), lambda i: i * APART_S * 100e-6, 20 * SUM_AGAIN) == {Usage.NORMAL}


def test_packets_of_one_burst_are_one_group() -> None:
    trend = Trendline()
    for i in range(200):
        trend.take([i * 0.04] * 5, [i * 0.04 + 0.05 + n * 0.005 for n in range(5)])  # spread by the bottleneck
    assert trend.usage is Usage.NORMAL


def test_packet_of_an_earlier_group_is_left_out() -> None:
    trend = Trendline()
    for i in range(1, 200):
        trend.take([i * APART_S, i * APART_S - 0.03], [i * APART_S, i * APART_S + 0.5])
    assert trend.usage is Usage.NORMAL
