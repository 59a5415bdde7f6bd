"""sensor: a value that is only read. Its class and unit say what it is; units become ours."""

from collections.abc import Callable
from dataclasses import dataclass

from devices.device import Capability, Kind, Value
from devices.dialects.homeassistant.entity import (
    UNKNOWN_STATE,
    Feature,
    Label,
    Parts,
    Reading,
    expiry,
    number_in,
    tidy,
)
from devices.dialects.homeassistant.fields import Fields
from devices.dialects.homeassistant.payload import Payload
from devices.dialects.homeassistant.power import power_word, tells_power
from devices.errors import InvalidPayload


@dataclass(frozen=True, slots=True)
class Quantity:
    """A device class: the property it becomes, our unit, and the factors of other units into ours."""

    role: str
    capability: Capability
    unit: str
    factors: dict[str, float]


QUANTITIES = {
    "carbon_dioxide": Quantity("co2", Capability.CO2, "ppm", {"ppm": 1}),
    "temperature": Quantity("temperature", Capability.TEMPERATURE, "degC", {"°C": 1}),
    "humidity": Quantity("humidity", Capability.HUMIDITY, "%", {"%": 1}),
    "pm25": Quantity("pm25", Capability.PM25, "ug/m3", {"µg/m³": 1, "μg/m³": 1, "ug/m3": 1}),
    "illuminance": Quantity("illuminance", Capability.ILLUMINANCE, "lx", {"lx": 1}),
    "power": Quantity("meter.power", Capability.METER, "W", {"W": 1, "kW": 1000, "mW": 0.001}),
    "energy": Quantity("meter.energy", Capability.METER, "kWh", {"kWh": 1, "Wh": 0.001, "MWh": 1000, "MJ": 1 / 3.6}),
    "voltage": Quantity("meter.voltage", Capability.METER, "V", {"V": 1, "mV": 0.001}),
    "current": Quantity("meter.current", Capability.METER, "A", {"A": 1, "mA": 0.001}),
    "battery": Quantity("health.battery", Capability.HEALTH, "%", {"%": 1}),
    "signal_strength": Quantity("health.signal_strength", Capability.HEALTH, "dBm", {"dBm": 1, "dB": 1}),
}
HOURS = {"h": 1.0, "min": 1 / 60, "s": 1 / 3600, "d": 24.0}


def build(fields: Fields, label: Label) -> Parts:
    topic, template = fields.required_topic("state_topic"), fields.template("value_template")
    unit, options = fields.text("unit_of_measurement"), fields.texts("options")
    if tells_power(label.slug, label.device_class, options):
        return _power(topic, fields, options)
    feature, convert = _number(label, unit) if unit or label.device_class in QUANTITIES else (None, None)
    if feature is None or convert is None:
        numeric = "state_class" in fields
        kind = Kind.NUMBER if numeric else Kind.ENUM if options else Kind.TEXT
        feature = Feature(role=f"other.{label.slug}", capability=Capability.OTHER, kind=kind, options=options)
        convert = float
    role, number = feature.role, feature.kind is Kind.NUMBER

    def read(payload: Payload) -> dict[str, Value]:
        if number:
            found = number_in(template, payload)
            return {} if found is None else {role: tidy(convert(found))}
        text = template.render(payload)
        return {} if not text or text == UNKNOWN_STATE else {role: text[:255]}

    return Parts((feature,), (Reading(topic, read),), expires_after=expiry(fields))


def _number(label: Label, unit: str) -> tuple[Feature, Callable[[float], float]]:
    """The feature and the conversion into its unit. Raises `InvalidPayload` for a unit its class cannot have."""
    if label.device_class == "duration" and label.words & {"lamp", "filter"} and unit in HOURS:
        role = "consumable.lamp_hours" if "lamp" in label.words else "consumable.filter_hours"
        hours = HOURS[unit]
        feature = Feature(role=role, capability=Capability.CONSUMABLE, kind=Kind.NUMBER, unit="h")
        return feature, lambda value: value * hours
    quantity = QUANTITIES.get(label.device_class)
    if quantity is None:
        role = f"other.{label.slug}"
        return Feature(role=role, capability=Capability.OTHER, kind=Kind.NUMBER, unit=unit[:16]), float
    feature = Feature(role=quantity.role, capability=quantity.capability, kind=Kind.NUMBER, unit=quantity.unit)
    if label.device_class == "temperature" and unit in ("°F", "K"):
        return feature, celsius_from(unit)
    factor = quantity.factors.get(unit) if unit else 1.0
    if factor is None:
        raise InvalidPayload(f"unit_of_measurement: {unit[:16]!r} is no unit of {label.device_class}")
    return feature, lambda value: value * factor


def celsius_from(unit: str) -> Callable[[float], float]:
    """From °F or K."""
    return (lambda value: (value - 32) / 1.8) if unit == "°F" else (lambda value: value - 273.15)


def _power(topic: str, fields: Fields, options: tuple[str, ...]) -> Parts:
    """How far the device is switched on; beside a switch this becomes the switch's reported side (`composition.py`)."""
    template = fields.template("value_template")
    words = {power_word(option) for option in options}
    standby_is_off = "standby" in words and "off" not in words

    def read(payload: Payload) -> dict[str, Value]:
        word = power_word(template.render(payload) or "")
        if word == "standby" and standby_is_off:
            word = "off"
        return {} if word is None else {"power": word}

    feature = Feature(role="power", capability=Capability.POWER, kind=Kind.ENUM, options=("on", "off"))
    return Parts((feature,), (Reading(topic, read),), expires_after=expiry(fields))
