"""JSON from people we do not know: bounded, and every way of being wrong is one error."""

import json
import sys

from devices.errors import InvalidPayload

_LARGEST = sys.float_info.max


def loads_object(payload: bytes, *, limit_bytes: int) -> dict[str, object]:
    """The JSON object in `payload` (UTF-8). Raises `InvalidPayload`."""
    if len(payload) > limit_bytes:
        raise InvalidPayload(f"{len(payload)} bytes, at most {limit_bytes} are read")
    try:
        value: object = json.loads(payload)
    except (ValueError, RecursionError) as error:  # UnicodeDecodeError is a ValueError; deep nesting recurses
        raise InvalidPayload(f"no JSON: {type(error).__name__}") from error
    if not isinstance(value, dict):
        raise InvalidPayload("must be a JSON object")
    return value


def finite(value: object) -> int | float | None:
    """`value` if it is a number that arithmetic can be done with (no bool, NaN, infinity, 400 digits)."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if -_LARGEST <= value <= _LARGEST else None


def text(value: object, *, limit: int) -> str | None:
    """`value` if it is a text of at most `limit` characters that can be stored: no NUL, no half of a surrogate pair."""
    if not isinstance(value, str) or len(value) > limit or "\0" in value:
        return None
    try:
        value.encode()
    except UnicodeEncodeError:
        return None
    return value


def number(source: dict[str, object], key: str) -> float | None:
    """The number under `key`; None where there is none, or something else."""
    value = finite(source.get(key))
    return float(value) if value is not None else None


def integer(source: dict[str, object], key: str) -> int | None:
    """The whole number under `key`; None where there is none, or something else."""
    value = source.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) else None
