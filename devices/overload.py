"""Says to a school that it sends more than its share, and what became of it: one problem, closed when it is over."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from devices.device import Namespace
from devices.dialects.base import root
from devices.driver import Problem

OVER_AFTER = timedelta(seconds=60)
"""Without anything passed over, refused or not listened to."""
CODE = "too_many_messages"
TOPICS_LIMIT = 1_000
"""Busy topics remembered of one school."""


@dataclass(slots=True)
class Overload:
    """What was not read of one school since it began, by topic."""

    since: datetime
    last: datetime
    passed_over: Counter[str] = field(default_factory=Counter)  # a newer message on the topic was read instead
    refused: Counter[str] = field(default_factory=Counter)
    not_listened_to: tuple[str, ...] = ()
    silenced: int = 0  # how often

    def detail(self) -> str:
        """For the school's technician."""
        counts = self.passed_over + self.refused
        said = [f"since {self.since:%H:%M} UTC the school's devices send more than its share"]
        if self.passed_over:
            said.append(f"{self.passed_over.total()} messages were not read because a newer one came")
        if self.refused:
            said.append(f"{self.refused.total()} were not read because too many waited")
        if self.not_listened_to:
            said.append(f"for a while nothing is read on {_few(self.not_listened_to)}")
        if counts:
            said.append(f"most came on {_few([topic for topic, _ in counts.most_common(3)])}")
        return "; ".join(said)


class Overloads:
    """The schools that send too much. Rules only: counts and times come in."""

    def __init__(self) -> None:
        self._schools: dict[Namespace, Overload] = {}

    def __bool__(self) -> bool:
        return bool(self._schools)

    def add(
        self,
        school: Namespace,
        now: datetime,
        *,
        passed_over: Counter[str] | None = None,
        refused: Counter[str] | None = None,
        not_listened_to: Iterable[str] = (),
    ) -> Problem:
        """So much more was not read; the problem as it is now."""
        overload = self._schools.setdefault(school, Overload(now, now))
        overload.last = now
        overload.passed_over = _bounded(overload.passed_over + (passed_over or Counter()))
        overload.refused = _bounded(overload.refused + (refused or Counter()))
        if topics := tuple(not_listened_to):
            overload.not_listened_to = topics
            overload.silenced += 1
        return Problem(topic_of(school), CODE, overload.detail())

    def silenced(self, school: Namespace) -> int:
        """How often topics of the school were not listened to since it began."""
        overload = self._schools.get(school)
        return overload.silenced if overload is not None else 0

    def goes_on(self, school: Namespace, now: datetime) -> None:
        """It is not over by now: nothing came, because nobody listens."""
        if school in self._schools:
            self._schools[school].last = now

    def over(self, now: datetime) -> dict[Namespace, Overload]:
        """The schools for which it is over since the last call, and what it was."""
        over = {school: each for school, each in self._schools.items() if now - each.last >= OVER_AFTER}
        for school in over:
            del self._schools[school]
        return over

    def forget(self, school: Namespace) -> None:
        """Nobody listens to the school any more."""
        self._schools.pop(school, None)


def topic_of(school: Namespace) -> str:
    """What stands for all that a school sends, where a problem has a topic."""
    return f"{root(school)}#"


def _bounded(counts: Counter[str]) -> Counter[str]:
    """The same in all, of the busiest topics each."""
    if len(counts) <= TOPICS_LIMIT:
        return counts
    kept = Counter(dict(counts.most_common(TOPICS_LIMIT // 2)))
    kept["…"] = counts.total() - kept.total() + kept["…"]
    return kept


def _few(topics: Sequence[str]) -> str:
    return ", ".join(topics[:3]) + (f" and {len(topics) - 3} more topics" if len(topics) > 3 else "")
