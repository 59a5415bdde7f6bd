"""A part of a long list: what is asked for, and what is there.

A page begins after a *place*, the sort key of the last item of the page before. So it neither repeats nor misses an
item when others come and go meanwhile.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Generic, TypeVar

T = TypeVar("T")

Place = tuple[str | int | datetime, ...]
"""The sort key of one item in its list; the last part is its id, so no two items have the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which part of a list. `words`: `folded`, to be found all of them; `after`: None at the beginning."""

    limit: int
    words: tuple[str, ...] = ()
    after: Place | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[T]):
    """`next`: the place after which another page begins, None: no more; `total`: on all pages, None: not counted."""

    items: tuple[T, ...]
    next: Place | None
    total: int | None = None


def page_of(found: Iterable[tuple[Place, T]], limit: int, total: int | None = None) -> Page[T]:
    """The first `limit` of what was found, in its order; reads one item more, to know whether another page follows."""
    first = list(islice(found, limit + 1))
    items = first[:limit]
    more = len(first) > limit
    return Page(items=tuple(item for _, item in items), next=items[-1][0] if more else None, total=total)
