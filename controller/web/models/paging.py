"""JSON of all lists that are given in pages."""

from typing import Annotated

from pydantic import BeforeValidator, Field, StringConstraints

from controller.schema import Model, OptionalText

LIMIT = 30
MOST = 200
MOST_ROOMS = 50
"""Rooms come with all that is in them."""
ROOMS = 20

Cursor = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,4000}$")]


def digits(value: object) -> object:
    """A whole number of a query."""
    # A query has texts only; lax pydantic would take " 7" and "7.0", too.
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 6 else value


Limit = Annotated[int, BeforeValidator(digits), Field(ge=1, le=MOST, strict=True)]


class PageQuery(Model):
    """Which part of a list."""

    limit: Limit = LIMIT
    cursor: Cursor | None = Field(default=None, description="the `next` of the page before")


class SearchQuery(PageQuery):
    """Which part of what is found. `q`: words of its names, with or without accents and capitals."""

    q: OptionalText = ""
