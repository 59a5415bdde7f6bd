"""Which passwords are refused: short ones, and those that are tried first by whoever guesses (NIST SP 800-63B 5.1.1.2).

What is known of a password (a common word, a keyboard row, a year, the account's own name) counts as one character,
however long it is; what repeats counts once. What is left must have some. There are no rules on kinds of characters.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from enum import StrEnum
from functools import cache
from pathlib import Path

MINIMUM_LENGTH = 12
MAXIMUM_LENGTH = 200  # a longer one only costs us time
LEAST_LEFT = 6

_LIST = Path(__file__).with_name("common_passwords.txt")
_ROWS = (
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "1q2w3e4r5t6y7u8i9o0p",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
    "qazwsxedcrfvtgbyhnujmikolp",
    "!@#$%^&*()_+",
)
_RUNS = _ROWS + tuple(row[::-1] for row in _ROWS)
_LEAST_RUN = 3
_YEAR = re.compile(r"(?:19|20)\d\d")
_SEPARATORS = re.compile(r"[\s._-]+")
_WRITTEN_OTHERWISE = str.maketrans("@4310$57!", "aaeiosstl")


class Weakness(StrEnum):
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    LIKE_NAME = "like_name"
    EASY = "easy"


def normalized(password: str) -> str:
    """The same text whichever keyboard wrote it: a Vietnamese vowel has several forms in Unicode, which look alike."""
    return unicodedata.normalize("NFKC", password)


def weakness(password: str, names: Iterable[str] = ()) -> Weakness | None:
    """Why this password (normalized) is refused for somebody of these names; None: it is not."""
    if len(password) < MINIMUM_LENGTH:
        return Weakness.TOO_SHORT
    if len(password) > MAXIMUM_LENGTH:
        return Weakness.TOO_LONG
    text = _once(_SEPARATORS.sub("", _folded(password)))
    own = tuple(sorted({part for name in names for part in _parts(name)}, key=len, reverse=True))
    if _left(text, _common()) < LEAST_LEFT:
        return Weakness.EASY
    return Weakness.LIKE_NAME if own and _left(text, own + _common()) < LEAST_LEFT else None


def _folded(text: str) -> str:
    """Without case and accents, one character for each: `Mật` is `mat`."""
    decomposed = unicodedata.normalize("NFKD", text.casefold().replace("đ", "d"))
    return "".join(each for each in decomposed if not unicodedata.combining(each))


def _parts(name: str) -> Iterator[str]:
    """A name's words, and all of them together."""
    words = [word for word in re.split(r"[\W_]+", _folded(name)) if word]
    yield from (word for word in (*words, "".join(words)) if len(word) >= _LEAST_RUN)


def _once(text: str) -> str:
    """What `text` repeats: `abab` is `ab`."""
    for length in range(1, len(text) // 2 + 1):
        if text == (text[:length] * (len(text) // length + 1))[: len(text)]:
            return text[:length]
    return text


def _left(text: str, known: tuple[str, ...]) -> int:
    """How many characters it has, each known piece counted as one. `known`: the longest first."""
    otherwise = text.translate(_WRITTEN_OTHERWISE)
    at = count = 0
    while at < len(text):
        at += max(_known(text, at, known), _known(otherwise, at, known), _run(text, at), 1)
        count += 1
    return count


def _known(text: str, at: int, known: tuple[str, ...]) -> int:
    return next((len(word) for word in known if text.startswith(word, at)), 0)


def _run(text: str, at: int) -> int:
    """The length of a year, of one character again and again, or of a part of a row, that begin there."""
    if _YEAR.match(text, at):
        return 4
    same = len(text) - at - len(text[at:].lstrip(text[at]))
    length = _LEAST_RUN
    while at + length <= len(text) and any(text[at : at + length] in row for row in _RUNS):
        length += 1
    return max(same, length - 1 if length > _LEAST_RUN else 0)


@cache
def _common() -> tuple[str, ...]:
    lines = (line.strip() for line in _LIST.read_text(encoding="utf-8").splitlines())
    words = (word for line in lines if not line.startswith("#") for word in line.split())
    return tuple(sorted(set(words), key=len, reverse=True))
