"""A message's payload as text and, where it is JSON, as JSON; read once however many templates look at it."""

import json
from typing import Final

from devices.errors import InvalidPayload
from devices.mqtt.message import Message

MAX_PAYLOAD_BYTES: Final = 256 * 1024
MAX_WORK: Final = 512 * 1024
"""Characters that the templates of one device may touch on one message, all steps together."""


class Missing:
    """What a template finds where there is nothing: a key that is not there, a payload that is not JSON."""

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = Missing()


def parse_json(text: str) -> object:
    """The JSON value of `text`. Raises `InvalidPayload`.

    Stricter than `json.loads`: no NaN or Infinity, and no text that cannot be stored or sent on (lone surrogates, NUL).
    """
    try:
        parsed: object = json.loads(text, parse_constant=_refuse_constant)
        if "\\u" in text:
            json.dumps(parsed, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:  # JSONDecodeError and UnicodeEncodeError are ValueErrors
        raise InvalidPayload(f"not JSON: {error}") from error
    if "\\u0000" in text:
        raise InvalidPayload("not JSON that we take: it contains NUL")
    return parsed


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")


class Payload:
    """One received payload. Raises `InvalidPayload` where it is too large or not UTF-8 text.

    `work` is what the templates of the device that reads it may still do, `unreadable` why it is not the JSON that one
    of them has needed, `overworked` whether one of them had more to do than it may.
    """

    __slots__ = ("_json", "_why", "overworked", "text", "unreadable", "work")

    def __init__(self, raw: bytes) -> None:
        if len(raw) > MAX_PAYLOAD_BYTES:
            raise InvalidPayload(f"{len(raw)} bytes; at most {MAX_PAYLOAD_BYTES} are read")
        try:
            self.text = raw.decode()
        except UnicodeDecodeError as error:
            raise InvalidPayload(f"not UTF-8: {error}") from error
        if "\x00" in self.text:
            raise InvalidPayload("contains NUL")
        self._json: object = _UNREAD
        self._why = ""
        self._starts_anew()

    @classmethod
    def of(cls, message: Message) -> "Payload":
        """The message's payload, decoded and parsed once for all its readers. Raises `InvalidPayload`."""
        known = message.parsed
        if not isinstance(known, cls):
            message.parsed = known = cls(message.payload)
        known._starts_anew()
        return known

    def _starts_anew(self) -> None:
        """Nothing of what the device before has done or met is the next one's."""
        self.work = MAX_WORK
        self.unreadable = ""
        self.overworked = False

    @property
    def json(self) -> object:
        """The parsed payload; `MISSING` where it is not JSON."""
        if self._json is _UNREAD:
            try:
                self._json = parse_json(self.text)
            except InvalidPayload as error:
                self._json, self._why = MISSING, str(error)
        return self._json

    def needs_json(self) -> object:
        """The parsed payload, for whoever can do nothing without it; where it is not JSON, that is noted."""
        found = self.json
        if found is MISSING and self.text.strip():  # an empty one says nothing: it clears what was retained
            self.unreadable = self._why
        return found


_UNREAD: Final = Missing()
