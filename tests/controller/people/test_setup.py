"""The first organisation and its administrator, by the one-time link."""

import pytest

from controller.people.organisations import NewOrganisation, Organisations
from controller.people.people import People
from controller.people.setup import Setup
from rooms.people.account import Account, Role, RoleAt
from rooms.people.errors import AccountExists, InvalidAccount, LinkNotFound, SetupDone
from rooms.school import OrganisationId, OrganisationKind
from store import Store
from tests.controller.people.conftest import SCHOOL

KIM_DONG = NewOrganisation(
    id=OrganisationId("kim-dong"), kind=OrganisationKind.SCHOOL, name="Kim Đồng", province="Thái Nguyên"
)
PASSWORD = "correct horse battery"


@pytest.fixture
def setup(store: Store, people: People, organisations: Organisations) -> Setup:
    return Setup(store, people.accounts, people.links, organisations)


async def made(setup: Setup, secret: str, name: str, first: NewOrganisation = KIM_DONG) -> Account:
    return await setup.set_up(
        secret, first, name=name, display_name="Hiệu trưởng", password=PASSWORD, address="10.0.0.1"
    )


async def test_setup_link_makes_one_administrator_once(people: People, setup: Setup) -> None:
    older = await people.links.setup_secret()
    secret = await people.links.setup_secret()
    assert older is not None
    assert secret is not None
    with pytest.raises(LinkNotFound):
        await made(setup, older, "first")
    account = await made(setup, secret, "first")
    assert account.roles == (RoleAt(Role.ADMINISTRATOR, OrganisationId("kim-dong")),)
    with pytest.raises((LinkNotFound, SetupDone)):
        await made(setup, secret, "second")
    assert await people.links.setup_secret() is None


async def test_setup_that_fails_leaves_nothing_and_the_link_is_still_good(
    people: People, setup: Setup, store: Store
) -> None:
    """The name is taken, which is found out last: the organisation was written, and the link used."""
    secret = await people.links.setup_secret()
    assert secret is not None
    before = await store.organisations.list()
    with pytest.raises(InvalidAccount):
        await made(setup, secret, "No Such Name")
    await store.people.add_account(
        (await people.accounts.new(name="first", display_name="A", password=None)).account, None
    )
    with pytest.raises(AccountExists):
        await made(setup, secret, "first")
    assert (await store.organisations.list(), await store.audit.list()) == (before, ())
    await made(setup, secret, "second")
    assert [each.action for each in await store.audit.list()] == ["account.add", "organisation.add"]


async def test_recovery_makes_an_administrator_of_what_is_there(people: People, setup: Setup, store: Store) -> None:
    secret = await people.links.setup_secret(forced=True)
    assert secret is not None
    there = NewOrganisation(id=SCHOOL, kind=OrganisationKind.SCHOOL, name="Another", province="")
    account = await made(setup, secret, "first", there)
    assert account.roles == (RoleAt(Role.ADMINISTRATOR, SCHOOL),)
    assert [each.name for each in await store.organisations.list()] == ["Lê Lợi"]
