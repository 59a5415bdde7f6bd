"""The templates of an announcement, compiled one at a time: Jinja takes some 2 ms for each 1,000 characters."""

from collections.abc import Iterator
from contextlib import suppress

from devices.dialects.homeassistant.payload import Payload, parse_json
from devices.dialects.homeassistant.template import compile_template
from devices.errors import InvalidPayload

MAX_TEMPLATES = 1_000
MAX_CHARACTERS = 64 * 1024
"""Of all templates of one announcement, each counted once however often it is used."""
AT_ONCE = 2_000  # characters that are compiled in one step


def templates_in(parsed: object) -> tuple[str, ...]:
    """The texts in an announcement that look like templates. Raises `InvalidPayload` where they are too many."""
    found: dict[str, None] = {}
    left = [parsed]
    while left:
        value = left.pop()
        if isinstance(value, dict):
            left.extend(value.values())
        elif isinstance(value, list):
            left.extend(value)
        elif isinstance(value, str) and ("{{" in value or "{%" in value):
            found[value] = None
    characters = sum(map(len, found))
    if len(found) > MAX_TEMPLATES or characters > MAX_CHARACTERS:
        raise InvalidPayload(
            f"{len(found)} templates of {characters} characters in all; at most {MAX_TEMPLATES} of {MAX_CHARACTERS}"
        )
    return tuple(found)


def compiled_one_by_one(raw: bytes) -> Iterator[None]:
    """Compile what is in an announcement; what is wrong with it is for whoever reads it."""
    if len(raw) <= AT_ONCE:
        return
    try:
        sources = templates_in(parse_json(Payload(raw).text))
    except InvalidPayload:
        return
    characters = 0
    for source in sources:
        with suppress(InvalidPayload):
            compile_template(source)
        characters += len(source)
        if characters >= AT_ONCE:
            characters = 0
            yield
