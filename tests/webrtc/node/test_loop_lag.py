"""How late the loop comes, in buckets."""

from webrtc.node.loop_lag import BOUNDS_S, LoopLag


def test_lags_are_counted_up_to_each_bound() -> None:
    lag = LoopLag()
    for each in (-0.01, 0.0005, 0.0015, 0.3, 7.0):
        lag.note(each)
    counts = dict(lag.buckets)
    assert [counts[bound] for bound in ("0.001", "0.002", "0.2", "0.5", "1.0", "+Inf")] == [2, 3, 3, 4, 4, 5]
    assert len(lag.buckets) == len(BOUNDS_S) + 1
    assert lag.sum_s == 7.302


async def test_watching_notes_each_step() -> None:
    lag = LoopLag()
    await lag.watch(0.2)
    assert 1 <= lag.buckets[-1][1] <= 2  # a late loop takes fewer steps
