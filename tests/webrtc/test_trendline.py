"""The trend line on packets with known delays."""

from collections.abc import Callable
from random import Random

from webrtc.trendline import SUM_AGAIN, Trendline, Usage

APART_MS = 10.0


def run(trend: Trendline, delay_ms: Callable[[int], float], groups: int, start: int = 0) -> set[Usage]:
    """What it finds from group to group."""
    seen = set()
    for i in range(start, start + groups):
        trend.take(i * APART_MS, i * APART_MS + 50 + delay_ms(i))
        seen.add(trend.usage)
    return seen


def test_constant_delay_is_normal() -> None:
    assert run(Trendline(), lambda i: 0, 1000) == {Usage.NORMAL}


def test_growing_queue_is_overuse_and_shrinking_one_underuse() -> None:
    trend = Trendline()
    run(trend, lambda i: 0, 100)
    assert Usage.OVER in run(trend, lambda i: (i - 100) * 2, 40, 100)
    assert Usage.UNDER in run(trend, lambda i: 80 - (i - 140) * 2, 40, 140)
    run(trend, lambda i: 0, 100, 180)
    assert trend.usage is Usage.NORMAL


def test_jitter_is_seldom_overuse_once_the_threshold_knows_it() -> None:
    trend, random = Trendline(), Random(3)
    run(trend, lambda i: random.random() * 30, 500)
    over = sum(run(trend, lambda i: random.random() * 30, 1, 500 + i) == {Usage.OVER} for i in range(2000))
    assert over < 2000 / 50


def test_clocks_that_drift_apart_are_no_queue() -> None:
    assert run(Trendline(), lambda i: i * APART_MS * 100e-6, 20 * SUM_AGAIN) == {Usage.NORMAL}


def test_packets_of_one_burst_are_one_group() -> None:
    trend = Trendline()
    for i in range(200):
        for n in range(5):  # sent at once, and spread by the bottleneck
            trend.take(i * 40.0, i * 40.0 + 50 + n * 5)
    assert trend.usage is Usage.NORMAL


def test_packet_of_an_earlier_group_is_left_out() -> None:
    trend = Trendline()
    for i in range(1, 200):
        trend.take(i * APART_MS, i * APART_MS)
        trend.take(i * APART_MS - 30, i * APART_MS + 500)
    assert trend.usage is Usage.NORMAL
