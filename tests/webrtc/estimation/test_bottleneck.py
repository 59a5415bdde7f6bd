"""What feedback shows of the narrowest place."""

import pytest

from webrtc.estimation.bottleneck import FASTEST_S, Capacity, Delivery, Queue


def test_delivery_is_the_rate_of_the_last_half_second() -> None:
    delivery = Delivery()
    assert (bool(delivery), delivery.bps) == (False, 0.0)
    for i in range(20):
        delivery.take(i * 0.1 + 0.01, (i + 1) * 0.1, 1000 if i < 10 else 3000, follows=i > 0)
    assert delivery.bps == pytest.approx(240_000)
    delivery.take(50.0, 50.1, 3000, follows=False)  # what came in between is not known
    assert delivery.bps == pytest.approx(240_000)


def test_queue_is_what_packets_take_longer_than_the_fastest() -> None:
    queue = Queue()
    seen = []
    for i, trip_s in enumerate((-70.0, -69.9, -69.5, -69.5, -69.95)):  # the receiver's clock is behind
        queue.take(trip_s, i * 0.1)
        seen.append((round(queue.wait_s, 2), queue.long, queue.growing))
    assert seen == [(0, False, False), (0.1, False, True), (0.5, True, True), (0.5, True, False), (0.05, False, False)]


def test_longer_way_is_no_queue_for_ever() -> None:
    queue = Queue()
    queue.take(0.1, 100.0)
    for i in range(40):
        queue.take(0.9, 100 + i)
    assert 2 * FASTEST_S < 40
    assert not queue.long


def test_capacity_is_known_from_overuse_until_more_arrives() -> None:
    capacity = Capacity()
    assert not capacity.near(1_000_000)
    assert not capacity.exceeded(1_000_000)
    for _ in range(50):
        capacity.overused(1_000_000)
    assert capacity.near(950_000)
    assert not capacity.near(800_000)
    assert (capacity.exceeded(1_050_000), capacity.exceeded(1_200_000)) == (False, True)
    capacity.forget()
    assert not capacity.near(1_000_000)
