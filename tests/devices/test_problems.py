from datetime import UTC, datetime, timedelta

import pytest

from devices.dialects.base import Problem
from devices.problems import LIMIT, Problems

NOW = datetime(2026, 11, 21, 7, 0, tzinfo=UTC)


def test_a_problem_is_recorded_once_and_warned_of_once_an_hour(caplog: pytest.LogCaptureFixture) -> None:
    problems = Problems()
    for minute in range(90):
        problems.add(Problem("a", "invalid_payload", f"{minute}"), NOW + timedelta(minutes=minute))
    assert list(problems) == [Problem("a", "invalid_payload", "89")]
    assert [each.getMessage() for each in caplog.records] == [
        "topic a: invalid_payload: 0",
        "topic a: invalid_payload: 60",
    ]


def test_memory_is_bounded() -> None:
    problems = Problems()
    for number in range(2 * LIMIT):
        for code in range(20):
            problems.add(Problem(f"t{number}", f"code{code}", ""), NOW)
    assert len(problems) == LIMIT
    assert len(list(problems)) == 10 * LIMIT
    assert len(problems._warned) == LIMIT


def test_a_topic_that_is_well_again_has_no_problems() -> None:
    problems = Problems()
    problems.add(Problem("a", "x", ""), NOW)
    problems.add(Problem("b", "x", ""), NOW)
    problems.clear("a")
    assert list(problems) == [Problem("b", "x", "")]
