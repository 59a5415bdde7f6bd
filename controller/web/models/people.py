"""JSON of accounts, logins and organisations."""

from typing import Annotated, Literal

from pydantic import StringConstraints

from controller.broker_address import Reach
from controller.people.account import ACCOUNT_NAME, Role
from controller.web.schema import Model, OptionalText, Secret, Slug, Text
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
    account: AccountJson
    roles: list[RoleJson]
    csrf: str | None  # null with an API token, which needs none


class SchoolJson(Model):
    id: str
    name: str
    province: str


class FirstSchoolJson(Model):
    id: Slug
    name: Text
    province: OptionalText = ""


class SetupQuery(Model):
    token: Secret


class SetupValidJson(Model):
    valid: Literal[True] = True


class SetupJson(Model):
    token: Secret
    name: AccountName
    display_name: Text
    password: Secret
    school: FirstSchoolJson


class OrganisationJson(Model):
    id: str
    parent: str | None
    kind: OrganisationKind
    name: str
    province: str


class OrganisationsJson(Model):
    organisations: list[OrganisationJson]


class NewSchoolJson(Model):
    id: Slug
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


class MqttLoginJson(Model):
    username: str
    password: str


class NewAccountJson(Model):
    name: AccountName
    display_name: Text
    password: Secret
    role: Role
    organisation: Slug
    language: Language = "vi"


class AccountWithRolesJson(Model):
    id: str
    name: str
    display_name: str
    language: Language
    roles: list[RoleJson]


class AccountsJson(Model):
    accounts: list[AccountWithRolesJson]
