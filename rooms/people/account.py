"""Who uses Nhịp Cầu, and which roles they hold where."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType

from rooms.people.errors import InvalidAccount
from rooms.school import OrganisationId

AccountId = NewType("AccountId", str)
LoginId = NewType("LoginId", str)
TokenId = NewType("TokenId", str)

LONGEST_ACCOUNT_NAME = 40
LONGEST_DISPLAY_NAME = 80
ACCOUNT_NAME = r"[a-z0-9](?:[a-z0-9._-]{0,38}[a-z0-9])?"


class Language(StrEnum):
    """Of the pages that somebody is shown."""

    VI = "vi"
    EN = "en"


class Role(StrEnum):
    """What somebody is at one organisation. `rooms/people/rights.py` says what it counts for, and how far."""

    TEACHER = "teacher"
    TECHNICIAN = "technician"
    ADMINISTRATOR = "administrator"


@dataclass(frozen=True, slots=True)
class RoleAt:
    """A role and where it is held."""

    role: Role
    organisation_id: OrganisationId


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A person. Raises `InvalidAccount` where the name or a text cannot be."""

    id: AccountId
    name: str  # what is typed at login: lower case, no spaces
    display_name: str
    language: Language = Language.VI
    roles: tuple[RoleAt, ...] = ()
    created: datetime  # aware, UTC
    operator: bool = False  # may operate what all share; given and taken at the shell only
    password_given: bool = False  # by an administrator: at the next login the person must choose another
    suspended: datetime | None = None  # aware, UTC; since then nobody is let in by it
    generation: int = 0  # counts when its logins were ended: none is begun by what was true in an earlier one

    @property
    def organisations(self) -> frozenset[OrganisationId]:
        """Where it holds a role: whose administrators may read what the record says of it."""
        return frozenset(each.organisation_id for each in self.roles)

    def __post_init__(self) -> None:
        if not re.fullmatch(ACCOUNT_NAME, self.name):
            raise InvalidAccount(
                "a name has 1 to 40 of a-z, 0-9, dot, dash, underscore, and starts and ends with a letter or digit"
            )
        if not 1 <= len(self.display_name.strip()) <= LONGEST_DISPLAY_NAME:
            raise InvalidAccount(f"a displayed name has 1 to {LONGEST_DISPLAY_NAME} characters")


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who makes a request, and by what: a login (`csrf` is set) or an API token."""

    account: Account
    login_id: LoginId | None = None
    token_id: TokenId | None = None
    csrf: str | None = None
    expires: datetime | None = None  # aware, UTC; None: does not

    @property
    def unsettled(self) -> bool:
        """Whether this login may do nothing but choose a password of the person's own."""
        return self.login_id is not None and self.account.password_given

    @property
    def client(self) -> str:
        """What tells this login or token from the account's others, without being a secret."""
        return self.login_id or self.token_id or ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginView:
    """One login of a person, as it is listed. `network`: where it was made, as the throttle knows it; "": not known."""

    id: LoginId
    begun: datetime  # aware, UTC
    expires: datetime  # aware, UTC
    network: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenView:
    """One API token of a person, as it is listed."""

    id: TokenId
    name: str  # what it is for
    created: datetime  # aware, UTC
    expires: datetime | None  # aware, UTC; None: one of older days, which does not
