"""How often something may be tried."""

from datetime import UTC, datetime, timedelta

import pytest

from controller.people.throttle import Throttle
from rooms.people.errors import TooManyAttempts
from testing.clock import Clock

SECOND = timedelta(seconds=1)


@pytest.fixture
def clock() -> Clock:
    return Clock(datetime(2026, 3, 2, tzinfo=UTC))


def test_burst_then_one_per_interval(clock: Clock) -> None:
    throttle = Throttle(burst=3, interval=10 * SECOND, clock=clock)
    for _ in range(3):
        throttle.attempt("a")
    with pytest.raises(TooManyAttempts) as refused:
        throttle.attempt("a")
    assert refused.value.retry_after == 10 * SECOND
    throttle.attempt("b")
    clock.move(10 * SECOND)
    throttle.attempt("a")
    with pytest.raises(TooManyAttempts):
        throttle.attempt("a")


def test_refused_attempts_do_not_prolong(clock: Clock) -> None:
    throttle = Throttle(burst=1, interval=10 * SECOND, clock=clock)
    throttle.attempt("a")
    for _ in range(100):
        with pytest.raises(TooManyAttempts):
            throttle.attempt("a")
    clock.move(10 * SECOND)
    throttle.attempt("a")


def test_refund_gives_back_one_and_forgive_all(clock: Clock) -> None:
    throttle = Throttle(burst=2, interval=10 * SECOND, clock=clock)
    throttle.attempt("a")
    throttle.attempt("a")
    throttle.refund("a")
    throttle.attempt("a")
    with pytest.raises(TooManyAttempts):
        throttle.attempt("a")
    throttle.forgive("a")
    throttle.attempt("a")
    throttle.attempt("a")


def test_memory_is_bounded(clock: Clock) -> None:
    throttle = Throttle(burst=1, interval=SECOND, clock=clock, capacity=100)
    for number in range(1000):
        throttle.attempt(str(number))
    assert len(throttle) == 100


def test_failures_count_also_beyond_what_is_allowed_up_to_a_limit(clock: Clock) -> None:
    throttle = Throttle(burst=2, interval=10 * SECOND, clock=clock)
    waits = []
    for _ in range(6):
        throttle.fail("a", at_most=25 * SECOND)
        waits.append(throttle.wait("a"))
    assert waits == [each * SECOND for each in (0, 10, 20, 30, 30, 30)]
    clock.move(30 * SECOND)
    assert throttle.wait("a") == 0 * SECOND
