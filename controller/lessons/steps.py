"""How far a scene is: each of its steps, with the device it is for and what that device says now."""

from dataclasses import dataclass
from datetime import datetime

from devices.device import CommandState, DeviceId, DeviceType, PropertyName, Value
from rooms.room import RoomId
from rooms.scene import Importance, StepId, StepState


@dataclass(frozen=True, slots=True, kw_only=True)
class StepDevice:
    """The device that a step is for. Where it is no longer known `name` is "" and `type` `other`."""

    id: DeviceId
    name: str
    type: DeviceType


@dataclass(frozen=True, slots=True, kw_only=True)
class StepView:
    """One step of a scene on its way, with the device it is for and what that device says now."""

    id: StepId
    device: StepDevice
    property: PropertyName
    value: Value
    importance: Importance
    state: StepState
    lost: bool = False  # it succeeded, and since then its device cannot be reached
    code: str  # why it failed, "" otherwise
    since: datetime
    deadline_s: float  # from `since`, while the step runs
    reported: Value | None  # what the device has said since the command, None if nothing
    unit: str = ""  # of both values
    command: CommandState | None = None  # how far the command is, while the step runs
    because: StepId | None = None  # the first step that it needs and that has not succeeded


@dataclass(frozen=True, slots=True, kw_only=True)
class StepsJson:
    """A scene that was applied, as pages are sent it."""

    steps: tuple[StepView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneView:
    """A scene that was applied, step by step."""

    room_id: RoomId
    name: str
    steps: tuple[StepView, ...]
