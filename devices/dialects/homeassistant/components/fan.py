"""fan: on or off, speed in 0-100 %, oscillation and presets."""

from devices.device import Capability, Kind, Value
from devices.dialects.homeassistant.commands import Publisher
from devices.dialects.homeassistant.entity import Feature, Label, Parts, Reading, number_reader, word_reader
from devices.dialects.homeassistant.fields import Fields
from devices.errors import InvalidPayload
from devices.mqtt.message import Publish
from devices.scale import Scale


def build(fields: Fields, label: Label) -> Parts:
    parts = [_power(fields), _speed(fields), _oscillation(fields), _preset(fields)]
    return Parts(
        tuple(feature for part in parts for feature in part.features),
        tuple(reading for part in parts for reading in part.readings),
    )


def _power(fields: Fields) -> Parts:
    publish = Publisher.required(fields, "command_topic", "command_template")
    on, off = fields.command("payload_on", "ON"), fields.command("payload_off", "OFF")
    state_topic, template = fields.topic("state_topic"), fields.template("state_value_template", "value_template")

    read = word_reader(template, "power", {off: "off", on: "on"})

    def write(value: Value) -> tuple[Publish, ...]:
        return (publish(on if value == "on" else off),)

    feature = Feature(
        role="power",
        capability=Capability.POWER,
        kind=Kind.ENUM,
        options=("on", "off"),
        write=write,
        reported=state_topic is not None,
    )
    return Parts((feature,), (Reading(state_topic, read),) if state_topic else ())


def _speed(fields: Fields) -> Parts:
    """The device counts its speeds from `speed_range_min` (the slowest, not off) to `speed_range_max`."""
    publish = Publisher.of(fields, "percentage_command_topic", "percentage_command_template")
    if publish is None:
        return Parts(())
    slowest, fastest = fields.number("speed_range_min", 1), fields.number("speed_range_max", 100)
    if slowest >= fastest:
        raise InvalidPayload("speed_range_min is not below speed_range_max")
    state_topic, template = fields.topic("percentage_state_topic"), fields.template("percentage_value_template")
    speeds = Scale(zero=slowest - 1, per_unit=(fastest - slowest + 1) / 100, up=True)
    read = number_reader(template, "fan", lambda found: max(0, min(100, speeds.value(found))))

    def write(value: Value) -> tuple[Publish, ...]:
        return (publish(speeds.count(float(value))),)

    feature = Feature(
        role="fan",
        capability=Capability.FAN,
        kind=Kind.NUMBER,
        unit="%",
        minimum=0,
        maximum=100,
        step=1 / speeds.per_unit,
        scale=speeds,
        write=write,
        reported=state_topic is not None,
    )
    return Parts((feature,), (Reading(state_topic, read),) if state_topic else ())


def _oscillation(fields: Fields) -> Parts:
    publish = Publisher.of(fields, "oscillation_command_topic", "oscillation_command_template")
    if publish is None:
        return Parts(())
    on = fields.command("payload_oscillation_on", "oscillate_on")
    off = fields.command("payload_oscillation_off", "oscillate_off")
    state_topic, template = fields.topic("oscillation_state_topic"), fields.template("oscillation_value_template")

    read = word_reader(template, "fan.oscillate", {off: False, on: True})

    def write(value: Value) -> tuple[Publish, ...]:
        return (publish(on if value else off),)

    feature = Feature(
        role="fan.oscillate",
        capability=Capability.FAN,
        kind=Kind.BOOL,
        write=write,
        reported=state_topic is not None,
    )
    return Parts((feature,), (Reading(state_topic, read),) if state_topic else ())


def _preset(fields: Fields) -> Parts:
    publish = Publisher.of(fields, "preset_mode_command_topic", "preset_mode_command_template")
    options = fields.texts("preset_modes")
    if publish is None or not options:
        return Parts(())
    state_topic, template = fields.topic("preset_mode_state_topic"), fields.template("preset_mode_value_template")

    read = word_reader(template, "fan.preset", {option: option for option in options})

    def write(value: Value) -> tuple[Publish, ...]:
        return (publish(value),)

    feature = Feature(
        role="fan.preset",
        capability=Capability.FAN,
        kind=Kind.ENUM,
        options=options,
        write=write,
        reported=state_topic is not None,
    )
    return Parts((feature,), (Reading(state_topic, read),) if state_topic else ())
