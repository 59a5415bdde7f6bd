from dataclasses import replace
from pathlib import Path

import pytest

from rooms.errors import AlreadyExists, OrganisationNotFound
from rooms.page import Wanted
from rooms.school import Organisation, OrganisationId, OrganisationKind
from store import Store, open_store


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


async def test_the_tree_in_memory_follows_what_is_written_and_nothing_else(store: Store) -> None:
    await store.organisations.add(TREE[0])
    with pytest.raises(AlreadyExists):
        await _add_and_rename(store, TREE[0])
    assert store.tree.page(Wanted(limit=9)).items == (TREE[0],)
    await _add_and_rename(store, TREE[2])
    assert store.tree.children(TREE[0].id) == (TREE[1], TREE[2])
    assert store.tree.get(TREE[0].id).name == "Bộ khác"


async def _add_and_rename(store: Store, last: Organisation) -> None:
    async with store.transaction() as together:
        await together.organisations.add(TREE[1])
        await together.organisations.rename(replace(TREE[0], name="Bộ khác"))
        assert TREE[1].id not in store.tree
        await together.organisations.add(last)


async def test_the_tree_is_read_when_the_store_is_opened(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'kept.db'}"
    async with open_store(url) as store:
        for each in TREE:
            await store.organisations.add(each)
    async with open_store(url) as store:
        assert store.tree.page(Wanted(limit=9)).items == await store.organisations.list()


async def test_what_does_not_fit_the_tree_is_refused(store: Store) -> None:
    await store.organisations.add(TREE[0])
    with pytest.raises(AlreadyExists, match="bo"):
        await store.organisations.add(TREE[0])
    with pytest.raises(OrganisationNotFound, match="so-1"):
        await store.organisations.add(TREE[3])
    with pytest.raises(OrganisationNotFound, match="phong"):
        await store.organisations.get(OrganisationId("phong"))
    assert await store.organisations.list() == (TREE[0],)
