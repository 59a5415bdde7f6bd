"""A PTZ camera with named presets."""

from demo.simulated.machine import DONE, EXECUTING, Blueprint, Speeds, Taken
from devices.device import Capability, DeviceType, Kind, Property, PropertyName, Value

PRESETS = ("class", "board", "teacher")

PROPERTIES = (
    Property(
        name=PropertyName("power"), capability=Capability.POWER, kind=Kind.ENUM, options=("on", "off"), settable=True
    ),
    Property(
        name=PropertyName("ptz.preset"), capability=Capability.PTZ, kind=Kind.ENUM, options=PRESETS, settable=True
    ),
    Property(name=PropertyName("ptz.moving"), capability=Capability.PTZ, kind=Kind.BOOL),
)


class Camera:
    """Reports a preset once it looks there; asked for one while off, it switches on."""

    def __init__(self, serial: str, speeds: Speeds) -> None:
        self.blueprint = Blueprint(
            slug="camera",
            name="Camera lớp học",
            type=DeviceType.PTZ_CAMERA,
            manufacturer="Mô phỏng",
            model="SIM-Z12",
            serial=serial,
            properties=PROPERTIES,
        )
        self._speeds = speeds
        self._on = False
        self._preset = PRESETS[1]
        self._target = PRESETS[1]
        self._until: float | None = None

    def values(self, now: float) -> dict[str, Value]:
        self._advance(now)
        return {
            "power": "on" if self._on else "off",
            "ptz.preset": self._preset,
            "ptz.moving": self._until is not None,
        }

    def set(self, name: str, value: Value, now: float) -> Taken:
        self._advance(now)
        if name == "power":
            self._on = value == "on"
            return DONE
        self._on, self._target = True, str(value)
        self._until = None if self._target == self._preset else now + self._speeds.camera_move_s
        return DONE if self._until is None else EXECUTING

    def next_change(self, now: float) -> float | None:
        return self._until

    def _advance(self, now: float) -> None:
        if self._until is not None and now >= self._until:
            self._preset, self._until = self._target, None
