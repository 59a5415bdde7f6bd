"""The filters, tests, functions and methods that discovery templates may use, on JSON values only.

Each works in time bounded by the size of its arguments and makes no text over `MAX_TEXT`. Names and defaults follow
Home Assistant ("Templating", numeric functions and filters); all else is refused when a template is compiled.
"""

import json
from collections.abc import Callable
from typing import Final

from devices.dialects.homeassistant.payload import MISSING, Missing, parse_json
from devices.errors import InvalidPayload

MAX_TEXT: Final = 64 * 1024


class NoUpdate(Exception):
    """The template has nothing to say of this payload."""


def limited(length: int) -> None:
    """Raises `NoUpdate` for a text that would be too long; asked before it is made."""
    if length > MAX_TEXT:
        raise NoUpdate


def text_of(value: object) -> str:
    """As Jinja prints it. Raises `NoUpdate` for what is missing, and for a container, which nobody means to print."""
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, bool | int | float):
        return str(value)
    raise NoUpdate


def _text(value: object) -> str:
    text = text_of(value)
    limited(len(text))
    return text


def _number(value: object) -> float:
    if isinstance(value, bool | int | float):
        return value
    if isinstance(value, str) and len(value) <= 64:
        return float(value)
    raise NoUpdate


def _float(value: object, default: object = MISSING) -> object:
    try:
        return float(_number(value))
    except (ValueError, NoUpdate) as error:
        return _or_default(default, error)


def _int(value: object, default: object = MISSING, base: object = 10) -> object:
    try:
        if isinstance(value, str) and base != 10 and isinstance(base, int) and len(value) <= 16:
            return int(value, base)
        return int(_number(value))
    except (ValueError, OverflowError, NoUpdate) as error:
        return _or_default(default, error)


def _or_default(default: object, error: Exception) -> object:
    if default is MISSING:
        raise NoUpdate from error
    return default


def _round(value: object, precision: object = 0, method: object = "common", default: object = MISSING) -> object:
    if method != "common" or not isinstance(precision, int) or not 0 <= precision <= 15:
        raise NoUpdate
    try:
        rounded = round(float(_number(value)), precision)
        return int(rounded) if precision == 0 else rounded
    except (ValueError, OverflowError, NoUpdate) as error:
        return _or_default(default, error)


def _default(value: object, default: object = "", boolean: object = False) -> object:
    return default if value is MISSING or (boolean is True and not value) else value


def _iif(value: object, if_true: object = True, if_false: object = False, if_none: object = MISSING) -> object:
    if value is None and if_none is not MISSING:
        return if_none
    return if_true if value is not MISSING and value else if_false


def _is_defined(value: object) -> object:
    if value is MISSING:
        raise NoUpdate
    return value


def _bool(value: object, default: object = MISSING) -> object:
    if isinstance(value, bool | int | float):
        return bool(value)
    word = text_of(value).strip().lower() if isinstance(value, str) else ""
    if word in ("true", "yes", "on", "enable", "1"):
        return True
    if word in ("false", "no", "off", "disable", "0"):
        return False
    if default is MISSING:
        raise NoUpdate
    return default


def _replace(value: object, old: object, new: object) -> object:
    text, before, after = _text(value), _text(old), _text(new)
    limited(len(text) + (text.count(before) if before else len(text) + 1) * len(after))
    return text.replace(before, after)


def _split(value: object, separator: object = None) -> object:
    if separator is not None and not isinstance(separator, str):
        raise NoUpdate
    return _text(value).split(separator)


def _length(value: object) -> object:
    if not isinstance(value, str | list | dict):
        raise NoUpdate
    return len(value)


def _end(index: int) -> Callable[[object], object]:
    def end(value: object) -> object:
        return value[index] if isinstance(value, str | list) and value else MISSING

    return end


def _from_json(value: object, default: object = MISSING) -> object:
    try:
        return parse_json(_text(value))
    except InvalidPayload as error:
        return _or_default(default, error)


def _to_json(value: object) -> object:
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    limited(len(text))
    return text


def _get(container: object, key: object, default: object = None) -> object:
    if not isinstance(container, dict) or not isinstance(key, str | int | float | bool | None):
        raise NoUpdate
    return container.get(key, default)


def _times(value: object, factor: object) -> object:
    return _number(value) * _number(factor)


def _plus(value: object, amount: object) -> object:
    return _number(value) + _number(amount)


FILTERS: dict[str, Callable[..., object]] = {
    "abs": lambda value: abs(_number(value)),
    "add": _plus,
    "bool": _bool,
    "capitalize": lambda value: _text(value).capitalize(),
    "count": _length,
    "d": _default,
    "default": _default,
    "first": _end(0),
    "float": _float,
    "from_json": _from_json,
    "iif": _iif,
    "int": _int,
    "is_defined": _is_defined,
    "last": _end(-1),
    "length": _length,
    "lower": lambda value: _text(value).lower(),
    "multiply": _times,
    "replace": _replace,
    "round": _round,
    "string": _text,
    "title": lambda value: _text(value).title(),
    "to_json": _to_json,
    "tojson": _to_json,
    "trim": lambda value: _text(value).strip(),
    "upper": lambda value: _text(value).upper(),
}

FUNCTIONS: dict[str, Callable[..., object]] = {
    "bool": _bool,
    "float": _float,
    "iif": _iif,
    "int": _int,
}

METHODS: dict[str, Callable[..., object]] = {
    "endswith": lambda value, end: _text(value).endswith(_text(end)),
    "get": _get,
    "lower": lambda value: _text(value).lower(),
    "replace": _replace,
    "split": _split,
    "startswith": lambda value, start: _text(value).startswith(_text(start)),
    "strip": lambda value: _text(value).strip(),
    "upper": lambda value: _text(value).upper(),
}

TESTS: dict[str, Callable[..., object]] = {
    "boolean": lambda value: isinstance(value, bool),
    "defined": lambda value: value is not MISSING,
    "mapping": lambda value: isinstance(value, dict),
    "none": lambda value: value is None,
    "number": lambda value: isinstance(value, int | float),
    "string": lambda value: isinstance(value, str),
    "undefined": lambda value: isinstance(value, Missing),
}

PASSES_MISSING: Final = frozenset({"d", "default", "iif", "bool", "float", "int", "round"})
"""Filters and functions with an answer of their own for a missing value; all others end in "no update"."""
