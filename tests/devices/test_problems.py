from datetime import UTC, datetime, timedelta

import pytest

from devices.device import Namespace
from devices.driver import Problem
from devices.problems import LIMIT, WARNINGS_LIMIT, Problems

NOW = datetime(2026, 11, 21, 7, 0, tzinfo=UTC)
SCHOOL = Namespace("le-loi")
OTHER = Namespace("nguyen-viet-xuan")


def test_a_problem_is_recorded_once_and_warned_of_once_an_hour(caplog: pytest.LogCaptureFixture) -> None:
    problems = Problems()
    for minute in range(90):
        problems.add(SCHOOL, Problem("a", "invalid_payload", f"{minute}"), NOW + timedelta(minutes=minute))
    assert list(problems) == [Problem("a", "invalid_payload", "89")]
    assert [each.getMessage() for each in caplog.records] == [
        "topic a: invalid_payload: 0",
        "topic a: invalid_payload: 60",
    ]


def test_much_that_is_wrong_at_one_school_takes_nothing_from_another(caplog: pytest.LogCaptureFixture) -> None:
    problems = Problems()
    problems.add(OTHER, Problem("theirs", "collision", "two lamps"), NOW)
    for number in range(20 * LIMIT):
        for code in range(20):
            problems.add(SCHOOL, Problem(f"t{number}", f"code{code}", ""), NOW)
    problems.add(OTHER, Problem("later", "collision", "two more"), NOW)
    records = list(problems)
    assert len(records) == 10 * LIMIT + 2
    assert [each.topic for each in records if each.code == "collision"] == ["theirs", "later"]
    lines = [each.getMessage() for each in caplog.records]
    assert len(lines) == WARNINGS_LIMIT + 2
    assert lines[-2:] == [
        "school le-loi: more problems, which are not written until the next hour",
        "topic later: collision: two more",
    ]
    problems.add(SCHOOL, Problem("t0", "code0", ""), NOW + timedelta(hours=1))
    assert caplog.records[-1].getMessage() == "topic t0: code0: "


def test_a_topic_that_is_well_again_has_no_problems() -> None:
    problems = Problems()
    problems.add(SCHOOL, Problem("a", "x", ""), NOW)
    problems.add(SCHOOL, Problem("b", "x", ""), NOW)
    problems.add(OTHER, Problem("c", "x", ""), NOW)
    problems.clear(SCHOOL, "a")
    problems.clear(OTHER, "b")
    problems.forget(OTHER)
    assert list(problems) == [Problem("b", "x", "")]
