"""The tree of organisations: departments over schools, of any depth."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NewType
from zoneinfo import ZoneInfo

from devices.device import Namespace
from rooms import checks
from rooms.errors import InvalidValue

OrganisationId = NewType("OrganisationId", str)
SchoolId = NewType("SchoolId", OrganisationId)
"""Equal to the school's `Namespace` at the broker: `[a-z0-9-]{2,40}`."""


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
    timezone: str = "Asia/Ho_Chi_Minh"  # IANA name; what people read and weekly rules are in it

    def __post_init__(self) -> None:
        checks.slug(self.id, "organisation id")
        checks.text(self.name, "organisation name", at_most=200)
        checks.text(self.province, "province", at_most=100, empty=True)
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


def namespace(school_id: SchoolId) -> Namespace:
    """The school's corner of the broker."""
    return Namespace(school_id)
