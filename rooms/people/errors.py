"""What goes wrong with people.

PeopleError                                   (RoomsError)
├── NotLoggedIn           (PermissionError)   no login, or it ended: 401
├── LoginFailed           (PermissionError)   name or password is wrong; never says which: 401
├── Forbidden             (PermissionError)   may see the thing, but not do this to it
├── HiddenObject          (LookupError)       may not even know that the thing exists; reads like "not found"
├── AccountNotFound       (LookupError)
├── LinkNotFound          (LookupError)       no such link, or it was used or has expired
├── OwnPasswordNeeded     (PermissionError)   the password is one that was given: choose one of your own first
├── WrongPassword         (PermissionError)   the password until now is not the one that was typed
├── LoginNotFound         (LookupError)
├── TokenNotFound         (LookupError)
├── AccountExists         (RuntimeError)      the name is taken
├── LastAdministrator     (RuntimeError)      nobody would administer an organisation any more
├── OnlyRole              (RuntimeError)      it is the account's only role: to be suspended instead
├── SetupDone             (RuntimeError)      there is an administrator already
├── InvalidAccount        (ValueError)
│   └── WeakPassword                          carries `reason`
├── LoginsBusy            (ConnectionError)   too many log in now; carries `retry_after`: 503
└── TooManyAttempts       (RuntimeError)      carries `retry_after`: 429
"""

from datetime import timedelta

from rooms.errors import RoomsError
from rooms.people.password_rules import MAXIMUM_LENGTH, MINIMUM_LENGTH, Weakness

WEAK = {
    Weakness.TOO_SHORT: f"a password has {MINIMUM_LENGTH} characters at least",
    Weakness.TOO_LONG: f"a password has {MAXIMUM_LENGTH} characters at most",
    Weakness.LIKE_NAME: "this password is made of the account's own name",
    Weakness.EASY: "this password is one of the first that others would try",
}


class PeopleError(RoomsError):
    """Base of all errors about people."""


class NotLoggedIn(PeopleError, PermissionError):
    pass


class LoginFailed(PeopleError, PermissionError):
    """For the record: `name`, what was given as the account's; `widely`, whether many networks guess at it."""

    def __init__(self, message: str, name: str = "", *, widely: bool = False) -> None:
        self.name = name
        self.widely = widely
        super().__init__(message)


class Forbidden(PeopleError, PermissionError):
    pass


class HiddenObject(PeopleError, LookupError):
    """`kind` is the noun: "room", "device", "lesson", "display", "organisation"."""

    def __init__(self, kind: str, id: str) -> None:
        self.kind = kind
        super().__init__(f"{kind} {id} not found")


class AccountNotFound(PeopleError, LookupError):
    pass


class LinkNotFound(PeopleError, LookupError):
    pass


class OwnPasswordNeeded(PeopleError, PermissionError):
    pass


class WrongPassword(PeopleError, PermissionError):
    pass


class LoginNotFound(PeopleError, LookupError):
    pass


class TokenNotFound(PeopleError, LookupError):
    pass


class LastAdministrator(PeopleError, RuntimeError):
    pass


class OnlyRole(PeopleError, RuntimeError):
    pass


class AccountExists(PeopleError, RuntimeError):
    pass


class SetupDone(PeopleError, RuntimeError):
    pass


class InvalidAccount(PeopleError, ValueError):
    pass


class WeakPassword(InvalidAccount):
    def __init__(self, reason: Weakness) -> None:
        self.reason = reason
        super().__init__(WEAK[reason])


class LoginsBusy(PeopleError, ConnectionError):
    def __init__(self, retry_after: timedelta) -> None:
        self.retry_after = retry_after
        super().__init__("too many people log in at this moment, try again in some seconds")


class TooManyAttempts(PeopleError, RuntimeError):
    """`name`: of the account that was tried, for the record."""

    def __init__(self, retry_after: timedelta, name: str = "") -> None:
        self.retry_after = retry_after
        self.name = name
        super().__init__(f"too many attempts, try again in {retry_after.total_seconds():.0f} s")
