"""A device as pages are sent it: what it is, and what is known of it now. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from controller.schema import PageJson
from devices.device import (
    Availability,
    Capability,
    Command,
    CommandCode,
    CommandResult,
    CommandState,
    Device,
    DeviceId,
    DeviceType,
    Kind,
    Property,
    PropertyName,
    Reported,
    Value,
)


class Freshness(StrEnum):
    """How far a property's value can be trusted."""

    CONFIRMED = "confirmed"  # the device reported it since we are connected
    ASSUMED = "assumed"  # sent; the device cannot report it
    STALE = "stale"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingJson:
    """What the property was commanded to be, and how far that is."""

    value: Value
    state: CommandState


@dataclass(frozen=True, slots=True, kw_only=True)
class PropertyJson:
    """`value`: the last reported one, null where there is none; `options`: of an enum, what it may be set to."""

    name: PropertyName
    capability: Capability
    kind: Kind
    unit: str
    minimum: float | None
    maximum: float | None
    step: float | None
    options: tuple[str, ...]
    settable: bool
    value: Value | None
    reported_at: datetime | None
    quality: Freshness
    pending: PendingJson | None

    @classmethod
    def of(cls, each: Property, now: "DeviceNow") -> "PropertyJson":
        reported = now.reported.get(each.name)
        pending = now.pending.get(each.name)
        return cls(
            name=each.name,
            capability=each.capability,
            kind=each.kind,
            unit=each.unit,
            minimum=each.minimum,
            maximum=each.maximum,
            step=each.step,
            options=each.options,
            settable=each.settable,
            value=None if reported is None else reported.value,
            reported_at=None if reported is None else reported.received,
            quality=freshness(each, reported, now.availability),
            pending=None if pending is None else PendingJson(value=pending[0].value, state=pending[1]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceJson:
    """`suggested_room`: what the device itself says of where it is."""

    id: DeviceId
    school: str
    room: str | None
    name: str
    type: DeviceType
    manufacturer: str
    model: str
    serial: str
    firmware: str
    suggested_room: str
    availability: Availability
    last_seen: datetime | None
    properties: list[PropertyJson]

    @classmethod
    def of(cls, now: "DeviceNow") -> "DeviceJson":
        each = now.device
        return cls(
            id=each.id,
            school=each.namespace,
            room=now.room,
            name=each.name,
            type=each.type,
            manufacturer=each.manufacturer,
            model=each.model,
            serial=each.serial,
            firmware=each.firmware,
            suggested_room=each.suggested_room,
            availability=now.availability,
            last_seen=now.heard,
            properties=[PropertyJson.of(one, now) for one in each.properties],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscoveryProblemJson:
    """What could not be taken in of what devices announce. `detail`: for the technician, in English."""

    topic: str
    code: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DevicesJson(PageJson):
    devices: list[DeviceJson]
    problems: list[DiscoveryProblemJson]


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandResultJson:
    """How a command ended. `command`: its id."""

    command: str
    device: DeviceId
    property: PropertyName
    value: Value
    state: CommandState
    code: CommandCode | str  # ours, or the device's own word
    at: datetime

    @classmethod
    def of(cls, each: CommandResult) -> "CommandResultJson":
        command = each.command
        return cls(
            command=command.id,
            device=command.device_id,
            property=command.property,
            value=command.value,
            state=each.state,
            code=each.code,
            at=each.at,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceNow:
    """A device with everything that is known of it now."""

    device: Device
    room: str | None
    availability: Availability
    heard: datetime | None
    reported: Mapping[PropertyName, Reported]
    pending: Mapping[PropertyName, tuple[Command, CommandState]]


def freshness(each: Property, reported: Reported | None, availability: Availability) -> Freshness:
    if reported is None:
        return Freshness.UNKNOWN
    if not each.reported:
        return Freshness.ASSUMED
    if not reported.fresh or availability in (Availability.STALE, Availability.OFFLINE):
        return Freshness.STALE
    return Freshness.CONFIRMED
