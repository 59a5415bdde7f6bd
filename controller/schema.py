"""The base of the JSON models that come in, and the types and values that models share.

What comes in is a `Model`, taken strictly. What goes out is a frozen dataclass: the value itself where its fields are
those of the JSON, and nothing is checked again on the way out.
"""

import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StringConstraints,
    TypeAdapter,
    WithJsonSchema,
)

from rooms.school import Organisation, OrganisationId

KEY_PATTERN = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}"
SLUG_PATTERN = r"[a-z0-9-]{2,40}"
TEXT_PATTERN = r"^[^\x00-\x1f\x7f-\x9f]*$"  # no control characters; a database may refuse them
RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")
FIRST_MOMENT = datetime(2000, 1, 1, tzinfo=UTC)
LAST_MOMENT = datetime(2200, 1, 1, tzinfo=UTC)


@cache
def adapter(kind: type) -> TypeAdapter[Any]:
    """What makes the JSON of values of this type."""
    return TypeAdapter(kind)


def json_text(value: object) -> str:
    """The JSON of a value that pages are sent."""
    kind: type = type(value)
    return adapter(kind).dump_json(value).decode()


class Model(BaseModel):
    """Unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedJson:
    """What people call it, with its id."""

    id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SchoolJson:
    id: OrganisationId
    name: str
    province: str

    @classmethod
    def of(cls, each: Organisation) -> Self:
        return cls(id=each.id, name=each.name, province=each.province)


@dataclass(frozen=True, slots=True, kw_only=True)
class PageJson:
    """The end of a page.

    `next`: the `cursor` of the next page; null after the last. `total`: how many there are on all pages; null where
    that is not counted.
    """

    next: str | None
    total: int | None


class Nothing(Model):
    """Of a route that takes no query: any parameter is refused."""


def _a_number(value: object) -> object:
    # Lax pydantic takes false for 0 and "7" for 7; strict pydantic refuses 138.0, which JSON Schema calls an integer.
    if isinstance(value, bool | str | bytes):
        raise ValueError("not a number")
    return value


def _a_moment(value: object) -> object:
    if isinstance(value, str) and not RFC3339.fullmatch(value):
        raise ValueError("not a time as RFC 3339 writes it, with its offset")
    if not isinstance(value, str | datetime):
        raise ValueError("not a text")
    return value


def _in_utc(value: datetime) -> datetime:
    if value.utcoffset() is None:
        raise ValueError("a time without its offset")
    if not FIRST_MOMENT <= value <= LAST_MOMENT:
        raise ValueError("not between the years 2000 and 2200")
    return value.astimezone(UTC)


def _finite(value: float) -> float:
    if not math.isfinite(value) or abs(value) > 1e15:
        raise ValueError("not a number of a device")
    return value


def _writable(value: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise ValueError("half a surrogate pair") from error
    return value


Text = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=TEXT_PATTERN), AfterValidator(_writable)]
OptionalText = Annotated[str, StringConstraints(max_length=100, pattern=TEXT_PATTERN), AfterValidator(_writable)]
Secret = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(_writable)]
OptionalSecret = Annotated[str, StringConstraints(max_length=200), AfterValidator(_writable)]
Key = Annotated[str, StringConstraints(pattern=f"^{KEY_PATTERN}$", max_length=64)]
Slug = Annotated[str, StringConstraints(pattern=f"^{SLUG_PATTERN}$", max_length=40)]
Moment = Annotated[datetime, BeforeValidator(_a_moment), AfterValidator(_in_utc)]
Number = Annotated[float, BeforeValidator(_a_number), Field(allow_inf_nan=False)]
Port = Annotated[int, BeforeValidator(_a_number), Field(ge=1, le=65535)]
Count = Annotated[int, BeforeValidator(_a_number), Field(ge=0, le=2**53)]
DeviceValue = Annotated[
    StrictBool
    | Annotated[StrictInt, AfterValidator(_finite)]
    | Annotated[StrictFloat, AfterValidator(_finite)]
    | Annotated[str, StringConstraints(strict=True, max_length=255, pattern=TEXT_PATTERN), AfterValidator(_writable)],
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "boolean"},
                {"type": "number", "minimum": -1e15, "maximum": 1e15},
                {"type": "string", "maxLength": 255, "pattern": TEXT_PATTERN},
            ]
        }
    ),
]
"""A device property's value: true or false, a number, or a text."""
