"""The first organisation and its administrator, made by whoever has the one-time link."""

from dataclasses import replace

from controller.people.accounts import Accounts
from controller.people.links import SETS_UP, Links
from controller.people.logins import INVALID
from controller.people.organisations import NewOrganisation, Organisations
from rooms.errors import OrganisationNotFound
from rooms.people.account import Account, Role, RoleAt
from rooms.people.errors import LinkNotFound, SetupDone
from rooms.people.login_link import LinkKind
from rooms.school import Organisation
from store import Store

ACTOR = "setup"


class Setup:
    """What an installation begins with."""

    def __init__(self, store: Store, accounts: Accounts, links: Links, organisations: Organisations) -> None:
        self._store = store
        self._accounts = accounts
        self._links = links
        self._organisations = organisations

    async def set_up(
        self, secret: str, first: NewOrganisation, *, name: str, display_name: str, password: str, address: str
    ) -> Account:
        """Make the first organisation, if it is not there, and its administrator, who also operates all of it.

        Raises `LinkNotFound`, `TooManyAttempts`, `SetupDone`, `InvalidAccount`, `InvalidValue`, `AccountExists`.
        """
        link = await self._links.check(SETS_UP, secret, address=address)
        new = await self._accounts.new(name=name, display_name=display_name, password=password)
        async with self._store.transaction() as tx:
            if link.kind is LinkKind.SETUP and await tx.people.any_administrator():
                raise SetupDone("there is an administrator already")
            if not await tx.people.use_link(link.id, new.account.created):
                raise LinkNotFound(INVALID)
            organisation = await self._organisation(tx, first)
            roles = (RoleAt(Role.ADMINISTRATOR, organisation.id),)
            account = replace(new.account, roles=roles, operator=True)
            await self._accounts.write(tx, replace(new, account=account), actor=ACTOR)
        await self._organisations.follow(organisation, actor=account.id)
        return account

    async def _organisation(self, tx: Store, first: NewOrganisation) -> Organisation:
        """The one that is there under the given id, or a new one."""
        if first.id is not None:
            try:
                return await tx.organisations.get(first.id)
            except OrganisationNotFound:
                pass
        added = first.named(tx.tree)
        await self._organisations.write(tx, added, actor=ACTOR)
        return added
