"""Numbers in discovery templates: Home Assistant's functions and filters for them, and Jinja's operators.

Each takes numbers within 64 bits and its caller bounds the result (`values.bounded`), so each takes constant time.
"""

import math
import operator
from collections.abc import Callable
from typing import Final

from jinja2 import nodes

from devices.dialects.homeassistant.payload import MISSING
from devices.dialects.homeassistant.values import LARGEST, NoUpdate, number_in
from devices.errors import InvalidPayload

MAX_PRECISION: Final = 15  # decimal places
ROUNDINGS: Final = ("common", "ceil", "floor", "half")
_NO_NUMBER = (ArithmeticError, NoUpdate, TypeError, ValueError)


def or_default(default: object, error: Exception) -> object:
    if default is MISSING:
        raise NoUpdate from error
    return default


def power(base: float, exponent: float) -> float:
    """`base ** exponent` of the field's kind: whole for whole numbers. Raises `NoUpdate` where it is out of range."""
    if not abs(math.pow(base, exponent)) < LARGEST:  # before it is made; it also has no complex roots
        raise NoUpdate
    result: float = base**exponent
    return result


OPERATORS: Final[dict[type[nodes.Node], Callable[[float, float], float]]] = {
    nodes.Add: operator.add,
    nodes.Sub: operator.sub,
    nodes.Mul: operator.mul,
    nodes.Div: operator.truediv,
    nodes.FloorDiv: operator.floordiv,
    nodes.Mod: operator.mod,
    nodes.Pow: power,
}


def to_float(value: object, default: object = MISSING) -> object:
    try:
        return float(number_in(value))
    except _NO_NUMBER as error:
        return or_default(default, error)


def to_int(value: object, default: object = MISSING, base: object = 10) -> object:
    try:
        if isinstance(value, str) and base != 10 and isinstance(base, int) and len(value) <= 16:
            return int(value, base)
        return int(number_in(value))
    except _NO_NUMBER as error:
        return or_default(default, error)


def multiply(value: object, amount: object, default: object = MISSING) -> object:
    """A float, as Home Assistant has it."""
    try:
        return float(number_in(value)) * _factor(amount)
    except _NO_NUMBER as error:
        return or_default(default, error)


def add(value: object, amount: object, default: object = MISSING) -> object:
    """A float, as Home Assistant has it."""
    try:
        return float(number_in(value)) + _factor(amount)
    except _NO_NUMBER as error:
        return or_default(default, error)


def _factor(amount: object) -> float:
    if isinstance(amount, str):
        raise NoUpdate
    return number_in(amount)


def rounded(value: object, precision: object = 0, method: object = "common", default: object = MISSING) -> object:
    """To `precision` decimal places; a whole number for none. `half`: to halves, whatever the precision."""
    if not isinstance(precision, int) or abs(precision) > MAX_PRECISION:
        raise NoUpdate
    try:
        number = _round(float(number_in(value)), precision, method)
        return int(number) if precision == 0 else number
    except _NO_NUMBER as error:
        return or_default(default, error)


def _round(number: float, precision: int, method: object) -> float:
    scale = float(10**precision)
    match method:
        case "ceil":
            return math.ceil(number * scale) / scale
        case "floor":
            return math.floor(number * scale) / scale
        case "half":
            return round(number * 2) / 2
    return round(number, precision)


def check_rounding(arguments: dict[str, nodes.Expr | tuple[nodes.Expr, ...]]) -> None:
    """Raises `InvalidPayload` for a method or a precision of `round` that there is not."""
    method, precision = arguments.get("method"), arguments.get("precision")
    if method is not None and not (isinstance(method, nodes.Const) and method.value in ROUNDINGS):
        raise InvalidPayload(f"template: round: its method is not one of {', '.join(ROUNDINGS)}")
    if isinstance(precision, nodes.Const) and precision.value not in range(MAX_PRECISION + 1):
        raise InvalidPayload(f"template: round: its precision is not 0 to {MAX_PRECISION}")


def is_number(value: object) -> bool:
    """Whether it is one, or a text that names one; NaN and infinity are none."""
    try:
        number_in(value)
    except _NO_NUMBER:
        return False
    return True


def least(*values: object) -> object:
    return min(_alike(values))  # type: ignore[type-var]  # of one kind, which `_alike` holds


def greatest(*values: object) -> object:
    return max(_alike(values))  # type: ignore[type-var]  # of one kind, which `_alike` holds


def _alike(values: tuple[object, ...]) -> list[object]:
    """The values, or those of the one list: all numbers or all texts. Raises `NoUpdate`."""
    compared = values[0] if len(values) == 1 and isinstance(values[0], list) else list(values)
    kinds = {str if isinstance(each, str) else float if isinstance(each, int | float) else None for each in compared}
    if kinds not in ({str}, {float}):
        raise NoUpdate
    return compared
