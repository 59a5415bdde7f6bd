"""switch: something that is on or off. Most switch power; some mute, freeze or track, which only their name says."""

from collections.abc import Mapping

from devices.device import Capability, Kind, Value
from devices.dialects.homeassistant.commands import Publisher
from devices.dialects.homeassistant.entity import Feature, Label, Parts, Reading, word_reader
from devices.dialects.homeassistant.fields import Fields
from devices.dialects.homeassistant.payload import Payload
from devices.dialects.homeassistant.power import power_word
from devices.mqtt.message import Publish

# The first row whose words are all in the component's names says what it switches.
MEANINGS: tuple[tuple[frozenset[str], Capability, str], ...] = (
    (frozenset({"mute", "mic"}), Capability.MICROPHONE, "microphone.muted"),
    (frozenset({"mute", "microphone"}), Capability.MICROPHONE, "microphone.muted"),
    (frozenset({"mute", "audio"}), Capability.AUDIO_LEVEL, "audio_level.muted"),
    (frozenset({"mute", "volume"}), Capability.AUDIO_LEVEL, "audio_level.muted"),
    (frozenset({"mute", "speaker"}), Capability.AUDIO_LEVEL, "audio_level.muted"),
    (frozenset({"mute"}), Capability.AV_MUTE, "av_mute"),
    (frozenset({"blank"}), Capability.AV_MUTE, "av_mute"),
    (frozenset({"shutter"}), Capability.AV_MUTE, "av_mute"),
    (frozenset({"freeze"}), Capability.AV_MUTE, "av_mute.freeze"),
    (frozenset({"tracking"}), Capability.PTZ, "ptz.tracking"),
    (frozenset({"streaming"}), Capability.CAMERA_STREAM, "camera_stream"),
    (frozenset({"privacy"}), Capability.CAMERA_STREAM, "camera_stream.privacy"),
)


def build(fields: Fields, label: Label) -> Parts:
    publish = Publisher.required(fields, "command_topic", "command_template")
    on, off = fields.command("payload_on", "ON"), fields.command("payload_off", "OFF")
    state_topic, template = fields.topic("state_topic"), fields.template("value_template")
    state_on, state_off = fields.command("state_on", on), fields.command("state_off", off)
    meaning = next((each for each in MEANINGS if each[0] <= label.words), None)
    if meaning is None and label.category and not label.words & {"power", "pwr"}:
        meaning = (frozenset(), Capability.OTHER, f"other.{label.slug}")  # an indicator lamp, a child lock
    role = meaning[2] if meaning else "power"

    words: dict[str, Value] = {state_off: False, state_on: True} if meaning else {state_off: "off", state_on: "on"}
    read_word = word_reader(template, role, words)

    def read(payload: Payload) -> Mapping[str, Value | None]:
        found = read_word(payload)
        if not found and not meaning and (word := power_word(template.render(payload) or "")) is not None:
            return {role: word}  # a projector that says "warming" on its switch's topic
        return found

    def write(value: Value) -> tuple[Publish, ...]:
        return (publish(on if value in (True, "on") else off),)

    feature = Feature(
        role=role,
        capability=meaning[1] if meaning else Capability.POWER,
        kind=Kind.BOOL if meaning else Kind.ENUM,
        options=() if meaning else ("on", "off"),
        write=write,
        reported=state_topic is not None,
    )
    return Parts((feature,), (Reading(state_topic, read),) if state_topic else ())
