"""Pages over HTTP: `q`, `limit` and `cursor` of the request, and `next` and `total` of the answer.

A cursor is a place (`rooms/page.py`) as JSON in base64url. It gives nobody a right: it only says where to go on.
"""

import base64
import binascii
import json
from collections.abc import Sequence
from datetime import datetime
from typing import TypedDict

from controller.web.errors import InvalidRequest
from controller.web.models.paging import PageQuery, SearchQuery
from rooms.folding import folded
from rooms.page import Page, Place, T, Wanted

MOST_WORDS = 8

Shape = Sequence[type[str] | type[int] | type[datetime]]
"""The types of a list's places, by which a cursor of another list is refused."""


def wanted(query: PageQuery, shape: Shape) -> Wanted:
    """Raises `InvalidRequest`."""
    words = tuple(folded(query.q).split())[:MOST_WORDS] if isinstance(query, SearchQuery) else ()
    return Wanted(words=words, limit=query.limit, after=None if query.cursor is None else _place(query.cursor, shape))


class Rest(TypedDict):
    """The fields of `PageJson`."""

    next: str | None
    total: int | None


def rest(page: Page[T]) -> Rest:
    return Rest(next=None if page.next is None else _cursor(page.next), total=page.total)


def _cursor(place: Place) -> str:
    parts = [each.isoformat() if isinstance(each, datetime) else each for each in place]
    return base64.urlsafe_b64encode(json.dumps(parts, ensure_ascii=False).encode()).decode().rstrip("=")


def _place(cursor: str, shape: Shape) -> Place:
    try:
        parts = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        return tuple(_part(part, type) for part, type in zip(parts, shape, strict=True))
    except (ValueError, TypeError, binascii.Error, RecursionError) as error:
        raise InvalidRequest((("/query/cursor", "is not the `next` of a page of this list"),)) from error


def _part(part: object, type: type[str] | type[int] | type[datetime]) -> str | int | datetime:
    """Raises `ValueError`."""
    if type is datetime and isinstance(part, str):
        moment = datetime.fromisoformat(part)
        if moment.tzinfo is not None:
            return moment
    elif type is int and isinstance(part, int) and not isinstance(part, bool) and abs(part) < 2**63:
        return part
    elif type is str and isinstance(part, str) and "\0" not in part and part.isprintable():
        return part
    raise ValueError(f"{part!r} is no part of a place")
