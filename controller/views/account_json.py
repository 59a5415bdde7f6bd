"""People as pages are sent them: whoever is logged in, and the accounts that administrators look after. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from controller.schema import NamedJson, PageJson
from rooms.organisation_tree import OrganisationTree
from rooms.people.account import Account, AccountId, Identity, Language, LoginId, LoginView, Role, TokenView
from rooms.people.rights import Right, Rights
from rooms.school import DEFAULT_TIMEZONE


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountJson:
    id: AccountId
    name: str
    display_name: str
    language: Language


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldRole:
    """A role, and where it is held."""

    role: Role
    organisation: NamedJson


@dataclass(frozen=True, slots=True, kw_only=True)
class MeJson:
    """`own_password_needed`: until then nothing else is answered. `administers`: accounts of some organisation.

    `operator`: may operate what all share, as bridge nodes and organisations at the top. `csrf`: null with an API
    token, which needs none. `timezone`: IANA name; the person's days and times are in it.
    """

    account: AccountJson
    roles: list[HeldRole]
    operator: bool
    administers: bool
    own_password_needed: bool
    csrf: str | None
    timezone: str

    @classmethod
    def of(cls, identity: Identity, tree: OrganisationTree) -> "MeJson":
        account = identity.account
        rights = Rights.of(account, tree)
        return cls(
            account=AccountJson(
                id=account.id, name=account.name, display_name=account.display_name, language=account.language
            ),
            roles=_roles(account, tree),
            operator=account.operator,
            administers=rights.administers,
            own_password_needed=identity.unsettled,
            csrf=identity.csrf,
            timezone=home_timezone(account, tree),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountWithRolesJson:
    """`can`: whether password, logins, tokens and suspension are in my hands; else only the roles shown are."""

    id: AccountId
    name: str
    display_name: str
    language: Language
    roles: list[HeldRole]
    suspended: bool
    own_password_needed: bool
    can: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountsJson(PageJson):
    accounts: list[AccountWithRolesJson]


@dataclass(frozen=True, slots=True, kw_only=True)
class AddedAccountJson:
    """`password`: the one that was made, shown this once; null where one was typed."""

    account: AccountWithRolesJson
    password: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginViewJson:
    """`network`: the address it was made from, or its /64; "": not known. `mine`: this is the login that asks."""

    id: LoginId
    begun: datetime
    expires: datetime
    network: str
    mine: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginsJson:
    logins: list[LoginViewJson]

    @classmethod
    def of(cls, found: Iterable[LoginView], mine: LoginId | None) -> "LoginsJson":
        return cls(
            logins=[
                LoginViewJson(
                    id=each.id, begun=each.begun, expires=each.expires, network=each.network, mine=each.id == mine
                )
                for each in found
            ]
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TokensJson:
    tokens: tuple[TokenView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenJson:
    """Shown this once. One of them: `password`, or `link`, a path on this address that is good until `expires`."""

    password: str | None = None
    link: str | None = None
    expires: datetime | None = None


def _roles(account: Account, tree: OrganisationTree) -> list[HeldRole]:
    return [
        HeldRole(role=each.role, organisation=NamedJson(id=each.organisation_id, name=found.name))
        for each in account.roles
        if (found := tree.find(each.organisation_id)) is not None
    ]


def home_timezone(account: Account, tree: OrganisationTree) -> str:
    """That of the first organisation where the person holds a role."""
    homes = (tree.find(each.organisation_id) for each in account.roles)
    home = next((each for each in homes if each is not None), None)
    return DEFAULT_TIMEZONE if home is None else home.timezone


def account_as_seen(each: Account, tree: OrganisationTree, rights: Rights) -> AccountWithRolesJson:
    """As whoever has these rights may know it: roles elsewhere are not theirs to see."""
    mine = tuple(one for one in each.roles if rights.has(Right.ADMINISTER, one.organisation_id))
    return AccountWithRolesJson(
        id=each.id,
        name=each.name,
        display_name=each.display_name,
        language=each.language,
        roles=_roles(replace(each, roles=mine), tree),
        suspended=each.suspended is not None,
        own_password_needed=each.password_given,
        can=rights.has_person(each),
    )
