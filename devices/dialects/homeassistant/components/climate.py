"""climate: an air conditioner. Mode, setpoint in degC, fan, swing and the temperature it measures."""

from devices.device import Capability, Kind, Value
from devices.dialects.homeassistant.commands import Publisher
from devices.dialects.homeassistant.entity import Feature, Label, Parts, Reading, number_reader, tidy, word_reader
from devices.dialects.homeassistant.fields import Fields
from devices.errors import InvalidPayload
from devices.mqtt.message import Publish

MODES = ("auto", "off", "cool", "heat", "dry", "fan_only")
FAN_MODES = ("auto", "low", "medium", "high")
SWING_MODES = ("on", "off")


def build(fields: Fields, label: Label) -> Parts:
    parts = [
        _choice(fields, "mode", "climate.mode", fields.texts("modes") or MODES),
        _setpoint(fields),
        _choice(fields, "fan_mode", "climate.fan", fields.texts("fan_modes") or FAN_MODES),
        _choice(fields, "swing_mode", "climate.swing", fields.texts("swing_modes") or SWING_MODES),
        _measured(fields),
        _power(fields),
    ]
    features = tuple(feature for part in parts for feature in part.features)
    if not any(feature.write for feature in features):
        raise InvalidPayload("nothing of it can be set")
    return Parts(features, tuple(reading for part in parts for reading in part.readings))


def _choice(fields: Fields, key: str, role: str, options: tuple[str, ...]) -> Parts:
    """One of a list, under `<key>_command_topic` and `<key>_state_topic`."""
    publish = Publisher.of(fields, f"{key}_command_topic", f"{key}_command_template")
    state_topic = fields.topic(f"{key}_state_topic")
    template = fields.template(f"{key}_state_template", "value_template")
    if publish is None and state_topic is None:
        return Parts(())

    read = word_reader(template, role, {option: option for option in options})

    def write(value: Value) -> tuple[Publish, ...]:
        assert publish is not None
        return (publish(value),)

    feature = Feature(
        role=role,
        capability=Capability.CLIMATE,
        kind=Kind.ENUM,
        options=options,
        write=write if publish is not None else None,
        reported=state_topic is not None,
    )
    return Parts((feature,), (Reading(state_topic, read),) if state_topic else ())


def _setpoint(fields: Fields) -> Parts:
    publish = Publisher.of(fields, "temperature_command_topic", "temperature_command_template")
    state_topic = fields.topic("temperature_state_topic")
    if publish is None and state_topic is None:
        return Parts(())
    template = fields.template("temperature_state_template", "value_template")
    fahrenheit = fields.text("temperature_unit") == "F"
    low, high = (
        fields.number("min_temp", 44.6 if fahrenheit else 7),
        fields.number("max_temp", 95 if fahrenheit else 35),
    )
    step = fields.positive("temp_step", 1)
    if low >= high:
        raise InvalidPayload("min_temp is not below max_temp")

    read = number_reader(template, "climate.setpoint", lambda found: _celsius(found, fahrenheit))

    def write(value: Value) -> tuple[Publish, ...]:
        assert publish is not None
        return (publish(tidy(float(value) * 1.8 + 32 if fahrenheit else float(value))),)

    feature = Feature(
        role="climate.setpoint",
        capability=Capability.CLIMATE,
        kind=Kind.NUMBER,
        unit="degC",
        minimum=_celsius(low, fahrenheit),
        maximum=_celsius(high, fahrenheit),
        step=step / 1.8 if fahrenheit else step,
        write=write if publish is not None else None,
        reported=state_topic is not None,
    )
    return Parts((feature,), (Reading(state_topic, read),) if state_topic else ())


def _measured(fields: Fields) -> Parts:
    topic = fields.topic("current_temperature_topic")
    if topic is None:
        return Parts(())
    template = fields.template("current_temperature_template", "value_template")
    fahrenheit = fields.text("temperature_unit") == "F"

    read = number_reader(template, "temperature", lambda found: _celsius(found, fahrenheit))
    feature = Feature(role="temperature", capability=Capability.TEMPERATURE, kind=Kind.NUMBER, unit="degC")
    return Parts((feature,), (Reading(topic, read),))


def _power(fields: Fields) -> Parts:
    """A power topic beside the mode; Home Assistant gives it no state topic, so it cannot be confirmed."""
    publish = Publisher.of(fields, "power_command_topic", "power_command_template")
    if publish is None:
        return Parts(())
    on, off = fields.command("payload_on", "ON"), fields.command("payload_off", "OFF")

    def write(value: Value) -> tuple[Publish, ...]:
        return (publish(on if value == "on" else off),)

    feature = Feature(
        role="power",
        capability=Capability.POWER,
        kind=Kind.ENUM,
        options=("on", "off"),
        write=write,
        reported=False,
    )
    return Parts((feature,))


def _celsius(value: float, fahrenheit: bool) -> int | float:
    return tidy(round((value - 32) / 1.8, 2)) if fahrenheit else tidy(value)
