"""What requests about accounts, logins and organisations say."""

from typing import Annotated, Literal

from pydantic import StrictBool, StringConstraints

from controller.schema import Model, OptionalText, Secret, Slug, Text
from controller.web.models.paging import SearchQuery
from rooms.people.account import ACCOUNT_NAME, LONGEST_ACCOUNT_NAME, Language, Role
from rooms.school import OrganisationKind

AccountName = Annotated[str, StringConstraints(pattern=f"^{ACCOUNT_NAME}$", max_length=LONGEST_ACCOUNT_NAME)]


class LoginJson(Model):
    name: Annotated[str, StringConstraints(max_length=200)]
    password: Annotated[str, StringConstraints(max_length=1000)]


class LinkJson(Model):
    token: Secret


class OwnPasswordJson(Model):
    """`current` may be left out where `own_password_needed` is true."""

    current: Annotated[str, StringConstraints(max_length=1000)] | None = None
    password: Secret


class OrganisationsQuery(SearchQuery):
    administered: bool = False
    kind: OrganisationKind | None = None


class FirstOrganisationJson(Model):
    """`id`: of one that is there already; left out, one is made of the name."""

    id: Slug | None = None
    kind: OrganisationKind = OrganisationKind.SCHOOL
    name: Text
    province: OptionalText = ""


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


class OrganisationEditJson(Model):
    """What is left out stays as it is."""

    name: Text | None = None
    province: OptionalText | None = None


class NewAccountJson(Model):
    """`password`: left out, one is made. Whichever it is, the person must choose another at the first login."""

    name: AccountName
    display_name: Text
    password: Secret | None = None
    role: Role
    organisation: Slug
    language: Language = Language.VI


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
