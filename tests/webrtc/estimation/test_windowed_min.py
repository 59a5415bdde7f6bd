from math import inf

from webrtc.estimation.windowed_min import WindowedMin


def test_least_counts_for_one_to_two_windows() -> None:
    least = WindowedMin(10.0)
    assert least.value == inf
    found = []
    for now, value in ((0, 5.0), (4, 3.0), (9, 4.0), (11, 6.0), (19, 7.0), (21, 8.0), (40, 9.0)):
        least.take(value, now)
        found.append(least.value)
    assert found == [5.0, 3.0, 3.0, 3.0, 3.0, 6.0, 8.0]
