"""The filters, tests, functions and methods that discovery templates may use, on JSON values only.

Each works in time bounded by the size of its arguments and makes no text much longer than `MAX_TEXT`. Names, arguments
and defaults follow Home Assistant ("Templating") and Jinja; all else is refused when a template is compiled.
"""

import json
import re
from collections.abc import Callable
from typing import Final

from jinja2 import nodes

from devices.dialects.homeassistant import comparisons, numbers
from devices.dialects.homeassistant.payload import MISSING, Missing, parse_json
from devices.dialects.homeassistant.values import NoUpdate, limited, number_in, text_in, text_of
from devices.errors import InvalidPayload

Check = Callable[[dict[str, nodes.Expr | tuple[nodes.Expr, ...]]], None]
"""Looks at a call's arguments by name. Raises `InvalidPayload` where they are not followed."""

_PLACEHOLDER = re.compile(r"%(?:%|[-+ 0#]{0,5}\d{0,2}(?:\.\d{1,2})?[sdifeEgGxXo])")


def _default(value: object, default_value: object = "", boolean: object = False) -> object:
    return default_value if value is MISSING or (boolean is True and not value) else value


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


def _replace(s: object, old: object, new: object) -> object:
    text, before, after = text_in(s), text_in(old), text_in(new)
    limited(len(text) + (text.count(before) if before else len(text) + 1) * len(after))
    return text.replace(before, after)


def _split(value: object, separator: object = None) -> object:
    if separator is not None and not isinstance(separator, str):
        raise NoUpdate
    return text_in(value).split(separator)


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
        return parse_json(text_in(value))
    except InvalidPayload as error:
        return numbers.or_default(default, error)


def _to_json(value: object) -> object:
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    limited(len(text))
    return text


def _get(container: object, key: object, default: object = None) -> object:
    if not isinstance(container, dict) or not isinstance(key, str | int | float | bool | None):
        raise NoUpdate
    return container.get(key, default)


def _keys(container: object) -> object:
    if not isinstance(container, dict):
        raise NoUpdate
    return list(container)


def _join(value: object, d: object = "") -> object:
    if not isinstance(value, list):
        raise NoUpdate
    texts, between = [text_of(each) for each in value], text_in(d)
    limited(sum(map(len, texts)) + len(between) * len(texts))
    return between.join(texts)


def _truncate(
    s: object, length: object = 255, killwords: object = False, end: object = "...", leeway: object = 5
) -> object:
    """A text of at most `length` characters, `end` included; one that is only `leeway` longer stays as it is."""
    text, last = text_in(s), text_in(end)
    if not isinstance(length, int) or not isinstance(leeway, int) or length < len(last):
        raise NoUpdate
    if len(text) <= length + leeway:
        return text
    kept = text[: length - len(last)]
    return (kept if killwords else kept.rsplit(" ", 1)[0]) + last


def _format(value: object, *args: object) -> object:
    """`"%.1f" | format(x)`; `check_format` holds what a placeholder may be."""
    text, values = text_in(value), tuple(each if isinstance(each, int | float) else text_of(each) for each in args)
    return text % values


def check_format(arguments: dict[str, nodes.Expr | tuple[nodes.Expr, ...]]) -> None:
    """Raises `InvalidPayload` for a text that is not written out, and for placeholders that are not followed."""
    text, args = arguments["value"], arguments.get("args", ())
    if not isinstance(text, nodes.Const) or not isinstance(text.value, str):
        raise InvalidPayload("template: format: is not followed for a text that is not written out")
    found = [each for each in _PLACEHOLDER.findall(text.value) if each != "%%"]
    if "%" in _PLACEHOLDER.sub("", text.value) or len(found) != (len(args) if isinstance(args, tuple) else 1):
        raise InvalidPayload("template: format: its placeholders are not followed, or do not fit its values")


FILTERS: dict[str, Callable[..., object]] = {
    "abs": lambda value: abs(number_in(value)),
    "add": numbers.add,
    "bool": _bool,
    "capitalize": lambda value: text_in(value).capitalize(),
    "count": _length,
    "d": _default,
    "default": _default,
    "first": _end(0),
    "float": numbers.to_float,
    "format": _format,
    "from_json": _from_json,
    "iif": _iif,
    "int": numbers.to_int,
    "is_defined": _is_defined,
    "is_number": numbers.is_number,
    "join": _join,
    "last": _end(-1),
    "length": _length,
    "lower": lambda value: text_in(value).lower(),
    "max": numbers.greatest,
    "min": numbers.least,
    "multiply": numbers.multiply,
    "replace": _replace,
    "round": numbers.rounded,
    "string": text_in,
    "title": lambda value: text_in(value).title(),
    "to_json": _to_json,
    "tojson": _to_json,
    "trim": lambda value: text_in(value).strip(),
    "truncate": _truncate,
    "upper": lambda value: text_in(value).upper(),
}

FUNCTIONS: dict[str, Callable[..., object]] = {
    "bool": _bool,
    "float": numbers.to_float,
    "iif": _iif,
    "int": numbers.to_int,
    "is_number": numbers.is_number,
    "max": numbers.greatest,
    "min": numbers.least,
}

METHODS: dict[str, Callable[..., object]] = {
    "endswith": lambda value, end: text_in(value).endswith(text_in(end)),
    "get": _get,
    "keys": _keys,
    "lower": lambda value: text_in(value).lower(),
    "replace": _replace,
    "split": _split,
    "startswith": lambda value, start: text_in(value).startswith(text_in(start)),
    "strip": lambda value: text_in(value).strip(),
    "upper": lambda value: text_in(value).upper(),
}

TESTS: dict[str, Callable[..., object]] = {
    **comparisons.TESTS,
    "boolean": lambda value: isinstance(value, bool),
    "defined": lambda value: value is not MISSING,
    "is_number": numbers.is_number,
    "mapping": lambda value: isinstance(value, dict),
    "none": lambda value: value is None,
    "number": lambda value: isinstance(value, int | float),
    "string": lambda value: isinstance(value, str),
    "undefined": lambda value: isinstance(value, Missing),
}

CHECKS: Final[dict[Callable[..., object], Check]] = {numbers.rounded: numbers.check_rounding, _format: check_format}
"""What is looked at when a template is compiled, of functions that follow only some of their possible arguments."""

ASKS: Final = frozenset({_default, TESTS["defined"], TESTS["undefined"]})
"""What a template asks with whether something is there; the payload's JSON may be absent here and nowhere else."""

PASSES_MISSING: Final = frozenset({*ASKS, _bool, _iif})
"""What has an answer of its own for a missing value, as in Home Assistant; all else ends in "no update"."""
