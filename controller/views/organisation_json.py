"""Organisations as pages are sent them. Pure."""

from dataclasses import dataclass
from typing import Literal

from controller.schema import PageJson
from rooms.school import Organisation, OrganisationId, OrganisationKind


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganisationJson:
    id: OrganisationId
    parent: OrganisationId | None
    kind: OrganisationKind
    name: str
    province: str

    @classmethod
    def of(cls, each: Organisation) -> "OrganisationJson":
        return cls(id=each.id, parent=each.parent_id, kind=each.kind, name=each.name, province=each.province)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganisationsJson(PageJson):
    organisations: list[OrganisationJson]


@dataclass(frozen=True, slots=True, kw_only=True)
class SetupValidJson:
    """`organisations`: those at the top that are there already; most often none."""

    valid: Literal[True] = True
    organisations: list[OrganisationJson]
