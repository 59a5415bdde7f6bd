"""light, schemas `basic` and `json`: power, level in 0-100 % and colour temperature in K. Colours are left alone."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from devices.device import Capability, Kind, Value
from devices.dialects.homeassistant.commands import Publisher
from devices.dialects.homeassistant.entity import Feature, Label, Parts, Reading, Write, number_reader, word_reader
from devices.dialects.homeassistant.fields import Fields, number_from
from devices.dialects.homeassistant.payload import Payload
from devices.errors import InvalidPayload
from devices.mqtt.message import Publish
from devices.scale import Scale

KELVIN_STEP = 50.0  # one mired is up to 42 K at 6,500 K: finer than this cannot be set or confirmed
MIRED = Scale(mired=True)  # a lamp that is told kelvins counts mired inside


@dataclass(frozen=True, slots=True)
class Scales:
    """How a light counts brightness and colour temperature."""

    brightness: Scale  # at least 1: the lowest level of a light is not off
    brightest: float
    kelvin: bool  # else mired
    coldest: float  # K
    warmest: float  # K

    @classmethod
    def of(cls, fields: Fields) -> "Scales":
        brightest = fields.positive("brightness_scale", 255)
        return cls(
            brightness=Scale(per_unit=brightest / 100, least=1),
            brightest=brightest,
            kelvin=fields.flag("color_temp_kelvin"),
            coldest=fields.positive("max_kelvin", round(1e6 / fields.positive("min_mireds", 153))),
            warmest=fields.positive("min_kelvin", round(1e6 / fields.positive("max_mireds", 500))),
        )

    def percent(self, brightness: float) -> int | float | None:
        """None for 0, which some lights say of themselves while they are on."""
        return max(1, min(100, self.brightness.value(brightness))) if brightness > 0 else None

    def device_brightness(self, percent: Value) -> int:
        return self.brightness.count(float(percent))

    def kelvins(self, count: float) -> int | float | None:
        if self.kelvin:
            return round(count)
        return MIRED.value(count) if count >= 1 else None

    def device_temperature(self, kelvins: Value) -> int:
        return round(float(kelvins)) if self.kelvin else MIRED.count(float(kelvins))

    def level(self, write: Write, *, reported: bool) -> Feature:
        return Feature(
            role="level",
            capability=Capability.LEVEL,
            kind=Kind.NUMBER,
            unit="%",
            minimum=1,
            maximum=100,
            step=max(1.0, 100 / self.brightest),
            scale=self.brightness,
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
            scale=MIRED,
            write=write,
            reported=reported,
        )


def build(fields: Fields, label: Label) -> Parts:
    match fields.text("schema", "basic"):
        case "basic":
            return _Basic(fields).parts(fields)
        case "json":
            return _Json(fields).parts(fields)
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


class _Basic:
    """Schema `basic`: a topic of its own for each value. Remembers the last level, where that is what switches on."""

    def __init__(self, fields: Fields) -> None:
        self.scales = Scales.of(fields)
        self._power = Publisher.required(fields)
        self._on, self._off = fields.command("payload_on", "ON"), fields.command("payload_off", "OFF")
        self._brightness = Publisher.of(fields, "brightness_command_topic", "brightness_command_template")
        self._temperature = Publisher.of(fields, "color_temp_command_topic", "color_temp_command_template")
        self._last_level: Value = 100
        self._order = fields.text("on_command_type", "last")
        if self._order not in ("first", "last", "brightness"):
            raise InvalidPayload("on_command_type: is not first, last or brightness")

    def parts(self, fields: Fields) -> Parts:
        state_topic = fields.topic("state_topic")
        features = [_power(self._write_power, reported=state_topic is not None)]
        readings = []
        if state_topic is not None:
            template = fields.template("state_value_template", "value_template")
            readings.append(Reading(state_topic, word_reader(template, "power", {self._off: "off", self._on: "on"})))
        if self._brightness is not None:
            topic = fields.topic("brightness_state_topic")
            features.append(self.scales.level(self._write_level, reported=topic is not None))
            if topic is not None:
                template = fields.template("brightness_value_template")
                readings.append(Reading(topic, number_reader(template, "level", self._level)))
        if self._temperature is not None:
            topic = fields.topic("color_temp_state_topic")
            features.append(self.scales.temperature(self._write_temperature, reported=topic is not None))
            if topic is not None:
                template = fields.template("color_temp_value_template")
                readings.append(Reading(topic, number_reader(template, "color_temperature", self.scales.kelvins)))
        return Parts(tuple(features), tuple(readings))

    def _level(self, brightness: float) -> Value | None:
        level = self.scales.percent(brightness)
        if level is not None:
            self._last_level = level
        return level

    def _write_power(self, value: Value) -> tuple[Publish, ...]:
        return (self._power(self._off),) if value == "off" else (self._switch_on(),)

    def _switch_on(self) -> Publish:
        if self._order == "brightness" and self._brightness is not None:
            return self._brightness(self.scales.device_brightness(self._last_level))
        return self._power(self._on)

    def _write_level(self, value: Value) -> tuple[Publish, ...]:
        assert self._brightness is not None
        level = self._brightness(self.scales.device_brightness(value))
        return (level,) if self._order == "brightness" else self._ordered(level)

    def _write_temperature(self, value: Value) -> tuple[Publish, ...]:
        assert self._temperature is not None
        return self._ordered(self._temperature(self.scales.device_temperature(value)))

    def _ordered(self, value: Publish) -> tuple[Publish, ...]:
        """A value goes with what switches on, in the order that the light wants."""
        return (self._switch_on(), value) if self._order == "first" else (value, self._switch_on())


class _Json:
    """Schema `json`: one topic each way, objects on both: `{"state":"ON","brightness":180,"color_temp":250}`."""

    def __init__(self, fields: Fields) -> None:
        self._topic, self._qos = fields.required_topic("command_topic"), fields.qos()
        self._scales = Scales.of(fields)
        modes = fields.texts("supported_color_modes")
        self._has_temperature = "color_temp" in modes or fields.flag("color_temp")
        self._has_level = fields.flag("brightness") or any(mode != "onoff" for mode in modes)

    def parts(self, fields: Fields) -> Parts:
        state_topic = fields.topic("state_topic")
        reported = state_topic is not None
        features = [_power(self._write_power, reported=reported)]
        if self._has_level:
            features.append(self._scales.level(self._write_level, reported=reported))
        if self._has_temperature:
            features.append(self._scales.temperature(self._write_temperature, reported=reported))
        return Parts(tuple(features), (Reading(state_topic, self._read),) if state_topic else ())

    def _send(self, content: dict[str, object]) -> tuple[Publish, ...]:
        return (Publish(self._topic, json.dumps(content, separators=(",", ":")).encode(), self._qos),)

    def _write_power(self, value: Value) -> tuple[Publish, ...]:
        return self._send({"state": "ON" if value == "on" else "OFF"})

    def _write_level(self, value: Value) -> tuple[Publish, ...]:
        return self._send({"state": "ON", "brightness": self._scales.device_brightness(value)})

    def _write_temperature(self, value: Value) -> tuple[Publish, ...]:
        return self._send({"state": "ON", "color_temp": self._scales.device_temperature(value)})

    def _read(self, payload: Payload) -> Mapping[str, Value | None]:
        """What a key says; a null under it: the light does not know."""
        state = payload.needs_json()
        if not isinstance(state, dict):
            return {}
        values: dict[str, Value | None] = {}
        if "state" in state and state["state"] in ("ON", "OFF", None):
            values["power"] = {"ON": "on", "OFF": "off", None: None}[state["state"]]
        if self._has_level and "brightness" in state:
            values |= self._number("level", state["brightness"])
        if self._has_temperature and "color_temp" in state:
            values |= self._number("color_temperature", state["color_temp"])
        return values

    def _number(self, role: str, raw: object) -> dict[str, Value | None]:
        count = number_from(raw)
        if count is None or not 0 <= count <= 1e6:
            return {role: None} if raw is None else {}
        value = self._scales.percent(count) if role == "level" else self._scales.kelvins(count)
        return {} if value is None else {role: value}
