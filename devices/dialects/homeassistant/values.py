"""What templates compute with: JSON values, their numbers within 64 bits and their texts within `MAX_TEXT`.

Whatever a name, a look-up, an operator, a filter, a test or a function gives goes through `bounded`, so that no step of
a template has more to do than the one before it.
"""

from typing import Final

MAX_TEXT: Final = 64 * 1024  # characters
LARGEST: Final = 2**63  # of a number, and not reached by it


class NoUpdate(Exception):
    """The template has nothing to say of this payload."""


def limited(length: int) -> None:
    """Raises `NoUpdate` for a text that would be too long; asked before it is made."""
    if length > MAX_TEXT:
        raise NoUpdate


def bounded(value: object) -> object:
    """`value`, if it may go on. Raises `NoUpdate` for a number out of range, NaN, and a text that is too long."""
    if isinstance(value, str):
        limited(len(value))
    elif isinstance(value, int | float) and not -LARGEST < value < LARGEST:  # NaN is not between them either
        raise NoUpdate
    return value


def text_of(value: object) -> str:
    """As Jinja prints it. Raises `NoUpdate` for what is missing, and for a container, which nobody means to print."""
    if isinstance(value, str):
        return value
    if value is None or (isinstance(value, int | float) and -LARGEST < value < LARGEST):
        return str(value)
    raise NoUpdate


def text_in(value: object) -> str:
    """`text_of` a value that a filter works on. Raises `NoUpdate`."""
    text = text_of(value)
    limited(len(text))
    return text


def number_in(value: object) -> float:
    """The number that `value` is or, as a text, names. Raises `NoUpdate`, `ValueError`."""
    if isinstance(value, str) and len(value) <= 64:
        value = float(value)
    if not isinstance(value, int | float) or not -LARGEST < value < LARGEST:
        raise NoUpdate
    return value
