"""What a link does to packets is what was asked for, and the same each time."""

from dataclasses import replace

import pytest

from testing.links.conditions import GOOD, REORDERED_S, Conditions, Direction

PACKETS = 10_000
EVERY_S = 0.001
SIZE = 1000


def arrivals(conditions: Conditions, *, seed: int = 1) -> list[float | None]:
    """Of packets of `SIZE` octets, one each `EVERY_S`."""
    direction = Direction(conditions, seed=seed)
    return [direction.arrival(SIZE, number * EVERY_S) for number in range(PACKETS)]


def delays(conditions: Conditions) -> list[float]:
    return [at - number * EVERY_S for number, at in enumerate(arrivals(conditions)) if at is not None]


def test_good_link_passes_everything_at_once() -> None:
    assert delays(GOOD) == [0.0] * PACKETS


def test_loss_takes_its_share() -> None:
    assert len(delays(Conditions(loss=0.05))) == pytest.approx(0.95 * PACKETS, rel=0.01)


def test_delay_and_jitter_keep_the_order() -> None:
    found = [at for at in arrivals(Conditions(delay_s=0.1, jitter_s=0.05)) if at is not None]
    assert found == sorted(found)
    late = delays(Conditions(delay_s=0.1, jitter_s=0.05))
    assert min(late) >= 0.1
    assert max(late) <= 0.150001


def test_reordered_packets_are_overtaken() -> None:
    late = delays(Conditions(reorder=0.05))
    assert sum(each == pytest.approx(REORDERED_S) for each in late) == pytest.approx(0.05 * PACKETS, rel=0.2)
    assert sum(each == 0 for each in late) == pytest.approx(0.95 * PACKETS, rel=0.01)


def test_rate_is_kept_and_the_queue_is_bounded() -> None:
    conditions = Conditions(rate_bps=1_000_000, queue_s=0.2)  # of 8 Mbit/s offered
    found = delays(conditions)
    assert len(found) == pytest.approx(PACKETS / 8 + 0.2 * 125, rel=0.01)
    assert max(found) <= 0.2 + 8 * SIZE / 1_000_000 + 1e-9


def test_nothing_arrives_in_the_dark() -> None:
    assert delays(replace(GOOD, dark=True)) == []


def test_same_seed_same_fate() -> None:
    conditions = Conditions(loss=0.1, jitter_s=0.1, reorder=0.1)
    assert arrivals(conditions, seed=7) == arrivals(conditions, seed=7)
    assert arrivals(conditions, seed=7) != arrivals(conditions, seed=8)
