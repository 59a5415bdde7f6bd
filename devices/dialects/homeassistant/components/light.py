"""light, schemas `basic` and `json`: power, level in 0-100 % and colour temperature in K. Colours are left alone."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from devices.device import Capability, Kind, Value
from devices.dialects.homeassistant.commands import Publisher
from devices.dialects.homeassistant.entity import Feature, Label, Parts, Reading, Write, number_in
from devices.dialects.homeassistant.fields import Fields
from devices.dialects.homeassistant.payload import Payload
from devices.errors import InvalidPayload
from devices.message import Publish

KELVIN_STEP = 50.0  # one mired is up to 42 K at 6,500 K: finer than this cannot be set or confirmed


@dataclass(frozen=True, slots=True)
class Scales:
    """How a light counts brightness and colour temperature."""

    brightness: float
    kelvin: bool  # else mired
    coldest: float  # K
    warmest: float  # K

    @classmethod
    def of(cls, fields: Fields) -> "Scales":
        return cls(
            brightness=fields.positive("brightness_scale", 255),
            kelvin=fields.flag("color_temp_kelvin"),
            coldest=fields.positive("max_kelvin", round(1e6 / fields.positive("min_mireds", 153))),
            warmest=fields.positive("min_kelvin", round(1e6 / fields.positive("max_mireds", 500))),
        )

    def percent(self, brightness: float) -> int:
        return max(0, min(100, round(brightness / self.brightness * 100)))

    def device_brightness(self, percent: Value) -> int:
        """At least 1: the lowest level of a light is not off."""
        return max(1, round(float(percent) / 100 * self.brightness))

    def kelvins(self, count: float) -> int | None:
        if self.kelvin:
            return round(count)
        return round(1e6 / count) if count >= 1 else None

    def device_temperature(self, kelvins: Value) -> int:
        return round(float(kelvins)) if self.kelvin else round(1e6 / float(kelvins))

    def level(self, write: Write, *, reported: bool) -> Feature:
        return Feature(
            role="level",
            capability=Capability.LEVEL,
            kind=Kind.NUMBER,
            unit="%",
            minimum=1,
            maximum=100,
            step=max(1.0, 100 / self.brightness),
            write=write,
            reported=reported,
        )

    def temperature(self, write: Write, *, reported: bool) -> Feature:
        if self.warmest >= self.coldest:
            raise InvalidPayload("the lowest colour temperature is not below the highest")
        return Feature(
            role="color_temperature",
            capability=Capability.COLOR_TEMPERATURE,
            kind=Kind.NUMBER,
            unit="K",
            minimum=self.warmest,
            maximum=self.coldest,
            step=KELVIN_STEP,
            write=write,
            reported=reported,
        )


def build(fields: Fields, label: Label) -> Parts:
    match fields.text("schema", "basic"):
        case "basic":
            return _basic(fields)
        case "json":
            return _json(fields)
    raise InvalidPayload(f"schema: {fields.text('schema')[:16]!r} is not known")


def _power(write: Write, *, reported: bool) -> Feature:
    return Feature(
        role="power",
        capability=Capability.POWER,
        kind=Kind.ENUM,
        options=("on", "off"),
        write=write,
        reported=reported,
    )


def _basic(fields: Fields) -> Parts:
    """A topic of its own for each value."""
    power = Publisher.required(fields)
    on, off = fields.text("payload_on", "ON"), fields.text("payload_off", "OFF")
    template = fields.template("state_value_template", "value_template")
    order = fields.text("on_command_type", "last")
    if order not in ("first", "last", "brightness"):
        raise InvalidPayload("on_command_type: is not first, last or brightness")

    def read_power(payload: Payload) -> dict[str, Value]:
        text = template.render(payload)
        return {"power": "on" if text == on else "off"} if text in (on, off) else {}

    def write_power(value: Value) -> tuple[Publish, ...]:
        return (power(on if value == "on" else off),)

    def with_power_on(value: Publish) -> tuple[Publish, ...]:
        """A level goes with the payload that switches on, in the order that the light wants."""
        if order == "brightness":
            return (value,)
        return (power(on), value) if order == "first" else (value, power(on))

    state_topic = fields.topic("state_topic")
    features = [_power(write_power, reported=state_topic is not None)]
    readings = [Reading(state_topic, read_power)] if state_topic else []
    scales = Scales.of(fields)
    brightness = Publisher.of(fields, "brightness_command_topic", "brightness_command_template")
    if brightness is not None:
        brightness_topic = fields.topic("brightness_state_topic")

        def write_level(value: Value) -> tuple[Publish, ...]:
            return with_power_on(brightness(scales.device_brightness(value)))

        features.append(scales.level(write_level, reported=brightness_topic is not None))
        if brightness_topic:
            read = _reader(fields, "brightness_value_template", "level", scales.percent)
            readings.append(Reading(brightness_topic, read))
    temperature = Publisher.of(fields, "color_temp_command_topic", "color_temp_command_template")
    if temperature is not None:
        temperature_topic = fields.topic("color_temp_state_topic")

        def write_temperature(value: Value) -> tuple[Publish, ...]:
            return with_power_on(temperature(scales.device_temperature(value)))

        features.append(scales.temperature(write_temperature, reported=temperature_topic is not None))
        if temperature_topic:
            read = _reader(fields, "color_temp_value_template", "color_temperature", scales.kelvins)
            readings.append(Reading(temperature_topic, read))
    return Parts(tuple(features), tuple(readings))


def _reader(
    fields: Fields, template_key: str, role: str, convert: Callable[[float], int | None]
) -> Callable[[Payload], Mapping[str, Value]]:
    template = fields.template(template_key)

    def read(payload: Payload) -> dict[str, Value]:
        found = number_in(template, payload)
        value = None if found is None else convert(found)
        return {} if value is None else {role: value}

    return read


def _json(fields: Fields) -> Parts:
    """One topic each way, JSON objects on both: `{"state":"ON","brightness":180,"color_temp":250}`."""
    topic, qos = fields.required_topic("command_topic"), fields.qos()
    state_topic = fields.topic("state_topic")
    modes, scales = fields.texts("supported_color_modes"), Scales.of(fields)
    has_temperature = "color_temp" in modes or fields.flag("color_temp")
    has_level = fields.flag("brightness") or any(mode != "onoff" for mode in modes)

    def send(content: dict[str, object]) -> tuple[Publish, ...]:
        return (Publish(topic, json.dumps(content, separators=(",", ":")).encode(), qos),)

    def write_power(value: Value) -> tuple[Publish, ...]:
        return send({"state": "ON" if value == "on" else "OFF"})

    def write_level(value: Value) -> tuple[Publish, ...]:
        return send({"state": "ON", "brightness": scales.device_brightness(value)})

    def write_temperature(value: Value) -> tuple[Publish, ...]:
        return send({"state": "ON", "color_temp": scales.device_temperature(value)})

    def read(payload: Payload) -> dict[str, Value]:
        state = payload.json
        if not isinstance(state, dict):
            return {}
        values: dict[str, Value] = {}
        if state.get("state") in ("ON", "OFF"):
            values["power"] = "on" if state["state"] == "ON" else "off"
        if has_level and (brightness := _plain_number(state.get("brightness"))) is not None:
            values["level"] = scales.percent(brightness)
        if has_temperature and (count := _plain_number(state.get("color_temp"))) is not None:
            kelvins = scales.kelvins(count)
            values |= {} if kelvins is None else {"color_temperature": kelvins}
        return values

    reported = state_topic is not None
    features = [_power(write_power, reported=reported)]
    if has_level:
        features.append(scales.level(write_level, reported=reported))
    if has_temperature:
        features.append(scales.temperature(write_temperature, reported=reported))
    return Parts(tuple(features), (Reading(state_topic, read),) if state_topic else ())


def _plain_number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1e6:
        return None
    return value
