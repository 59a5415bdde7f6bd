"""JSON of scenes and their steps."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from controller.web.models.rooms import PropertyName
from controller.schema import Count, DeviceValue, Key, Model, Number
from devices.device import CommandState
from rooms.scene import MAX_DEADLINE, MAX_STEPS, Importance, StepState


class StepDeviceJson(Model):
    id: str
    name: str
    type: str


class StepJson(Model):
    id: str
    device: StepDeviceJson
    property: str
    value: bool | int | float | str
    importance: Importance
    state: StepState
    lost: bool
    code: str
    since: datetime
    deadline_s: float
    reported: bool | int | float | str | None
    unit: str
    command: CommandState | None
    because: str | None


class StepsJson(Model):
    steps: list[StepJson]


class SceneStepJson(Model):
    id: Key
    device: Key
    property: PropertyName
    value: DeviceValue
    importance: Importance = Importance.USEFUL
    deadline_s: Annotated[Number, Field(gt=0.001, le=MAX_DEADLINE.total_seconds())] = 10
    after: Annotated[list[Key], Field(max_length=MAX_STEPS)] = []
    needs: Annotated[list[Key], Field(max_length=MAX_STEPS)] = []


class SceneJson(Model):
    name: Key
    version: Count = 0
    steps: Annotated[list[SceneStepJson], Field(max_length=MAX_STEPS)]


class ScenesJson(Model):
    scenes: list[SceneJson]
