"""sensor: a value that is only read. Its class and unit say what it is; units become ours."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from devices.device import Capability, Kind, Value
from devices.dialects.homeassistant.entity import (
    UNKNOWN_STATES,
    Feature,
    Label,
    Parts,
    Read,
    Reading,
    expiry,
    number_reader,
    tidy,
)
from devices.dialects.homeassistant.fields import Fields
from devices.dialects.homeassistant.payload import Payload
from devices.dialects.homeassistant.power import named_for_power, power_word, tells_power
from devices.dialects.homeassistant.template import Template
from devices.errors import InvalidPayload


@dataclass(frozen=True, slots=True)
class Quantity:
    """A device class: the property it becomes, our unit, and the factors of other units into ours."""

    role: str
    capability: Capability
    unit: str
    factors: dict[str, float]


POWERS = {"mW": 0.001, "W": 1, "kW": 1e3, "MW": 1e6, "GW": 1e9, "TW": 1e12}
CALORIE = 4.184 / 3.6e6  # kWh
ENERGIES = {"mWh": 1e-6, "Wh": 1e-3, "kWh": 1, "MWh": 1e3, "GWh": 1e6, "TWh": 1e9}
ENERGIES |= {"J": 1 / 3.6e6, "kJ": 1 / 3.6e3, "MJ": 1 / 3.6, "GJ": 1e3 / 3.6}
ENERGIES |= {"cal": CALORIE, "kcal": CALORIE * 1e3, "Mcal": CALORIE * 1e6, "Gcal": CALORIE * 1e9}
MICRO_SIGNS = str.maketrans("\u00b5", "\u03bc")  # Unicode has two, and Home Assistant takes both
VOLTAGES = {"\u03bcV": 1e-6, "mV": 1e-3, "V": 1, "kV": 1e3, "MV": 1e6}

QUANTITIES = {
    "carbon_dioxide": Quantity("co2", Capability.CO2, "ppm", {"ppm": 1}),
    "temperature": Quantity("temperature", Capability.TEMPERATURE, "degC", {"°C": 1}),
    "humidity": Quantity("humidity", Capability.HUMIDITY, "%", {"%": 1}),
    "pm25": Quantity("pm25", Capability.PM25, "ug/m3", {"\u03bcg/m³": 1, "ug/m3": 1}),
    "illuminance": Quantity("illuminance", Capability.ILLUMINANCE, "lx", {"lx": 1}),
    "power": Quantity("meter.power", Capability.METER, "W", POWERS),
    "energy": Quantity("meter.energy", Capability.METER, "kWh", ENERGIES),
    "voltage": Quantity("meter.voltage", Capability.METER, "V", VOLTAGES),
    "current": Quantity("meter.current", Capability.METER, "A", {"A": 1, "mA": 0.001}),
    "battery": Quantity("health.battery", Capability.HEALTH, "%", {"%": 1}),
    "signal_strength": Quantity("health.signal_strength", Capability.HEALTH, "dBm", {"dBm": 1, "dB": 1}),
}
HOURS = {"h": 1.0, "min": 1 / 60, "s": 1 / 3600, "d": 24.0}


def build(fields: Fields, label: Label) -> Parts:
    topic, template = fields.required_topic("state_topic"), fields.template("value_template")
    unit, options = fields.text("unit_of_measurement"), fields.texts("options")
    expires_after = expiry(fields)
    if tells_power(label.slug, label.device_class, options):
        return _power(topic, template, options, expires_after=expires_after)
    if unit or label.device_class in QUANTITIES:
        feature, convert = _number(label, unit)
    else:
        kind = Kind.NUMBER if "state_class" in fields else Kind.ENUM if options else Kind.TEXT
        feature = Feature(role=f"other.{label.slug}", capability=Capability.OTHER, kind=kind, options=options)
        convert = float
    if feature.kind is Kind.NUMBER:
        read = number_reader(template, feature.role, lambda found: tidy(convert(found)))
        return Parts((feature,), (Reading(topic, read),), expires_after=expires_after)
    named = named_for_power(label.slug, label.device_class)
    read = _words(template, feature.role, and_power=named)
    return Parts((feature,), (Reading(topic, read),), tells_power=named, expires_after=expires_after)


def _words(template: Template, role: str, *, and_power: bool) -> Read:
    """A text; with `and_power` also what it says of power, where it is a power word."""

    def read(payload: Payload) -> dict[str, Value | None]:
        text = template.render(payload)
        if not text or text in UNKNOWN_STATES:
            return {role: None} if text else {}
        found: dict[str, Value | None] = {role: text[:255]}
        if and_power and (word := power_word(text)) is not None:
            found["power"] = "off" if word == "standby" else word
        return found

    return read


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
    factor = quantity.factors.get(unit.translate(MICRO_SIGNS)) if unit else 1.0
    if factor is None:
        raise InvalidPayload(f"unit_of_measurement: {unit[:16]!r} is no unit of {label.device_class}")
    return feature, lambda value: value * factor


def celsius_from(unit: str) -> Callable[[float], float]:
    """From °F or K."""
    return (lambda value: (value - 32) / 1.8) if unit == "°F" else (lambda value: value - 273.15)


def _power(topic: str, template: Template, options: tuple[str, ...], *, expires_after: timedelta | None) -> Parts:
    """How far the device is switched on; beside a switch this becomes the switch's reported side (`composition.py`)."""
    words = {power_word(option) for option in options}
    standby_is_off = "standby" in words and "off" not in words

    def read(payload: Payload) -> dict[str, Value | None]:
        text = template.render(payload) or ""
        word = power_word(text)
        if word is None:
            return {"power": None} if text in UNKNOWN_STATES else {}
        return {"power": "off" if word == "standby" and standby_is_off else word}

    feature = Feature(role="power", capability=Capability.POWER, kind=Kind.ENUM, options=("on", "off"))
    return Parts((feature,), (Reading(topic, read),), expires_after=expires_after)
