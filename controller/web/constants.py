"""What pages must know beside what they read: limits, and which roles give what. In the document as `x-constants`.

Each is the value that the server itself goes by, so that no page has a second one.
"""

from controller.displays.states import MOST_PICTURES
from controller.quality.verdict import WEAK_LOSS, WEAK_ROUND_TRIP_MS
from rooms.floor import LONGEST_FLOOR
from rooms.lesson import REMIND_PAUSE
from rooms.people.account import ACCOUNT_NAME, LONGEST_ACCOUNT_NAME, LONGEST_DISPLAY_NAME, Role
from rooms.people.password_rules import MAXIMUM_LENGTH, MINIMUM_LENGTH
from rooms.people.rights import ROLES, Right
from rooms.school import DEFAULT_TIMEZONE, LONGEST_NAME, LONGEST_PROVINCE
from rooms.suggestion import PRESENTERS

Constant = float | str | list[str] | dict[str, list[str]]


def _scope(right: Right) -> dict[str, list[str]]:
    """The roles that give a right where they are held, and those that give it below a department."""
    given = ROLES[right]
    return {"at": _names(given.at), "below": _names(given.below)}


def _names(roles: frozenset[Role]) -> list[str]:
    return [each.value for each in Role if each in roles]


CONSTANTS: dict[str, Constant] = {
    "ROLES": [each.value for each in Role],
    "EQUIP_ROLES": _scope(Right.EQUIP),
    "ADMINISTER_ROLES": _scope(Right.ADMINISTER),
    "ACCOUNT_NAME_PATTERN": f"^{ACCOUNT_NAME}$",
    "LONGEST_ACCOUNT_NAME": LONGEST_ACCOUNT_NAME,
    "LONGEST_DISPLAY_NAME": LONGEST_DISPLAY_NAME,
    "SHORTEST_PASSWORD": MINIMUM_LENGTH,
    "LONGEST_PASSWORD": MAXIMUM_LENGTH,
    "LONGEST_ORGANISATION_NAME": LONGEST_NAME,
    "LONGEST_PROVINCE": LONGEST_PROVINCE,
    "LONGEST_FLOOR_S": int(LONGEST_FLOOR.total_seconds()),
    "REMIND_PAUSE_S": int(REMIND_PAUSE.total_seconds()),
    "MOST_THUMBNAILS": MOST_PICTURES - 1,  # beside the stage
    "WEAK_LOSS": WEAK_LOSS,
    "WEAK_ROUND_TRIP_MS": WEAK_ROUND_TRIP_MS,
    "DEFAULT_TIMEZONE": DEFAULT_TIMEZONE,  # before anybody is logged in
    "PRESENTERS": list(PRESENTERS),  # types of devices that show a picture
}
