"""Typed reading of one discovery object. Raw dictionaries end here."""

from collections.abc import Iterable, Mapping

from devices.dialects.homeassistant.abbreviations import ABBREVIATIONS, expanded
from devices.dialects.homeassistant.scope import GIVEN, NOT_GIVEN
from devices.dialects.homeassistant.template import PLAIN_VALUE, Template, compile_template
from devices.dialects.homeassistant.topics import TopicRules
from devices.errors import InvalidPayload

MAX_TEXT = 255
MAX_COMMAND = 4096  # characters of a command's payload: an infra-red code has hundreds
MAX_ITEMS = 200  # of a list: identifiers, options, availability topics


OF_VALUES = GIVEN | NOT_GIVEN  # what a template of a state may name; a command's would fail at each press
_FLAGS = {word: True for word in ("true", "yes", "on", "enable", "1")} | {
    word: False for word in ("false", "no", "off", "disable", "0")
}


class Fields:
    """The fields of one discovery object under their full keys. Each reader raises `InvalidPayload`, naming the key."""

    def __init__(self, values: Mapping[str, object], rules: TopicRules, base: str | None = None) -> None:
        self._values = values
        self._rules = rules
        self.base = base  # what `~` stands for

    @classmethod
    def of(
        cls, raw: object, rules: TopicRules, table: Mapping[str, str] = ABBREVIATIONS, base: str | None = None
    ) -> "Fields":
        """From a JSON object as it came: short keys made full, `~` replaced by its own base topic, else by `base`."""
        if not isinstance(raw, dict):
            raise InvalidPayload("is not a JSON object")
        values = expanded(raw, table)
        own = values.pop("~", None)
        base = own if isinstance(own, str) else base
        if base is not None:
            values = {key: _based(key, value, base) for key, value in values.items()}
        return cls(values, rules, base)

    def with_defaults(self, other: "Fields", keys: Iterable[str]) -> "Fields":
        """These fields, and those of `keys` that only `other` has."""
        inherited = {key: other._values[key] for key in keys if key in other._values}
        return Fields({**inherited, **self._values}, self._rules, self.base)

    def __contains__(self, key: str) -> bool:
        return self._values.get(key) is not None

    def null(self, key: str) -> bool:
        """Whether the key is there to say that there is nothing: the device has no such button."""
        return key in self._values and self._values[key] is None

    @property
    def keys(self) -> frozenset[str]:
        """The keys that are there."""
        return frozenset(self._values)

    def inner(self, key: str, table: Mapping[str, str] = ABBREVIATIONS) -> "Fields":
        """The object under `key`; empty where there is none."""
        raw = self._values.get(key)
        try:
            return Fields.of({} if raw is None else raw, self._rules, table)
        except InvalidPayload as error:
            raise InvalidPayload(f"{key}: {error}") from error

    def objects(self, key: str) -> tuple["Fields", ...]:
        """The list of objects under `key`; a single object counts as a list of one."""
        try:
            return tuple(Fields.of(item, self._rules) for item in self._items(key))
        except InvalidPayload as error:
            raise InvalidPayload(f"{key}: {error}") from error

    def members(self, key: str) -> dict[str, object]:
        """The object under `key`, its members still raw, so that each can fail by itself."""
        raw = self._values.get(key)
        if not isinstance(raw, dict):
            raise InvalidPayload(f"{key}: is not a JSON object")
        if len(raw) > MAX_ITEMS:
            raise InvalidPayload(f"{key}: more than {MAX_ITEMS}")
        return raw

    def text(self, key: str, default: str = "") -> str:
        """A text; numbers and booleans as Home Assistant writes them (`True`)."""
        value = self._values.get(key)
        return default if value is None else _text(key, value)

    def command(self, key: str, default: str) -> str:
        """A command's payload, which may be far longer than a name."""
        value = self._values.get(key)
        return default if value is None else _text(key, value, MAX_COMMAND)

    def required(self, key: str) -> str:
        value = self.text(key)
        if not value:
            raise InvalidPayload(f"{key} is missing")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts; a single text counts as a list of one."""
        return tuple(_text(key, item) for item in self._items(key))

    def pairs(self, key: str) -> tuple[tuple[str, str], ...]:
        """A list of pairs of texts."""
        found = []
        for item in self._items(key):
            if not isinstance(item, list) or len(item) != 2:
                raise InvalidPayload(f"{key}: is not a list of pairs")
            found.append((_text(key, item[0]), _text(key, item[1])))
        return tuple(found)

    def number(self, key: str, default: float) -> float:
        """A number, also as a text that names one, as Home Assistant takes it."""
        value = self._values.get(key)
        if value is None:
            return default
        number = number_from(value)
        if number is None:
            raise InvalidPayload(f"{key}: is not a number")
        return number

    def positive(self, key: str, default: float) -> float:
        value = self.number(key, default)
        if value < 1e-6:
            raise InvalidPayload(f"{key}: is not above 0")
        return value

    def flag(self, key: str) -> bool:
        """Whether it is set, also as a word or a number, as Home Assistant takes it; not set where it is not there."""
        value = self._values.get(key)
        if isinstance(value, bool | int | float | None):
            return bool(value)
        word = value.strip().lower() if isinstance(value, str) else ""
        if word not in _FLAGS:
            raise InvalidPayload(f"{key}: is neither true nor false")
        return _FLAGS[word]

    def qos(self) -> int:
        """For commands: as the device asks, at least 1, so that the broker's taking them is known."""
        return max(1, min(2, int(self.number("qos", 1))))

    def topic(self, key: str) -> str | None:
        """A topic that the device may use; None where the key is not there."""
        value = self._values.get(key)
        if value is None:
            return None
        if not isinstance(value, str):
            raise InvalidPayload(f"{key}: is not a topic")
        try:
            return self._rules.checked(value)
        except InvalidPayload as error:
            raise InvalidPayload(f"{key}: {error}") from error

    def required_topic(self, key: str) -> str:
        topic = self.topic(key)
        if topic is None:
            raise InvalidPayload(f"{key} is missing")
        return topic

    def template(self, *keys: str, given: frozenset[str] = OF_VALUES) -> Template:
        """The template under the first of `keys` that is there; else the plain payload. `given`: names it is told."""
        for key in keys:
            if (value := self._values.get(key)) is not None:
                if not isinstance(value, str):
                    raise InvalidPayload(f"{key}: is not a template")
                return _template(key, value, given)
        return PLAIN_VALUE

    def _items(self, key: str) -> list[object]:
        value = self._values.get(key)
        if value is None:
            return []
        items = value if isinstance(value, list) else [value]
        if len(items) > MAX_ITEMS:
            raise InvalidPayload(f"{key}: more than {MAX_ITEMS}")
        return items


def _template(key: str, source: str, given: frozenset[str]) -> Template:
    try:
        template = compile_template(source)
    except InvalidPayload as error:
        raise InvalidPayload(f"{key}: {error}") from error
    if unknown := template.needs - given:
        raise InvalidPayload(f"{key}: template: the name {min(unknown)[:40]!r} is not known here")
    return template


def number_from(value: object) -> float | None:
    """The number that a JSON value is or, as a text, names; whole ones are an int. None for anything else."""
    if isinstance(value, str) and len(value) <= 64:
        try:
            value = float(value)
        except ValueError:
            return None
        value = int(value) if value.is_integer() else value
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e15:
        return None
    return value


def _text(key: str, value: object, limit: int = MAX_TEXT) -> str:
    if not isinstance(value, str | int | float):
        raise InvalidPayload(f"{key}: is not a text")
    text = str(value)
    if len(text) > limit:
        raise InvalidPayload(f"{key}: longer than {limit} characters")
    return text


def _based(key: str, value: object, base: str) -> object:
    """`value` with `~` replaced at its start or end: in topics, and in the topics of the availability list."""
    if isinstance(value, str) and key.endswith("topic"):
        if value.startswith("~"):
            return base + value[1:]
        return value[:-1] + base if value.endswith("~") else value
    if key == "availability":
        if isinstance(value, list):
            return [_based(key, item, base) for item in value]
        if isinstance(value, dict):
            return {name: _based("topic" if name == "t" else name, item, base) for name, item in value.items()}
    return value
