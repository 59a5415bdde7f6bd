"""What requests about rooms, devices and displays say."""

from typing import Annotated

from pydantic import Field, StringConstraints

from controller.schema import DeviceValue, Key, Model, Number, Slug, Text

PropertyName = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9_.-]+$")]


class DevicesQuery(Model):
    school: Slug | None = None
    claimed: bool | None = None


class ClaimJson(Model):
    room: Key


class CommandJson(Model):
    property: PropertyName
    value: DeviceValue
    timeout_s: Annotated[Number, Field(ge=0.1, le=120)] = 10


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
