from collections import Counter
from datetime import UTC, datetime, timedelta

from devices.device import Namespace
from devices.driver import Problem
from devices.overload import OVER_AFTER, TOPICS_LIMIT, Overloads

NOW = datetime(2026, 11, 21, 7, 30, tzinfo=UTC)
LOUD = Namespace("loud")
OTHER = Namespace("other")


def test_a_school_is_told_what_was_not_read_and_which_topics_were_busy() -> None:
    overloads = Overloads()
    overloads.add(LOUD, NOW, passed_over=Counter({"sc/1/loud/x": 700, "sc/1/loud/y": 20}))
    problem = overloads.add(
        LOUD,
        NOW + timedelta(seconds=1),
        passed_over=Counter({"sc/1/loud/x": 300}),
        refused=Counter({"sc/1/loud/z": 4}),
        not_listened_to=["sc/1/loud/x"],
    )
    assert problem == Problem(
        "sc/1/loud/#",
        "too_many_messages",
        "since 07:30 UTC the school's devices send more than its share; 1020 messages were not read because a newer "
        "one came; 4 were not read because too many waited; for a while nothing is read on sc/1/loud/x; most "
        "came on sc/1/loud/x, sc/1/loud/y, sc/1/loud/z",
    )


def test_it_is_over_once_for_each_school_after_a_minute_without() -> None:
    overloads = Overloads()
    overloads.add(LOUD, NOW, refused=Counter(a=1))
    overloads.add(OTHER, NOW, refused=Counter(a=1))
    overloads.goes_on(LOUD, NOW + timedelta(seconds=30))
    overloads.goes_on(Namespace("quiet"), NOW)
    over = overloads.over(NOW + OVER_AFTER)
    assert {school: (each.since, each.refused) for school, each in over.items()} == {OTHER: (NOW, Counter(a=1))}
    assert overloads.over(NOW + OVER_AFTER) == {}
    assert overloads
    assert list(overloads.over(NOW + timedelta(seconds=30) + OVER_AFTER)) == [LOUD]
    assert not overloads


def test_how_often_nothing_was_listened_to_is_remembered_until_it_is_over() -> None:
    overloads = Overloads()
    assert overloads.silenced(LOUD) == 0
    for turn in range(3):
        overloads.add(LOUD, NOW, not_listened_to=["x"])
        overloads.add(LOUD, NOW, passed_over=Counter(x=1))
        assert overloads.silenced(LOUD) == turn + 1
    overloads.over(NOW + OVER_AFTER)
    assert overloads.silenced(LOUD) == 0


def test_counts_stay_true_while_only_the_busiest_topics_are_remembered() -> None:
    overloads = Overloads()
    for turn in range(10):
        topics = {f"t{turn}-{number}": 1 for number in range(TOPICS_LIMIT)}
        problem = overloads.add(LOUD, NOW, passed_over=Counter({**topics, "busy": 2}))
    assert f"{10 * TOPICS_LIMIT + 20} messages" in problem.detail
    assert "most came on" in problem.detail
    assert "busy" in problem.detail
    assert len(problem.detail) < 1000
