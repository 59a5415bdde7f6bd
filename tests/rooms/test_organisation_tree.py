"""The tree of organisations, without a database."""

import pytest

from rooms.errors import OrganisationNotFound
from rooms.organisation_tree import OrganisationTree
from rooms.page import Wanted
from rooms.school import Organisation, OrganisationId, OrganisationKind

DEPARTMENT, SCHOOL = OrganisationKind


def organisation(id: str, name: str, parent: str | None = None, kind: OrganisationKind = SCHOOL) -> Organisation:
    above = None if parent is None else OrganisationId(parent)
    return Organisation(id=OrganisationId(id), parent_id=above, kind=kind, name=name)


SO = organisation("so", "Sở GD&ĐT", kind=DEPARTMENT)
PHONG = organisation("phong", "Phòng Phổ Yên", "so", DEPARTMENT)
LOI = organisation("le-loi", "Lê Lợi", "phong")
DONG = organisation("dong-da", "Đống Đa", "so")
KIM = organisation("kim-dong", "Kim Đồng")
TREE = (SO, PHONG, LOI, DONG, KIM)


@pytest.fixture
def tree() -> OrganisationTree:
    return OrganisationTree(TREE)


def test_each_is_found_from_above_and_from_below(tree: OrganisationTree) -> None:
    assert tree.tops() == (KIM, SO)
    assert tree.children(SO.id) == (DONG, PHONG)
    assert list(tree.above(LOI.id)) == [PHONG, SO]
    assert {each.id for each in tree.below(SO.id)} == {SO.id, PHONG.id, LOI.id, DONG.id}
    assert tree.schools_below(SO.id) == {LOI.id, DONG.id}
    assert list(tree.below(OrganisationId("nobody"))) == []
    with pytest.raises(OrganisationNotFound, match="nobody"):
        tree.get(OrganisationId("nobody"))


def test_what_is_put_again_is_in_its_new_place_only(tree: OrganisationTree) -> None:
    assert tree.schools_below(PHONG.id) == {LOI.id}
    moved = organisation("le-loi", "Lê Lợi", "so")
    tree.put(moved)
    assert (tree.children(PHONG.id), tree.schools_below(PHONG.id)) == ((), frozenset())
    assert tree.children(SO.id) == (DONG, moved, PHONG)
    assert len(tree) == len(TREE)


def test_a_loop_hangs_nobody() -> None:
    loop = OrganisationTree([organisation("aa", "A", "bb", DEPARTMENT), organisation("bb", "B", "aa", DEPARTMENT)])
    assert [each.id for each in loop.above(OrganisationId("aa"))] == ["bb"]
    assert {each.id for each in loop.below(OrganisationId("aa"))} == {"aa", "bb"}


@pytest.mark.parametrize(
    ("q", "found"),
    [("", (DONG, KIM, LOI, PHONG, SO)), ("dong", (DONG, KIM)), ("loi le", (LOI,)), ("le-loi", (LOI,)), ("hue", ())],
)
def test_a_search_takes_names_without_their_accents(
    tree: OrganisationTree, q: str, found: tuple[Organisation, ...]
) -> None:
    page = tree.page(Wanted(limit=9, words=tuple(q.split())))
    assert (page.items, page.next, page.total) == (found, None, len(found))


def test_pages_go_on_where_the_one_before_ended_whatever_comes_and_goes(tree: OrganisationTree) -> None:
    first = tree.page(Wanted(limit=2))
    assert (first.items, first.total) == ((DONG, KIM), 5)
    tree.put(organisation("an", "An"))  # before the place: no page shows it, and none repeats what was shown
    second = tree.page(Wanted(limit=2, after=first.next))
    assert (second.items, second.total) == ((LOI, PHONG), 6)
    third = tree.page(Wanted(limit=2, after=second.next), among=frozenset({SO.id, KIM.id}))
    assert (third.items, third.next, third.total) == ((SO,), None, 2)
