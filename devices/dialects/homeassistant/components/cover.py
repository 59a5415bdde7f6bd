"""cover: a blind or a motor screen. `cover` is open, closed or stopped; `cover.position` 0-100 %, 100 = open (up)."""

from devices.device import Capability, Kind, Value
from devices.dialects.homeassistant.commands import Publisher
from devices.dialects.homeassistant.entity import Feature, Label, Parts, Reading, number_in
from devices.dialects.homeassistant.fields import Fields
from devices.dialects.homeassistant.payload import MISSING, Payload, parse_json
from devices.dialects.homeassistant.template import Template
from devices.errors import InvalidPayload
from devices.message import Publish


def build(fields: Fields, label: Label) -> Parts:
    position_topic = fields.topic("position_topic")
    state_topic = fields.topic("state_topic")
    features, readings = [], []
    move = Publisher.of(fields, "command_topic")
    if move is not None:
        features.append(_movement(fields, move, reported=state_topic is not None or position_topic is not None))
    if state_topic is not None:
        readings.append(Reading(state_topic, _State(fields).read))
    set_position = Publisher.of(fields, "set_position_topic", "set_position_template")
    if set_position is not None or position_topic is not None:
        travel = _Travel(fields)
        features.append(_position(travel, set_position, reported=position_topic is not None))
        if position_topic is not None:
            template = fields.template("position_template", "value_template")
            read_ends = move is not None and state_topic is None
            readings.append(Reading(position_topic, travel.reader(template, tells_ends=read_ends)))
    if not features:
        raise InvalidPayload("has neither command_topic nor set_position_topic")
    return Parts(tuple(features), tuple(readings))


def _movement(fields: Fields, move: Publisher, *, reported: bool) -> Feature:
    payloads = {
        "open": fields.text("payload_open", "OPEN"),
        "closed": fields.text("payload_close", "CLOSE"),
        "stopped": fields.text("payload_stop", "STOP"),
    }

    def write(value: Value) -> tuple[Publish, ...]:
        return (move(payloads[str(value)]),)

    return Feature(
        role="cover",
        capability=Capability.COVER,
        kind=Kind.ENUM,
        options=tuple(payloads),
        write=write,
        reported=reported,
    )


class _State:
    """The words that a cover says of itself."""

    def __init__(self, fields: Fields) -> None:
        self._template = fields.template("value_template")
        self._words = {
            fields.text(f"state_{word}", word): word for word in ("open", "opening", "closed", "closing", "stopped")
        }

    def read(self, payload: Payload) -> dict[str, Value]:
        word = self._words.get(self._template.render(payload) or "")
        return {} if word is None else {"cover": word}


class _Travel:
    """The device's own counting of its way from closed to open."""

    def __init__(self, fields: Fields) -> None:
        self.closed = fields.number("position_closed", 0)
        self.open = fields.number("position_open", 100)
        if abs(self.open - self.closed) < 1e-6:
            raise InvalidPayload("position_open and position_closed are the same")

    def reader(self, template: Template, *, tells_ends: bool) -> "_ReadPosition":
        return _ReadPosition(self, template, tells_ends)

    def percent(self, position: float) -> int:
        return max(0, min(100, round((position - self.closed) / (self.open - self.closed) * 100)))

    def position(self, percent: Value) -> int:
        return round(self.closed + float(percent) / 100 * (self.open - self.closed))


class _ReadPosition:
    """A position; where the cover has no state topic, also whether it is at an end (`stopped`: it is at neither)."""

    def __init__(self, travel: _Travel, template: Template, tells_ends: bool) -> None:
        self._travel = travel
        self._template = template
        self._tells_ends = tells_ends

    def __call__(self, payload: Payload) -> dict[str, Value]:
        found = number_in(self._template, payload)
        if found is None:
            found = self._from_object(payload)
        if found is None:
            return {}
        percent = self._travel.percent(found)
        if not self._tells_ends:
            return {"cover.position": percent}
        return {"cover.position": percent, "cover": {0: "closed", 100: "open"}.get(percent, "stopped")}

    def _from_object(self, payload: Payload) -> float | None:
        """`{"position": 40}`, which Home Assistant takes as well."""
        try:
            rendered = parse_json(self._template.render(payload) or "")
        except InvalidPayload:
            return None
        position = rendered.get("position", MISSING) if isinstance(rendered, dict) else MISSING
        return None if isinstance(position, bool) or not isinstance(position, int | float) else position


def _position(travel: _Travel, publish: Publisher | None, *, reported: bool) -> Feature:
    def write(value: Value) -> tuple[Publish, ...]:
        assert publish is not None
        return (publish(travel.position(value), position=travel.position(value)),)

    return Feature(
        role="cover.position",
        capability=Capability.COVER,
        kind=Kind.NUMBER,
        unit="%",
        minimum=0,
        maximum=100,
        step=max(1.0, 100 / abs(travel.open - travel.closed)),
        write=write if publish is not None else None,
        reported=reported,
    )
