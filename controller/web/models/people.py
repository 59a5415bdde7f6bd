"""JSON of accounts, logins and organisations."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import StrictBool, StringConstraints

from controller.broker.address import Reach
from rooms.people.account import ACCOUNT_NAME, Role
from controller.web.models.paging import PageJson, SearchQuery
from controller.schema import Model, OptionalText, Secret, Slug, Text
from rooms.school import OrganisationKind

AccountName = Annotated[str, StringConstraints(pattern=f"^{ACCOUNT_NAME}$", max_length=40)]
Language = Literal["vi", "en"]


class LoginJson(Model):
    name: Annotated[str, StringConstraints(max_length=200)]
    password: Annotated[str, StringConstraints(max_length=1000)]


class LinkJson(Model):
    token: Secret


class AccountJson(Model):
    id: str
    name: str
    display_name: str
    language: Language


class NamedJson(Model):
    id: str
    name: str


class RoleJson(Model):
    role: Role
    organisation: NamedJson


class MeJson(Model):
    """`own_password_needed`: until then nothing else is answered. `administers`: accounts of some organisation."""

    account: AccountJson
    roles: list[RoleJson]
    operator: bool
    administers: bool
    own_password_needed: bool
    csrf: str | None  # null with an API token, which needs none


class OwnPasswordJson(Model):
    """`current` may be left out where `own_password_needed` is true."""

    current: Annotated[str, StringConstraints(max_length=1000)] | None = None
    password: Secret


class LoginViewJson(Model):
    """`network`: the address it was made from, or its /64; "": not known. `mine`: this is the login that asks."""

    id: str
    begun: datetime
    expires: datetime
    network: str
    mine: bool


class LoginsJson(Model):
    logins: list[LoginViewJson]


class TokenViewJson(Model):
    id: str
    name: str
    created: datetime
    expires: datetime | None


class TokensJson(Model):
    tokens: list[TokenViewJson]


class SchoolJson(Model):
    id: str
    name: str
    province: str


class OrganisationJson(Model):
    id: str
    parent: str | None
    kind: OrganisationKind
    name: str
    province: str


class OrganisationsQuery(SearchQuery):
    administered: bool = False
    kind: OrganisationKind | None = None


class OrganisationsJson(PageJson):
    organisations: list[OrganisationJson]


class FirstOrganisationJson(Model):
    """`id`: of one that is there already; left out, one is made of the name."""

    id: Slug | None = None
    kind: OrganisationKind = OrganisationKind.SCHOOL
    name: Text
    province: OptionalText = ""


class SetupValidJson(Model):
    """`organisations`: those at the top that are there already; most often none."""

    valid: Literal[True] = True
    organisations: list[OrganisationJson]


class SetupJson(Model):
    token: Secret
    name: AccountName
    display_name: Text
    password: Secret
    organisation: FirstOrganisationJson


class NewOrganisationJson(Model):
    """`id`: left out, one is made of the name. `parent`: a department; null: at the top."""

    id: Slug | None = None
    kind: OrganisationKind = OrganisationKind.SCHOOL
    name: Text
    province: OptionalText = ""
    parent: Slug | None = None


class MqttCornerJson(Model):
    """Where a school's devices connect. `host` "": this machine's address in their network, which is not configured."""

    host: str
    port: int
    tls: bool
    reach: Reach
    username: str
    discovery_prefix: str
    own_prefix: str
    ours: bool  # its passwords are issued here
    issued: bool  # there is one


class OrganisationEditJson(Model):
    """What is left out stays as it is."""

    name: Text | None = None
    province: OptionalText | None = None


class MqttLoginJson(Model):
    username: str
    password: str


class NewAccountJson(Model):
    """`password`: left out, one is made. Whichever it is, the person must choose another at the first login."""

    name: AccountName
    display_name: Text
    password: Secret | None = None
    role: Role
    organisation: Slug
    language: Language = "vi"


class AccountWithRolesJson(Model):
    """`can`: whether password, logins, tokens and suspension are in my hands; else only the roles shown are."""

    id: str
    name: str
    display_name: str
    language: Language
    roles: list[RoleJson]
    suspended: bool
    own_password_needed: bool
    can: bool


class AccountsJson(PageJson):
    accounts: list[AccountWithRolesJson]


class AccountEditJson(Model):
    """What is left out stays as it is."""

    display_name: Text | None = None
    language: Language | None = None


class NewRoleJson(Model):
    role: Role
    organisation: Slug


class SuspensionJson(Model):
    suspended: StrictBool


class ResetJson(Model):
    """`by`: a password that was made for the person, or a link that lets them in once."""

    by: Literal["password", "link"] = "password"


class GivenJson(Model):
    """Shown this once. One of them: `password`, or `link`, a path on this address that is good until `expires`."""

    password: str | None = None
    link: str | None = None
    expires: datetime | None = None


class AddedAccountJson(Model):
    """`password`: the one that was made, shown this once; null where one was typed."""

    account: AccountWithRolesJson
    password: str | None
