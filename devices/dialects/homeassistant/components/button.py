"""button: can be pressed, and never says whether it worked."""

from devices.device import Capability, Kind, Value
from devices.dialects.homeassistant.commands import Publisher
from devices.dialects.homeassistant.entity import Feature, Label, Parts
from devices.dialects.homeassistant.fields import Fields
from devices.mqtt.message import Publish


def build(fields: Fields, label: Label) -> Parts:
    publish = Publisher.required(fields, "command_topic", "command_template")
    press = fields.command("payload_press", "PRESS")

    def write(value: Value) -> tuple[Publish, ...]:
        return (publish(press),)

    feature = Feature(
        role=f"button.{label.slug}",
        capability=Capability.BUTTON,
        kind=Kind.ENUM,
        options=("press",),
        write=write,
        reported=False,
    )
    return Parts((feature,))
