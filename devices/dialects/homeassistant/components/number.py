"""number: a value in a range. Volume and brightness become 0-100 %, others keep their unit."""

import math

from devices.device import Capability, Kind, Value
from devices.dialects.homeassistant.commands import Publisher
from devices.dialects.homeassistant.entity import Feature, Label, Parts, Reading, number_reader, tidy
from devices.dialects.homeassistant.fields import Fields
from devices.errors import InvalidPayload
from devices.mqtt.message import Publish
from devices.scale import Scale

PERCENTAGES = (
    (frozenset({"volume", "loudness"}), Capability.AUDIO_LEVEL, "audio_level"),
    (frozenset({"brightness", "dimmer", "level"}), Capability.LEVEL, "level"),
)


def build(fields: Fields, label: Label) -> Parts:
    publish = Publisher.required(fields, "command_topic", "command_template")
    state_topic, template = fields.topic("state_topic"), fields.template("value_template")
    low, high, step = fields.number("min", 1), fields.number("max", 100), fields.positive("step", 1)
    if high - low < 1e-6:
        raise InvalidPayload("min is not below max")
    percent = next((each for each in PERCENTAGES if each[0] & label.words), None)
    role = percent[2] if percent else f"other.{label.slug}"
    scale = 100 / (high - low) if percent else 1.0
    zero = low if percent else 0.0
    most = math.floor((high - low) / step + 1e-9)
    steps = Scale(zero=(zero - low) / step, per_unit=1 / (scale * step), least=0, most=most)
    read = number_reader(template, role, lambda found: tidy((found - zero) * scale))

    def write(value: Value) -> tuple[Publish, ...]:
        return (publish(tidy(low + steps.count(float(value)) * step)),)

    feature = Feature(
        role=role,
        capability=percent[1] if percent else Capability.OTHER,
        kind=Kind.NUMBER,
        unit="%" if percent else fields.text("unit_of_measurement")[:16],
        minimum=0 if percent else low,
        maximum=100 if percent else high,
        step=step * scale,
        scale=steps,
        write=write,
        reported=state_topic is not None,
    )
    return Parts((feature,), (Reading(state_topic, read),) if state_topic else ())
