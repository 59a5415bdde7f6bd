"""Schools and departments in a real database."""

import pytest

from controller.changes import ChangeKind
from controller.people.organisations import NewOrganisation, Organisations
from controller.people.people import People
from devices.changes import Change, Changes
from devices.hub import DeviceHub
from rooms.errors import InvalidValue
from rooms.people.account import Role, RoleAt
from rooms.people.rights import OWNER
from rooms.school import OrganisationId, OrganisationKind
from store import Store
from tests.controller.people.conftest import SCHOOL
from tests.controller.stage import UNRECORDABLE

NEW = NewOrganisation(kind=OrganisationKind.SCHOOL, name="Trường Tiểu học Kim Đồng", province="Huế")


async def test_a_school_is_added_with_its_administrator_and_listened_to(
    store: Store, people: People, organisations: Organisations, hub: DeviceHub, changes: Changes
) -> None:
    lan = await people.accounts.add(name="lan", display_name="Lan", roles=[], rights=OWNER, actor="test")
    with changes.subscribe() as told:
        added = await organisations.add(NEW, rights=OWNER, actor=lan.id, administrator=lan.id)
        assert await anext(aiter(told)) == Change(ChangeKind.ACCOUNT, lan.id)
    assert added.id == "kim-dong"
    assert hub.namespaces == {"kim-dong", SCHOOL}
    assert (await people.accounts.get(lan.id)).roles == (RoleAt(Role.ADMINISTRATOR, added.id),)
    newest = [each.action for each in await store.audit.list(limit=2)]
    assert newest == ["account.grant", "organisation.add"]


async def test_what_cannot_be_recorded_has_not_happened(
    store: Store, organisations: Organisations, hub: DeviceHub
) -> None:
    before = await store.organisations.list()
    with pytest.raises(InvalidValue):
        await organisations.add(NEW, rights=OWNER, actor=UNRECORDABLE)
    with pytest.raises(InvalidValue):
        await organisations.rename(SCHOOL, name="Another", province=None, rights=OWNER, actor=UNRECORDABLE)
    assert (await store.organisations.list(), await store.audit.list(), hub.namespaces) == (before, (), frozenset())
    same = await organisations.rename(OrganisationId(SCHOOL), name=None, province=None, rights=OWNER, actor="lan")
    assert (same.name, await store.audit.list()) == ("Lê Lợi", ())
