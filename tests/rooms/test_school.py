from itertools import islice
from typing import Any

import pytest

from rooms.errors import InvalidValue
from rooms.school import Organisation, OrganisationId, OrganisationKind, check_parent, ids_from, namespace

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


@pytest.mark.parametrize(
    ("name", "ids"),
    [
        ("Trường Tiểu học Lê Lợi", ["le-loi", "le-loi-2", "le-loi-3"]),
        ("THCS Đống Đa", ["dong-da", "dong-da-2", "dong-da-3"]),
        ("Sở GD&ĐT Thái Nguyên", ["so-gd-dt-thai-nguyen", "so-gd-dt-thai-nguyen-2", "so-gd-dt-thai-nguyen-3"]),
        ("Trường A", ["truong-a", "truong-a-2", "truong-a-3"]),
        ("A", ["truong-a", "truong-a-2", "truong-a-3"]),
        ("学校", ["truong", "truong-2", "truong-3"]),
        ("x" * 200, ["x" * 40, "x" * 38 + "-2", "x" * 38 + "-3"]),
    ],
)
def test_ids_are_made_of_a_name(name: str, ids: list[str]) -> None:
    made = list(islice(ids_from(name), 3))
    assert made == ids
    for each in made:
        Organisation(id=each, kind=SCHOOL, name=name)


def test_only_a_department_has_others_below_it() -> None:
    check_parent(Organisation(id=OrganisationId("nghe-an"), kind=DEPARTMENT, name="Sở"))
    with pytest.raises(InvalidValue, match="only a department"):
        check_parent(Organisation(id=OrganisationId("le-loi"), kind=SCHOOL, name="Lê Lợi"))
