"""select: one of a list of texts. What it selects, only its name says."""

from devices.device import Capability, Kind, Value
from devices.dialects.homeassistant.commands import Publisher
from devices.dialects.homeassistant.entity import Feature, Label, Parts, Reading, word_reader
from devices.dialects.homeassistant.fields import Fields
from devices.errors import InvalidPayload
from devices.mqtt.message import Publish

SOURCE_WORDS = frozenset({"source", "src", "input", "inputs", "nguon"})
PRESET_WORDS = frozenset({"preset", "presets", "position", "shot"})


def build(fields: Fields, label: Label) -> Parts:
    publish = Publisher.required(fields, "command_topic", "command_template")
    state_topic, template = fields.topic("state_topic"), fields.template("value_template")
    options = fields.texts("options")
    if not options:
        raise InvalidPayload("options is missing")
    capability, role = Capability.OTHER, f"other.{label.slug}"
    if label.words & SOURCE_WORDS:
        capability, role = Capability.AV_SOURCE, "av_source"
    elif label.words & PRESET_WORDS:
        capability, role = Capability.PTZ, "ptz.preset"

    read = word_reader(template, role, {option: option for option in options})

    def write(value: Value) -> tuple[Publish, ...]:
        return (publish(value),)

    feature = Feature(
        role=role,
        capability=capability,
        kind=Kind.ENUM,
        options=options,
        write=write,
        reported=state_topic is not None,
    )
    return Parts((feature,), (Reading(state_topic, read),) if state_topic else ())
