"""cover: a blind or a motor screen. `cover` is open, closed or stopped; `cover.position` 0-100 %, 100 = open (up).

**Where it stands.** Many covers say no more than that they have stopped, or where. So what they said before counts: a
movement that has stopped has reached its end, unless a position says that it has not; a closed cover that says once
more that it has stopped is still closed. Few come to rest at exactly 0 or 100: within `ENDS_WITHIN` is the end.
"""

import math
from collections.abc import Mapping
from typing import Final

from devices.device import Capability, Kind, Value
from devices.dialects.homeassistant.commands import Publisher
from devices.dialects.homeassistant.entity import UNKNOWN_STATES, Feature, Label, Parts, Reading, parsed_number
from devices.dialects.homeassistant.fields import Fields, number_from
from devices.dialects.homeassistant.payload import Payload, parse_json
from devices.dialects.homeassistant.template import Template
from devices.errors import InvalidPayload
from devices.mqtt.message import Publish
from devices.scale import Scale

ENDS_WITHIN: Final = 5.0  # % of the way
STATES: Final = ("open", "opening", "closed", "closing", "stopped")
GIVEN: Final = frozenset({"position", "position_open", "position_closed", "tilt_min", "tilt_max"})
"""What Home Assistant gives the template of a position beside `value`."""


def build(fields: Fields, label: Label) -> Parts:
    position_topic, state_topic = fields.topic("position_topic"), fields.topic("state_topic")
    stand = _Stand()
    features, readings = [], []
    move = Publisher.of(fields, "command_topic")
    payloads = _payloads(fields) if move is not None else {}
    if payloads or state_topic is not None:
        features.append(_movement(move, payloads, reported=state_topic is not None or position_topic is not None))
    if state_topic is not None:
        readings.append(Reading(state_topic, _ReadState(fields, stand)))
    set_position = Publisher.of(fields, "set_position_topic", "set_position_template", given=GIVEN)
    if set_position is not None or position_topic is not None:
        travel = _Travel(fields)
        features.append(_position(travel, set_position, reported=position_topic is not None))
        if position_topic is not None:
            template = fields.template("position_template", "value_template")
            readings.append(Reading(position_topic, _ReadPosition(travel, template, stand, state_topic is not None)))
    if not features:
        raise InvalidPayload("has neither command_topic nor set_position_topic")
    return Parts(tuple(features), tuple(readings))


def _payloads(fields: Fields) -> dict[str, str]:
    """What moves it. A payload that is null is a button that it does not have."""
    keys = {"open": ("payload_open", "OPEN"), "closed": ("payload_close", "CLOSE"), "stopped": ("payload_stop", "STOP")}
    return {value: fields.command(key, word) for value, (key, word) in keys.items() if not fields.null(key)}


def _movement(move: Publisher | None, payloads: Mapping[str, str], *, reported: bool) -> Feature:
    def write(value: Value) -> tuple[Publish, ...]:
        assert move is not None
        return (move(payloads[str(value)]),)

    return Feature(
        role="cover",
        capability=Capability.COVER,
        kind=Kind.ENUM,
        options=tuple(payloads),
        write=write if payloads else None,
        reported=reported,
    )


class _Stand:
    """What the cover said of itself last, for what it says next."""

    def __init__(self) -> None:
        self._towards: str | None = None  # the end that it is at, or was moving to
        self._position: int | float | None = None  # %; None: none was said since it began to move
        self._stopped = True  # so it says, or it has no words for it

    def said(self, word: str) -> str:
        """What a word of the cover's means."""
        if word in ("opening", "closing"):
            self._position = None
        if word != "stopped":
            self._towards = {"opening": "open", "closing": "closed"}.get(word, word)
        self._stopped = word == "stopped"
        return self._where() if self._stopped else word

    def at(self, position: int | float) -> str | None:
        """Where it stands by its position; None while its own words are better."""
        self._position = position
        return self._where() if self._stopped else None

    def _where(self) -> str:
        if self._position is None:
            return self._towards or "stopped"
        if self._position <= ENDS_WITHIN:
            return "closed"
        return "open" if self._position >= 100 - ENDS_WITHIN else "stopped"


class _ReadState:
    """The words that a cover says of itself."""

    def __init__(self, fields: Fields, stand: _Stand) -> None:
        self._template = fields.template("value_template")
        self._words = {fields.text(f"state_{word}", word): word for word in STATES}
        self._stand = stand

    def __call__(self, payload: Payload) -> dict[str, Value | None]:
        text = self._template.render(payload) or ""
        if text in self._words:
            return {"cover": self._stand.said(self._words[text])}
        return {"cover": None} if text in UNKNOWN_STATES else {}


class _Travel:
    """The device's own counting of its way from closed to open."""

    def __init__(self, fields: Fields) -> None:
        self.closed = fields.number("position_closed", 0)
        self.open = fields.number("position_open", 100)
        if abs(self.open - self.closed) < 1e-6:
            raise InvalidPayload("position_open and position_closed are the same")
        self.scale = Scale(zero=self.closed, per_unit=(self.open - self.closed) / 100)
        self._tilt = fields.number("tilt_min", 0), fields.number("tilt_max", 100)

    def percent(self, position: float) -> int | float:
        return max(0, min(100, self.scale.value(position)))

    def names(self, position: float) -> dict[str, Value]:
        """What the template of a position is told (`GIVEN`)."""
        ends = {"position_open": self.open, "position_closed": self.closed}
        return {"position": position, **ends, "tilt_min": self._tilt[0], "tilt_max": self._tilt[1]}


class _ReadPosition:
    """A position, and what follows from it: where the cover stands."""

    def __init__(self, travel: _Travel, template: Template, stand: _Stand, has_words: bool) -> None:
        self._travel = travel
        self._template = template
        self._stand = stand
        self._has_words = has_words

    def __call__(self, payload: Payload) -> dict[str, Value | None]:
        text = self._template.render(payload) or ""
        position = parsed_number(text)
        if position is None:
            position = _position_in(text)
        if position is None or math.isnan(position):
            return self._unknown() if position is not None or text in UNKNOWN_STATES else {}
        percent = self._travel.percent(position)
        where = self._stand.at(percent)
        return {"cover.position": percent} | ({"cover": where} if where is not None else {})

    def _unknown(self) -> dict[str, Value | None]:
        return {"cover.position": None} if self._has_words else {"cover.position": None, "cover": None}


def _position_in(text: str) -> float | None:
    """`{"position": 40}`, which Home Assistant takes as well."""
    try:
        rendered = parse_json(text)
    except InvalidPayload:
        return None
    return number_from(rendered.get("position")) if isinstance(rendered, dict) else None


def _position(travel: _Travel, publish: Publisher | None, *, reported: bool) -> Feature:
    def write(value: Value) -> tuple[Publish, ...]:
        assert publish is not None
        position = travel.scale.count(float(value))
        return (publish(position, **travel.names(position)),)

    return Feature(
        role="cover.position",
        capability=Capability.COVER,
        kind=Kind.NUMBER,
        unit="%",
        minimum=0,
        maximum=100,
        step=max(1.0, 100 / abs(travel.open - travel.closed)),
        scale=travel.scale,
        tolerance=ENDS_WITHIN,
        write=write if publish is not None else None,
        reported=reported,
    )
