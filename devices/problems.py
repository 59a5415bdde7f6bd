"""What is wrong on the broker, in bounded memory: one record per topic and code, one warning per topic and hour."""

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta

from devices.dialects.base import Problem

logger = logging.getLogger(__name__)

LIMIT = 1_000
"""Records kept, and topics remembered as warned of; the oldest makes room."""
WARN_EVERY = timedelta(hours=1)


class Problems:
    """Records problems and says each once an hour."""

    def __init__(self) -> None:
        self._records: dict[str, dict[str, Problem]] = {}  # topic -> code -> problem
        self._warned: dict[str, datetime] = {}

    def __iter__(self) -> Iterator[Problem]:
        return (problem for of_topic in self._records.values() for problem in of_topic.values())

    def __len__(self) -> int:
        return len(self._records)  # topics

    def add(self, problem: Problem, now: datetime) -> None:
        of_topic = self._records.setdefault(problem.topic, {})
        if problem.code not in of_topic and len(of_topic) >= 10:
            return  # ten different complaints about one topic are enough
        of_topic[problem.code] = problem
        while len(self._records) > LIMIT:
            del self._records[next(iter(self._records))]
        warned = self._warned.get(problem.topic)
        if warned is None or now - warned >= WARN_EVERY:
            self._warned.pop(problem.topic, None)
            self._warned[problem.topic] = now
            while len(self._warned) > LIMIT:
                del self._warned[next(iter(self._warned))]
            logger.warning("topic %s: %s: %s", problem.topic, problem.code, problem.detail)

    def clear(self, topic: str) -> None:
        """The topic says something usable again."""
        if topic in self._records:
            del self._records[topic]
