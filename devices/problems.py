"""What is wrong on the broker, in bounded memory for each school: one record per topic and code, few warnings.

A school with much that is wrong takes no record and no line of the log from another.
"""

import logging
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from devices.device import Namespace
from devices.driver import Problem

logger = logging.getLogger(__name__)

LIMIT = 200
"""Topics of one school with records, and topics remembered as warned of; the oldest makes room."""
WARN_EVERY = timedelta(hours=1)
WARNINGS_LIMIT = 100
"""Of one school in that time."""


@dataclass(slots=True)
class _OfSchool:
    records: dict[str, dict[str, Problem]] = field(default_factory=dict)  # topic -> code -> problem
    warned: dict[str, datetime] = field(default_factory=dict)
    warnings: Counter[datetime] = field(default_factory=Counter)  # by the hour that they were written in


class Problems:
    """Records problems and says each once an hour."""

    def __init__(self) -> None:
        self._schools: dict[Namespace, _OfSchool] = {}

    def __iter__(self) -> Iterator[Problem]:
        for school in self._schools.values():
            for of_topic in school.records.values():
                yield from of_topic.values()

    def add(self, school: Namespace, problem: Problem, now: datetime) -> None:
        """Record a problem of a school's topic."""
        of_school = self._schools.setdefault(school, _OfSchool())
        of_topic = of_school.records.setdefault(problem.topic, {})
        if problem.code not in of_topic and len(of_topic) >= 10:
            return  # ten different complaints about one topic are enough
        of_topic[problem.code] = problem
        while len(of_school.records) > LIMIT:
            del of_school.records[next(iter(of_school.records))]
        _warn(school, of_school, problem, now)

    def clear(self, school: Namespace, topic: str) -> None:
        """The topic says something usable again."""
        of_school = self._schools.get(school)
        if of_school is not None:
            of_school.records.pop(topic, None)

    def forget(self, school: Namespace) -> None:
        """Nobody listens to the school any more."""
        self._schools.pop(school, None)


def _warn(school: Namespace, of_school: _OfSchool, problem: Problem, now: datetime) -> None:
    warned = of_school.warned.get(problem.topic)
    if warned is not None and now - warned < WARN_EVERY:
        return
    of_school.warned.pop(problem.topic, None)
    of_school.warned[problem.topic] = now
    while len(of_school.warned) > LIMIT:
        del of_school.warned[next(iter(of_school.warned))]
    hour = now.replace(minute=0, second=0, microsecond=0)
    if hour not in of_school.warnings:
        of_school.warnings.clear()
    of_school.warnings[hour] += 1
    if of_school.warnings[hour] < WARNINGS_LIMIT:
        logger.warning("topic %s: %s: %s", problem.topic, problem.code, problem.detail)
    elif of_school.warnings[hour] == WARNINGS_LIMIT:
        logger.warning("school %s: more problems, which are not written until the next hour", school)
