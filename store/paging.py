"""Pages of a query, along an index that has its order: a page costs what it shows, not what there is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Select, and_, bindparam, func, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from rooms.page import Page, Place, Wanted, page_of

Row = TypeVar("Row")
T = TypeVar("T")
Column = InstrumentedAttribute[Any]


@dataclass(frozen=True, slots=True)
class Order(Generic[Row]):
    """Of a list: columns, the last an id, and their values of one row. All of them rise, or all are `falling`."""

    columns: tuple[Column, ...]
    place: Callable[[Row], Place]
    falling: bool = False


async def read_page(
    db: AsyncSession,
    query: Select[Row],
    order: Order[Row],
    wanted: Wanted,
    make: Callable[[Row], T],
    *,
    counted: bool = True,
) -> Page[T]:
    """The part of `query` that is wanted; two queries, one where it is not to be counted."""
    total = await db.scalar(_count(query, order)) if counted else None
    if wanted.after is not None:
        here, there = tuple_(*order.columns), _values(order, wanted.after)
        query = query.where(here < there if order.falling else here > there)
    sorted_by = (each.desc() if order.falling else each.asc() for each in order.columns)
    rows = await db.scalars(query.order_by(*sorted_by).limit(wanted.limit + 1))
    return page_of(((order.place(row), make(row)) for row in rows), wanted.limit, total)


def having(words: Sequence[str], text: Column, *others: Callable[[str], ColumnElement[bool]]) -> ColumnElement[bool]:
    """Each word stands in the folded `text`, or is found by one of `others`."""
    return and_(
        True, *(or_(text.contains(each, autoescape=True), *(other(each) for other in others)) for each in words)
    )


def _count(query: Select[Row], order: Order[Row]) -> Select[int]:
    return select(func.count()).select_from(query.with_only_columns(order.columns[-1]).subquery())


def _values(order: Order[Row], place: Place) -> ColumnElement[Any]:
    return tuple_(*(bindparam(None, part, column.type) for column, part in zip(order.columns, place, strict=True)))
