from typing import Any

import pytest

from rooms.errors import InvalidValue
from rooms.school import Organisation, OrganisationId, OrganisationKind, namespace

DEPARTMENT, SCHOOL = OrganisationKind


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"id": "a"}, "organisation id"),
        ({"id": "Lê-Lợi"}, "organisation id"),
        ({"id": "le-loi/+"}, "organisation id"),
        ({"id": "le-loi\n"}, "organisation id"),
        ({"id": "x" * 41}, "organisation id"),
        ({"name": ""}, "name is empty"),
        ({"parent_id": "le-loi"}, "above itself"),
        ({"timezone": "Asia/Nowhere"}, "unknown time zone"),
        ({"timezone": "../../etc/passwd"}, "unknown time zone"),
    ],
)
def test_an_impossible_organisation_is_refused(changes: dict[str, Any], says: str) -> None:
    fields: dict[str, Any] = {"id": "le-loi", "kind": SCHOOL, "name": "Lê Lợi"}
    with pytest.raises(InvalidValue, match=says):
        Organisation(**(fields | changes))


def test_a_school_is_its_own_corner_of_the_broker() -> None:
    school = Organisation(id=OrganisationId("le-loi"), kind=SCHOOL, name="Lê Lợi")
    assert namespace(school.school_id) == "le-loi"
    department = Organisation(id=OrganisationId("nghe-an"), kind=DEPARTMENT, name="Sở GD&ĐT Nghệ An")
    with pytest.raises(InvalidValue, match="not a school"):
        _ = department.school_id
