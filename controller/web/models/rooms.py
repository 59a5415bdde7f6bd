"""What requests about rooms, devices and displays say."""

from enum import StrEnum
from typing import Annotated

from pydantic import BeforeValidator, Field, StringConstraints

from controller.schema import (
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
from controller.web.models.paging import MOST_ROOMS, ROOMS, SearchQuery, digits

PropertyName = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9_.-]+$")]


class DevicesQuery(SearchQuery):
    school: Slug | None = None
    claimed: bool | None = None


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


class RoomsQuery(SearchQuery):
    school: Slug | None = None
    limit: Annotated[int, BeforeValidator(digits), Field(ge=1, le=MOST_ROOMS, strict=True)] = ROOMS


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
