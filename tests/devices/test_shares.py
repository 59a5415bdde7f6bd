"""The round and the budget, with a clock of their own: costs are given, nothing is measured."""

from collections import Counter

import pytest

from devices.shares import BURST_NS, BYTES_LIMIT, LARGE_BYTES, RATE, SHARE, WAITING_LIMIT, Shares, busiest

MS = 1_000_000
SECOND = 1000 * MS


class Clockwork:
    """Serves what waits: each piece of work costs what its school's work costs, and so much time passes."""

    def __init__(self, **costs_ns: int) -> None:
        self.shares: Shares[str, str] = Shares()
        self.now_ns = SECOND
        self.costs_ns = costs_ns
        self.done: list[str] = []
        self.used_ns: Counter[str] = Counter()

    def put(self, school: str, *works: str, size: int = 0) -> None:
        for work in works:
            self.shares.put(self.shares.lane(school), work, size, (work.rstrip("0123456789"), False))

    def step(self) -> bool:
        """One piece of work, if there is any that may be done."""
        found = self.shares.next(self.now_ns)
        if found is None:
            return False
        lane, work = found
        self.shares.spend(lane, self.costs_ns[lane.school])
        self.now_ns += self.costs_ns[lane.school]
        self.used_ns[lane.school] += self.costs_ns[lane.school]
        self.done.append(work)
        return True

    def spend_all(self, school: str) -> None:
        lane = self.shares.lane(school)
        lane.budget_ns, lane.counted_ns = 0, self.now_ns


def test_a_school_that_was_quiet_is_served_before_however_many_that_wait() -> None:
    schools = {f"loud{number}": 2 * MS for number in range(100)}
    world = Clockwork(**schools, quiet=MS)
    for school in schools:
        world.put(school, *(f"{school}-{number}" for number in range(10)))
    for _ in range(150):
        world.step()
    world.put("quiet", "lamp")
    world.step()
    assert world.done[-1] == "lamp"


def test_schools_that_wait_share_the_time_and_not_the_number_of_messages() -> None:
    world = Clockwork(cheap=MS // 10, dear=12 * MS)
    world.put("cheap", *(f"c{number}" for number in range(20_000)))
    world.put("dear", *(f"d{number}" for number in range(200)))
    while sum(world.used_ns.values()) < SECOND:
        world.step()
    assert world.used_ns["cheap"] == pytest.approx(world.used_ns["dear"], rel=0.05)


def test_a_school_that_always_says_a_little_does_not_stay_first() -> None:
    world = Clockwork(chatty=MS // 2, patient=MS // 2)
    world.put("patient", "a1", "a2", "a3", "a4")
    for number in range(8):
        world.put("chatty", f"b{number}")
        world.step()
    assert {"a1", "a2", "a3"} <= set(world.done)


@pytest.mark.parametrize("cost_ns", [MS // 50, MS, 20 * MS])
def test_a_school_gets_its_burst_and_then_its_share_whatever_it_sends(cost_ns: int) -> None:
    world = Clockwork(loud=cost_ns)
    end_ns = world.now_ns + 60 * SECOND
    while world.now_ns < end_ns:
        world.put("loud", "x", "x")
        if not world.step():
            due_ns = world.shares.due_ns
            assert due_ns is not None
            world.now_ns = max(world.now_ns + 1, int(due_ns))
    assert world.used_ns["loud"] == pytest.approx(BURST_NS + 60 * SECOND * SHARE, rel=0.02)


def test_a_school_that_has_been_quiet_has_saved_no_more_than_its_burst() -> None:
    world = Clockwork(loud=MS)
    world.spend_all("loud")
    world.now_ns += 3600 * SECOND
    world.put("loud", *(f"m{number}" for number in range(3_000)))
    begun_ns = world.now_ns
    while world.step():
        pass
    assert world.now_ns - begun_ns == pytest.approx(BURST_NS / (1 - SHARE), rel=0.3)
    assert world.shares.due_ns is not None


def test_within_its_budget_a_school_loses_nothing_and_keeps_its_order() -> None:
    world = Clockwork(school=MS)
    messages = [f"{topic}{number}" for number in range(300) for topic in ("a", "b", "c")]
    world.put("school", *messages)
    while world.step():
        pass
    assert world.done == messages


def test_beyond_its_budget_the_newest_of_each_topic_is_kept_in_the_place_of_the_oldest() -> None:
    world = Clockwork(school=MS)
    world.put("school", "a1", "b1", "a2", "c1")
    world.spend_all("school")
    assert not world.step()  # it rests
    world.put("school", "b2", "d1", "a3")
    lane = world.shares.lane("school")
    assert lane.passed_over == {("a", False): 2, ("b", False): 1}
    world.now_ns += SECOND
    while world.step():
        pass
    assert world.done == ["a3", "b2", "c1", "d1"]
    world.put("school", "a4", "a5")  # it is over
    while world.step():
        pass
    assert world.done[4:] == ["a4", "a5"]


def test_others_go_on_while_a_school_rests() -> None:
    world = Clockwork(loud=MS, quiet=MS)
    world.put("loud", "x1")
    world.spend_all("loud")
    world.put("quiet", "y1", "y2")
    assert [world.step() for _ in range(3)] == [True, True, False]
    assert world.done == ["y1", "y2"]
    assert world.shares.due_ns is not None
    assert not world.shares.ready


def test_what_waits_of_one_school_is_bounded_by_number_and_by_size() -> None:
    world = Clockwork(many=MS, large=MS)
    lane = world.shares.lane("many")
    for number in range(WAITING_LIMIT + 5):
        world.shares.put(lane, "x", 1, (str(number), False))
    assert (len(lane.waiting), lane.refused.total()) == (WAITING_LIMIT, 5)
    world.shares.put(lane, "y", 1, ("0", False))  # a newer one of what waits has room all the same
    assert (len(lane.waiting), lane.passed_over.total()) == (WAITING_LIMIT, 1)
    for number in range(100):
        world.put("large", f"{'x' * (number + 1)}", size=BYTES_LIMIT // 10)
    large = world.shares.lane("large")
    assert (len(large.waiting), large.size, large.refused.total()) == (10, BYTES_LIMIT // 10 * 10, 90)


def test_what_is_left_of_a_piece_of_work_is_done_first_and_nobody_waits_for_all_of_it() -> None:
    world = Clockwork(loud=MS, quiet=MS)
    world.put("loud", "long", "next")
    world.step()
    world.shares.lane("loud").begun = "rest of long"
    world.put("quiet", "lamp")
    while world.step():
        pass
    assert world.done == ["long", "lamp", "rest of long", "next"]


def test_a_school_that_is_gone_is_not_served() -> None:
    world = Clockwork(gone=MS, other=MS)
    world.put("gone", "x")
    world.shares.forget("gone")
    world.put("other", "y")
    while world.step():
        pass
    assert world.done == ["y"]


@pytest.mark.parametrize(("size", "weight"), [(0, 1), (LARGE_BYTES - 1, 1), (10 * LARGE_BYTES, 11)])
def test_messages_that_come_too_fast_are_noticed_and_their_rate_is_not(size: int, weight: int) -> None:
    world = Clockwork()
    lane = world.shares.lane("school")
    for second in range(60):
        arrived = [world.shares.arrived(lane, size, second * SECOND) for _ in range(RATE // weight - 1)]
        assert all(arrived)
    too_many = [world.shares.arrived(lane, size, 60 * SECOND) for _ in range(3 * RATE // weight)]
    assert not all(too_many)


def test_the_busiest_topics_are_those_that_are_a_tenth_of_all_or_else_all() -> None:
    world = Clockwork()
    world.put("school", *["a"] * 50, *["b"] * 9, *(f"{chr(99 + number)}" for number in range(20)))
    assert busiest(world.shares.lane("school")) == [("a", False), ("b", False)]
    world.put("even", *(chr(99 + number) for number in range(20)))
    assert len(busiest(world.shares.lane("even"))) == 20
