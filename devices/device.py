"""What a device is, can do and says: identity, properties, values, commands and their outcomes.

No I/O here. Dialects make these from wire messages, the registry keeps them, scenes and pages use them.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NewType, Self

from devices.errors import InvalidCommand, PropertyNotFound
from devices.scale import Scale

DeviceId = NewType("DeviceId", str)
CommandId = NewType("CommandId", str)
PropertyName = NewType("PropertyName", str)
"""Unique within its device; `<capability>` or `<capability>.<detail>`, e.g. `power`, `climate.setpoint`."""
Namespace = NewType("Namespace", str)
"""A school's corner of the broker, `[a-z0-9-]+`; equal to the school's id. Devices never leave it."""

Value = bool | int | float | str
"""A property's value in canonical units."""


class Capability(StrEnum):
    """One thing a device can do. Names follow Matter clusters and Home Assistant device classes."""

    POWER = "power"  # off, on, warming, cooling, standby
    LEVEL = "level"  # 0-100 %
    COLOR_TEMPERATURE = "color_temperature"  # K
    AV_SOURCE = "av_source"  # one of the device's inputs
    AV_MUTE = "av_mute"
    AUDIO_LEVEL = "audio_level"  # 0-100 %
    MICROPHONE = "microphone"
    PTZ = "ptz"  # preset
    CAMERA_STREAM = "camera_stream"
    COVER = "cover"  # blind, motor screen: open/closed or position 0-100 %, 100 = open/up
    CLIMATE = "climate"  # mode, setpoint degC, fan
    FAN = "fan"
    CO2 = "co2"  # ppm
    TEMPERATURE = "temperature"  # degC
    HUMIDITY = "humidity"  # %
    PM25 = "pm25"  # ug/m3
    ILLUMINANCE = "illuminance"  # lx
    OCCUPANCY = "occupancy"
    CONTACT = "contact"
    METER = "meter"  # W, kWh
    CONSUMABLE = "consumable"  # lamp hours
    HEALTH = "health"
    BUTTON = "button"  # press; cannot report
    OTHER = "other"  # known to the device, not yet to us


class Kind(StrEnum):
    """The type of a property's value."""

    BOOL = "bool"
    NUMBER = "number"
    ENUM = "enum"
    TEXT = "text"


TRANSITIONS: dict[Capability, dict[Value, Value]] = {
    Capability.POWER: {"warming": "on", "cooling": "off"},
    Capability.COVER: {"opening": "open", "closing": "closed"},
}
"""Reported values that are the way to another value: a projector that is `warming` will be `on`."""

ORDERS: dict[Capability, dict[Value, frozenset[Value]]] = {
    Capability.COVER: {"stopped": frozenset({"stopped", "open", "closed"})},
}
"""Values that are done rather than reached, with the reports that show it: a cover that is open has stopped. They are
sent whatever was reported, as it may move without saying so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Property:
    """One value of a device: what it means, what it may be, whether it can be set and whether it is reported."""

    name: PropertyName
    capability: Capability
    kind: Kind
    unit: str = ""
    minimum: float | None = None
    maximum: float | None = None
    step: float | None = None
    scale: Scale | None = None  # of a NUMBER: how the device counts it, where that is known
    tolerance: float = 0.0  # of a NUMBER: how far from what was asked for it may come to rest, and that is it
    options: tuple[str, ...] = ()  # of an ENUM: the values it may be set to
    settable: bool = False
    reported: bool = True  # False: commands end as assumed, never as confirmed

    def checked(self, value: Value) -> Value:
        """`value` as this property takes it. Raises `InvalidCommand` where it cannot be set, or not to that."""
        if not self.settable:
            raise InvalidCommand(f"{self.name} cannot be set")
        match self.kind:
            case Kind.BOOL:
                if not isinstance(value, bool):
                    raise InvalidCommand(f"{self.name} takes true or false, not {value!r}")
            case Kind.NUMBER:
                if isinstance(value, bool) or not isinstance(value, int | float):
                    raise InvalidCommand(f"{self.name} takes a number, not {value!r}")
                low = self.minimum if self.minimum is not None else float("-inf")
                high = self.maximum if self.maximum is not None else float("inf")
                if not low <= value <= high:
                    raise InvalidCommand(f"{self.name} takes {low:g} to {high:g}{self.unit}, not {value!r}")
            case Kind.ENUM:
                if value not in self.options:
                    raise InvalidCommand(f"{self.name} takes one of {', '.join(self.options)}, not {value!r}")
            case Kind.TEXT:
                if not isinstance(value, str) or len(value) > 255:
                    raise InvalidCommand(f"{self.name} takes a text of at most 255 characters")
        return value


class Availability(StrEnum):
    """Whether a device can be reached. The broker's last will is a hint; a fresh message outranks it."""

    UNKNOWN = "unknown"  # nothing heard since we know it
    ONLINE = "online"
    STALE = "stale"  # said to be online, but silent for longer than it should be
    OFFLINE = "offline"


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A controllable thing as its discovery describes it. `id` is derived, so a rediscovered device is the same one."""

    id: DeviceId
    namespace: Namespace
    dialect: str
    key: str  # what the dialect identifies it by: a MAC, an identifier, a topic
    name: str
    type: str = ""  # "projector", "motor_screen", "light", "ac", "ptz_camera", "co2_sensor", "occupancy_sensor", …
    manufacturer: str = ""
    model: str = ""
    serial: str = ""
    firmware: str = ""
    suggested_room: str = ""  # what the device itself says of where it is; a hint for the technician
    properties: tuple[Property, ...] = ()

    def property(self, name: PropertyName) -> Property:
        """Raises `PropertyNotFound`."""
        for each in self.properties:
            if each.name == name:
                return each
        raise PropertyNotFound(f"device {self.id} has no property {name!r}")


def device_id(namespace: Namespace, dialect: str, key: str) -> DeviceId:
    """The id of the device that `dialect` knows as `key` in a school: the same at every discovery."""
    digest = hashlib.sha256("\x1f".join((namespace, dialect, key)).encode()).hexdigest()
    return DeviceId("d" + digest[:15])


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a device said of itself in one message."""

    device_id: DeviceId
    values: dict[PropertyName, Value] = field(default_factory=dict)
    unknown: frozenset[PropertyName] = frozenset()  # what the device says it does not know (any more)
    availability: Availability | None = None  # None: the message says nothing of it
    retained: bool = False  # replayed by the broker: how old it is, is not known
    received: datetime  # aware, UTC


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledgement:
    """A device's answer to one command, where its dialect has such answers."""

    device_id: DeviceId
    command_id: CommandId
    stage: str  # "accepted", "executing", "done", "failed"
    code: str = ""
    retry_after: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """The last value a device reported for one property, and when."""

    value: Value
    received: datetime  # aware, UTC
    fresh: bool  # False: from the database or a retained message, not heard live since we are connected


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceRecord:
    """What is kept of a device over a restart. `reported` values are never `fresh` when read back."""

    device: Device
    discovery_topic: str
    discovery_payload: bytes
    room: str | None = None  # that has claimed it; None: in the inbox
    reported: Mapping[PropertyName, Reported] = field(default_factory=dict)


class CommandState(StrEnum):
    """Where a command is. Everything below `ACKNOWLEDGED` is final."""

    ACCEPTED = "accepted"  # queued with us
    SENT = "sent"  # the broker has it
    ACKNOWLEDGED = "acknowledged"  # the device has it
    CONFIRMED = "confirmed"  # the device reports the value
    ASSUMED = "assumed"  # sent; the device cannot report this property
    FAILED = "failed"  # the device refused, with a code
    TIMED_OUT = "timed_out"  # sent, but not confirmed by the deadline
    SUPERSEDED = "superseded"  # a newer command for the same property took its place
    EXPIRED = "expired"  # the deadline passed before it could be sent; nothing was switched

    @property
    def final(self) -> bool:
        return self not in (CommandState.ACCEPTED, CommandState.SENT, CommandState.ACKNOWLEDGED)

    @property
    def succeeded(self) -> bool:
        return self in (CommandState.CONFIRMED, CommandState.ASSUMED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What we ask of a device: set one property to a value before a deadline."""

    id: CommandId
    device_id: DeviceId
    property: PropertyName
    value: Value
    deadline: datetime  # aware, UTC
    actor: str = ""  # an account or "lesson <id>", for the record


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandResult:
    """How a command ended."""

    command: Command
    state: CommandState
    code: str = ""  # of FAILED: the device's or our reason, e.g. "busy", "rejected", "cancelled"
    at: datetime  # aware, UTC

    def to_json(self) -> dict[str, object]:
        """`{"command", "device", "property", "value", "state", "code", "at"}`."""
        return {
            "command": self.command.id,
            "device": self.command.device_id,
            "property": self.command.property,
            "value": self.command.value,
            "state": self.state.value,
            "code": self.code,
            "at": self.at.isoformat(),
        }

    @classmethod
    def of(cls, command: Command, state: CommandState, *, at: datetime, code: str = "") -> Self:
        return cls(command=command, state=state, code=code, at=at)
