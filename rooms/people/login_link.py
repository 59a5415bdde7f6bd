"""Links that let somebody in without a password."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NewType

from rooms.people.account import AccountId

LinkId = NewType("LinkId", str)

SETUP_LIFE = timedelta(hours=24)
RESET_LIFE = timedelta(hours=24)


class LinkKind(StrEnum):
    SETUP = "setup"  # makes the first administrator, while there is none
    RECOVERY = "recovery"  # makes an administrator although there is one; from the shell only
    LOGIN = "login"  # logs one account in


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """Good once, or until it expires where it is `reusable` (the demo's personas)."""

    id: LinkId
    kind: LinkKind
    account_id: AccountId | None  # None: SETUP, RECOVERY
    expires: datetime  # aware, UTC
    reusable: bool = False
    used_at: datetime | None = None

    def usable(self, now: datetime) -> bool:
        return now < self.expires and (self.reusable or self.used_at is None)
