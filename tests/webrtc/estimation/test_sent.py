"""What each engine remembers of the packets that were sent, and what feedback acknowledges of them."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from webrtc.forwarding import engines

NOW = 1000.25


@given(
    st.integers(0, 9000),
    st.lists(st.tuples(st.integers(-300, 9300), st.lists(st.integers(-9000, 9000), max_size=90)), max_size=12),
    st.integers(-(1 << 40), 1 << 40),
    st.randoms(use_true_random=False),
)
@settings(deadline=None, max_examples=60)
def test_engines_take_feedback_alike(
    packets: int, reported: list[tuple[int, list[int]]], zero: int, draw: Random
) -> None:
    outlets = [each.outlet(transport_cc=3) for each in engines.installed.values()]
    trends = [each.trendline() for each in engines.installed.values()]
    now = 0.0
    for _ in range(packets):
        now += draw.choice((0.0, 0.0001, 0.004, 0.02))
        size = draw.randrange(1500)
        for outlet in outlets:
            outlet.note(size, now)
    for sequence, ticks in reported:
        counted = draw.random() < 0.7
        found = [
            outlet.acked(sequence & 0xFFFF, tuple(ticks), zero, trend if counted else None)
            for outlet, trend in zip(outlets, trends, strict=True)
        ]
        assert all(each == found[0] for each in found)
        assert len({trend.usage for trend in trends}) == 1


@pytest.mark.usefixtures("each_engine")
def test_what_feedback_acknowledges() -> None:
    outlet = engines.chosen.outlet(transport_cc=3)
    for number, size in enumerate((100, 200, 300)):
        outlet.note(size, NOW + number)
    assert outlet.acked(1, (8, 12, 16), 4000, None) == (2, 500, NOW + 1, NOW + 2, 1.002, 1.003, 1.003)
    assert outlet.acked(0, (12, 8), 4000, None) == (2, 300, NOW, NOW + 1, 1.003, 1.002, 1.003)
    assert outlet.acked(3, (8,), 4000, None) is outlet.acked(0, (), 4000, None) is None


@pytest.mark.usefixtures("each_engine")
def test_history_is_as_long_as_it_says() -> None:
    outlet = engines.chosen.outlet(transport_cc=3)
    assert (outlet.sent(0, 1), outlet.sent(0xFFFF, 1), outlet.last_sent) == (([], []), ([], []), 0.0)
    for number in range(70_000):
        outlet.note(number % 1500, float(number))
    assert (outlet.sequence, outlet.last_sent) == (70_000, 69_999.0)
    assert outlet.sent(70_000 & 0xFFFF, 1) == outlet.sent(65_904 & 0xFFFF, -1) == ([], [])
    assert outlet.sent(65_904 & 0xFFFF, 2) == ([65_904.0, 65_905.0], [65_904 % 1500, 65_905 % 1500])
    assert outlet.sent(65_903 & 0xFFFF, 2) == ([], [])
    times, sizes = outlet.sent(65_904 & 0xFFFF, 5000)  # goes around the ring's end
    assert (times, sizes) == ([float(n) for n in range(65_904, 70_000)], [n % 1500 for n in range(65_904, 70_000)])
    assert outlet.word(0.0) == 0x31 << 24 | (70_000 & 0xFFFF) << 8
