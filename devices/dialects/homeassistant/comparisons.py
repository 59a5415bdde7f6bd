"""Comparisons in discovery templates, as operators (`==`, `in`) and as tests (`is equalto`)."""

import operator
from collections.abc import Callable
from typing import Final

from devices.dialects.homeassistant.values import NoUpdate

Comparison = Callable[[object, object], bool]


def _ordered(compare: Callable[[float, float], bool], texts: Callable[[str, str], bool]) -> Comparison:
    def ordered(a: object, b: object) -> bool:
        if isinstance(a, int | float) and isinstance(b, int | float):
            return compare(a, b)
        if isinstance(a, str) and isinstance(b, str):
            return texts(a, b)
        raise NoUpdate

    return ordered


def _equal(a: object, b: object) -> bool:
    return a == b


def _unequal(a: object, b: object) -> bool:
    return a != b


def _within(value: object, container: object) -> bool:
    if isinstance(container, str):
        return isinstance(value, str) and value in container
    if isinstance(container, list | dict) and isinstance(value, str | int | float | bool | None):
        return value in container
    raise NoUpdate


_LESS = _ordered(operator.lt, operator.lt)
_AT_MOST = _ordered(operator.le, operator.le)
_MORE = _ordered(operator.gt, operator.gt)
_AT_LEAST = _ordered(operator.ge, operator.ge)

OPERATORS: Final[dict[str, Comparison]] = {
    "eq": _equal,
    "ne": _unequal,
    "lt": _LESS,
    "lteq": _AT_MOST,
    "gt": _MORE,
    "gteq": _AT_LEAST,
    "in": _within,
    "notin": lambda a, b: not _within(a, b),
}
"""By the names that Jinja's parser gives them."""

TESTS: Final[dict[str, Comparison]] = {
    "eq": _equal,
    "equalto": _equal,
    "==": _equal,
    "ne": _unequal,
    "!=": _unequal,
    "lt": _LESS,
    "lessthan": _LESS,
    "<": _LESS,
    "le": _AT_MOST,
    "<=": _AT_MOST,
    "gt": _MORE,
    "greaterthan": _MORE,
    ">": _MORE,
    "ge": _AT_LEAST,
    ">=": _AT_LEAST,
    "in": _within,
}
