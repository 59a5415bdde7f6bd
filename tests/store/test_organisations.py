import pytest

from rooms.errors import AlreadyExists, OrganisationNotFound
from rooms.school import Organisation, OrganisationId, OrganisationKind
from store import Store


def organisation(name: str, parent: str | None = None) -> Organisation:
    kind = OrganisationKind.SCHOOL if name.startswith("truong") else OrganisationKind.DEPARTMENT
    above = None if parent is None else OrganisationId(parent)
    return Organisation(id=OrganisationId(name), parent_id=above, kind=kind, name=name.title(), province="Nghệ An")


TREE = [
    organisation("bo"),
    organisation("so-1", "bo"),
    organisation("so-2", "bo"),
    organisation("phong", "so-1"),
    organisation("truong-1", "so-1"),
    organisation("truong-2", "phong"),
    organisation("truong-3", "so-2"),
]


async def test_a_tree_of_any_depth_is_kept(store: Store) -> None:
    for each in TREE:
        await store.organisations.add(each)
    assert await store.organisations.get(OrganisationId("phong")) == TREE[3]
    assert await store.organisations.list() == tuple(sorted(TREE, key=lambda each: each.name))
    assert await store.organisations.children(OrganisationId("so-1")) == (TREE[3], TREE[4])
    assert await store.organisations.below(OrganisationId("so-1")) == (TREE[3], TREE[1], TREE[4], TREE[5])
    assert await store.organisations.below(OrganisationId("truong-3")) == (TREE[6],)
    assert await store.organisations.below(OrganisationId("nobody")) == ()


async def test_what_does_not_fit_the_tree_is_refused(store: Store) -> None:
    await store.organisations.add(TREE[0])
    with pytest.raises(AlreadyExists, match="bo"):
        await store.organisations.add(TREE[0])
    with pytest.raises(OrganisationNotFound, match="so-1"):
        await store.organisations.add(TREE[3])
    with pytest.raises(OrganisationNotFound, match="phong"):
        await store.organisations.get(OrganisationId("phong"))
    assert await store.organisations.list() == (TREE[0],)
