"""JSON of rooms, devices and displays."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import BeforeValidator, Field, StrictBool, StringConstraints

from controller.displays.report import Camera, SendLimit
from controller.web.models.paging import MOST_ROOMS, ROOMS, PageJson, SearchQuery, digits
from controller.web.models.people import SchoolJson
from controller.schema import (
    Count,
    DeviceValue,
    Key,
    Model,
    Number,
    OptionalSecret,
    OptionalText,
    Port,
    Secret,
    Slug,
    Text,
)
from devices.device import Availability, Capability, CommandState, DeviceType, Kind

Share = Annotated[Number, Field(ge=0, le=1)]
PropertyName = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9_.-]+$")]


class PendingJson(Model):
    value: DeviceValue
    state: CommandState


class PropertyJson(Model):
    name: str
    capability: Capability
    kind: Kind
    unit: str
    minimum: float | None
    maximum: float | None
    step: float | None
    options: list[str]
    settable: bool
    value: bool | int | float | str | None
    reported_at: datetime | None
    quality: str  # confirmed, assumed, stale, unknown
    pending: PendingJson | None


class DeviceJson(Model):
    id: str
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


class DiscoveryProblemJson(Model):
    topic: str
    code: str
    detail: str


class DevicesQuery(SearchQuery):
    school: Slug | None = None
    claimed: bool | None = None


class DevicesJson(PageJson):
    devices: list[DeviceJson]
    problems: list[DiscoveryProblemJson]


class GatewayName(StrEnum):
    PJLINK = "pjlink"


Host = Annotated[str, StringConstraints(min_length=2, max_length=45, pattern=r"^[0-9A-Fa-f:.]+$")]


class NewDeviceJson(Model):
    """A device without MQTT. `host`: its IP address. `name`: "" for what it calls itself."""

    school: Slug
    gateway: GatewayName
    host: Host
    port: Port = 4352
    password: Secret | None = None
    name: OptionalText = ""


class AddressEditJson(Model):
    """`password` left out or null: it stays; "": there is none any more."""

    host: Host
    port: Port
    password: OptionalSecret | None = None


class AddressJson(Model):
    gateway: GatewayName
    host: str
    port: int
    has_password: bool


class ClaimJson(Model):
    room: Key


class CommandJson(Model):
    property: PropertyName
    value: DeviceValue
    timeout_s: Annotated[Number, Field(ge=0.1, le=120)] = 10


class CommandResultJson(Model):
    command: str
    device: str
    property: str
    value: bool | int | float | str
    state: CommandState
    code: str
    at: datetime


class DisplayJson(Model):
    id: str
    name: str
    paired_at: datetime
    last_seen: datetime | None
    connected: bool


class RoomJson(Model):
    id: str
    name: str
    version: int
    school: SchoolJson
    devices: list[DeviceJson]
    displays: list[DisplayJson]
    scenes: list[str]
    in_use_by: str | None


class RoomsQuery(SearchQuery):
    school: Slug | None = None
    limit: Annotated[int, BeforeValidator(digits), Field(ge=1, le=MOST_ROOMS, strict=True)] = ROOMS


class RoomsJson(PageJson):
    rooms: list[RoomJson]


class NewRoomJson(Model):
    school: Slug
    name: Annotated[Text, StringConstraints(max_length=100)]


class RoomEditJson(Model):
    name: Annotated[Text, StringConstraints(max_length=100)]


class NewDisplayJson(Model):
    code: Annotated[str, StringConstraints(min_length=1, max_length=20)]
    name: Annotated[Text, StringConstraints(max_length=100)]


class DisplayCredentialJson(Model):
    token: Annotated[str, StringConstraints(min_length=1, max_length=200)]


class DisplaySendingJson(Model):
    """What a room's display is to send in this lesson, as somebody in the room wants it."""

    type: str
    lesson: Key
    muted: StrictBool | None = None
    camera_off: StrictBool | None = None


class DisplayPartJson(Model):
    """Whether the room takes part in this lesson, as somebody in the room wants it."""

    type: str
    lesson: Key
    present: StrictBool


class DisplayReportJson(Model):
    """What a display page says of itself over its WebSocket."""

    type: str
    joined: StrictBool
    camera: Camera
    publishing: StrictBool
    playing: Count
    frames_decoded: Count
    audio_energy: Annotated[Number, Field(ge=0)]
    weak: StrictBool
    send_round_trip_ms: Annotated[Number, Field(ge=0)] | None = None
    send_loss: Share | None = None
    limited: SendLimit = SendLimit.NONE
    freezes: Count = 0
    concealed: Share = 0
    cpu_slow: StrictBool = False
