"""binary_sensor: something that is so or not so."""

from devices.device import Capability, Kind
from devices.dialects.homeassistant.entity import Feature, Label, Parts, Reading, expiry, word_reader
from devices.dialects.homeassistant.fields import Fields

MEANINGS = {
    "occupancy": (Capability.OCCUPANCY, "occupancy"),
    "motion": (Capability.OCCUPANCY, "occupancy"),
    "presence": (Capability.OCCUPANCY, "occupancy"),
    "door": (Capability.CONTACT, "contact"),
    "garage_door": (Capability.CONTACT, "contact"),
    "opening": (Capability.CONTACT, "contact"),
    "window": (Capability.CONTACT, "contact"),
    "battery": (Capability.HEALTH, "health.battery_low"),
    "connectivity": (Capability.HEALTH, "health.connected"),
    "problem": (Capability.HEALTH, "health.problem"),
}
"""Device class to capability; true is: occupied, open, low, connected, a problem."""


def build(fields: Fields, label: Label) -> Parts:
    topic, template = fields.required_topic("state_topic"), fields.template("value_template")
    on, off = fields.text("payload_on", "ON"), fields.text("payload_off", "OFF")
    capability, role = MEANINGS.get(label.device_class, (Capability.OTHER, f"other.{label.slug}"))

    read = word_reader(template, role, {off: False, on: True})
    notes = ("off_delay is not followed: the device must say itself when it is over",) if "off_delay" in fields else ()
    feature = Feature(role=role, capability=capability, kind=Kind.BOOL)
    return Parts((feature,), (Reading(topic, read),), notes, expiry(fields))
