"""What a template sees while it is rendered, and how much it may still do."""

from dataclasses import dataclass, field
from typing import Final

from devices.dialects.homeassistant.payload import MISSING, Payload
from devices.dialects.homeassistant.values import NoUpdate, limited

MAX_RENDERING: Final = 256 * 1024  # characters that one rendering may touch, all steps together
WORK_OF_ITEM: Final = 8  # a look at an item of a container costs as much as so many characters, and more
GIVEN: Final = frozenset({"value", "value_json"})
NOT_GIVEN: Final = frozenset({"this", "entity_id", "name"})
"""What Home Assistant tells a template of the entity it would make; we make none, so there is no answer."""


@dataclass(slots=True)
class Scope:
    """The payload, the names that are given or were set, the text written so far, and the work left."""

    payload: Payload | None
    names: dict[str, object] = field(default_factory=dict)
    work: int = MAX_RENDERING
    written: list[str] = field(default_factory=list)
    length: int = 0  # of what was written

    def find(self, name: str) -> object:
        """`MISSING` for a name that was not set. Raises `NoUpdate` for the JSON of a payload that is none."""
        found = self.asked(name)
        if found is MISSING and (name in GIVEN or name in NOT_GIVEN):
            if self.payload is not None and name == "value_json":
                self.payload.needs_json()
            raise NoUpdate
        return found

    def asked(self, name: str) -> object:
        """The same for a template that asks whether it is there."""
        if name in self.names:
            return self.names[name]
        if self.payload is not None and name == "value":
            return self.payload.text
        if self.payload is not None and name == "value_json":
            return self.payload.json
        return MISSING

    def write(self, text: str) -> None:
        """Raises `NoUpdate` once too much was written."""
        self.length += len(text)
        limited(self.length)
        self.written.append(text)

    def spend(self, value: object) -> None:
        """Account for looking at all of `value`. Raises `NoUpdate` once too much was done."""
        waiting = [] if value is None or isinstance(value, float) else [value]
        while waiting:
            each = waiting.pop()
            if isinstance(each, str):
                self.work -= len(each)
            elif isinstance(each, list | dict):
                self.work -= len(each) * WORK_OF_ITEM
            elif isinstance(each, int):
                self.work -= each.bit_length() // 8  # one of a payload may have thousands of digits
            if self.work < 0:
                raise NoUpdate
            if isinstance(each, list | dict):
                waiting.extend(each)  # of a dict: its keys
            if isinstance(each, dict):
                waiting.extend(each.values())

    def spent_on(self, value: object) -> object:
        """`value`, once it was accounted for."""
        self.spend(value)
        return value
