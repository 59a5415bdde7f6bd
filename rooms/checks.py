"""Checks that every noun makes of its own fields. Each returns what it was given, or raises `InvalidValue`."""

import re
import unicodedata
from datetime import datetime, timedelta

from rooms.errors import InvalidValue

_SLUG = re.compile(r"[a-z0-9-]{2,40}")
_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_UNWRITABLE = ("Cc", "Cs")  # control characters and halves of surrogate pairs: no database takes all of them


def slug(value: str, what: str) -> str:
    """An id that also names a corner of the broker: `[a-z0-9-]{2,40}`."""
    if not _SLUG.fullmatch(value):
        raise InvalidValue(f"{what}: 2 to 40 of a-z, 0-9 and -, not {value!r}")
    return value


def key(value: str, what: str) -> str:
    """An id that may stand in a path: a letter or digit, then up to 63 of letters, digits, `_`, `.` and `-`."""
    if not _KEY.fullmatch(value):
        raise InvalidValue(f"{what}: 1 to 64 letters, digits, _ . and -, the first a letter or digit, not {value!r}")
    return value


def text(value: str, what: str, *, at_most: int, empty: bool = False) -> str:
    """One line that people read. `at_most` counts code points."""
    if not empty and not value.strip():
        raise InvalidValue(f"{what} is empty")
    if len(value) > at_most:
        raise InvalidValue(f"{what} has {len(value)} characters; at most {at_most}")
    if any(unicodedata.category(each) in _UNWRITABLE for each in value):
        raise InvalidValue(f"{what} has characters that are not text")
    return value


def utc(value: datetime, what: str) -> datetime:
    """A moment: aware, UTC."""
    if value.utcoffset() != timedelta(0):
        raise InvalidValue(f"{what} is not an aware time in UTC")
    return value
