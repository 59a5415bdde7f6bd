"""The tree of organisations: departments over schools, of any depth."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import count
from typing import NewType
from zoneinfo import ZoneInfo

from devices.device import Namespace
from rooms import checks
from rooms.errors import InvalidValue
from rooms.folding import folded

OrganisationId = NewType("OrganisationId", str)
SchoolId = NewType("SchoolId", OrganisationId)
"""Equal to the school's `Namespace` at the broker: `[a-z0-9-]{2,40}`."""


LONGEST_ID = 40
LONGEST_NAME = 200
LONGEST_PROVINCE = 100
DEFAULT_TIMEZONE = "Asia/Ho_Chi_Minh"
GENERIC = r"^(truong-)?((tieu-hoc|trung-hoc-co-so|trung-hoc-pho-thong|th|thcs|thpt)-)?"


class OrganisationKind(StrEnum):
    DEPARTMENT = "department"
    SCHOOL = "school"


@dataclass(frozen=True, slots=True, kw_only=True)
class Organisation:
    """A school, or a department over schools. Levels are not named: they have changed and will change."""

    id: OrganisationId
    parent_id: OrganisationId | None = None
    kind: OrganisationKind
    name: str
    province: str = ""
    timezone: str = DEFAULT_TIMEZONE  # IANA name; what people read and weekly rules are in it

    def __post_init__(self) -> None:
        checks.slug(self.id, "organisation id")
        checks.text(self.name, "organisation name", at_most=LONGEST_NAME)
        checks.text(self.province, "province", at_most=LONGEST_PROVINCE, empty=True)
        if self.parent_id == self.id:
            raise InvalidValue(f"organisation {self.id} cannot be above itself")
        try:
            ZoneInfo(self.timezone)
        except (
            ValueError,
            LookupError,
            OSError,
        ) as error:  # what ZoneInfo raises for paths, unknown and unreadable names
            raise InvalidValue(f"unknown time zone {self.timezone!r}") from error

    @property
    def school_id(self) -> SchoolId:
        """Raises `InvalidValue` where this is no school."""
        if self.kind is not OrganisationKind.SCHOOL:
            raise InvalidValue(f"{self.id} is a {self.kind}, not a school")
        return SchoolId(self.id)


def check_parent(parent: Organisation) -> None:
    """Raises `InvalidValue`: schools are not above each other, or one would have rights at the other."""
    if parent.kind is not OrganisationKind.DEPARTMENT:
        raise InvalidValue(f"{parent.id} is a school; only a department has others below it")


def ids_from(name: str) -> Iterator[OrganisationId]:
    """Ids for an organisation of that name, the best first: its letters and digits without accents, then numbered."""
    slug = re.sub(r"[^a-z0-9]+", "-", folded(name)).strip("-")
    short = re.sub(GENERIC, "", slug)
    stem = (short if len(short) >= 2 else slug if len(slug) >= 2 else f"truong-{slug}")[:LONGEST_ID].strip("-")
    yield OrganisationId(stem)
    for number in count(2):
        yield OrganisationId(f"{stem[: LONGEST_ID - 1 - len(str(number))]}-{number}")


def namespace(school_id: SchoolId) -> Namespace:
    """The school's corner of the broker."""
    return Namespace(school_id)
