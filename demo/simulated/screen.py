"""A motor screen: it takes its time from end to end, and says where it is. 100 is up (open), 0 is down (closed)."""

import math

from demo.simulated.machine import DONE, EXECUTING, Blueprint, Speeds, Taken
from devices.device import Capability, DeviceType, Kind, Property, PropertyName, Value

PROPERTIES = (
    Property(
        name=PropertyName("cover"),
        capability=Capability.COVER,
        kind=Kind.ENUM,
        options=("open", "closed", "stopped"),
        settable=True,
    ),
    Property(
        name=PropertyName("cover.position"),
        capability=Capability.COVER,
        kind=Kind.NUMBER,
        unit="%",
        minimum=0,
        maximum=100,
        step=1,
        settable=True,
    ),
)


class Screen:
    """At rest at a position, or on the way from one to another."""

    def __init__(self, serial: str, speeds: Speeds) -> None:
        self.blueprint = Blueprint(
            slug="screen",
            name="Màn chiếu điện",
            type=DeviceType.MOTOR_SCREEN,
            manufacturer="Mô phỏng",
            model="SIM-S120",
            serial=serial,
            properties=PROPERTIES,
        )
        self._speeds = speeds
        self._position = 100.0
        self._target = 100.0
        self._since = 0.0

    def values(self, now: float) -> dict[str, Value]:
        self._advance(now)
        if self._target != self._position:
            state = "opening" if self._target > self._position else "closing"
        else:
            state = {0.0: "closed", 100.0: "open"}.get(self._position, "stopped")
        return {"cover": state, "cover.position": round(self._position)}

    def set(self, name: str, value: Value, now: float) -> Taken:
        self._advance(now)
        if name == "cover":
            self._target = {"open": 100.0, "closed": 0.0}.get(str(value), self._position)
        else:
            self._target = float(value)
        self._since = now
        return DONE if self._target == self._position else EXECUTING

    def next_change(self, now: float) -> float | None:
        if self._target == self._position:
            return None
        left_s = abs(self._target - self._position) / 100 * self._speeds.travel_s
        return self._since + min(left_s, self._speeds.progress_s)

    def _advance(self, now: float) -> None:
        way = 100 * (now - self._since) / self._speeds.travel_s
        self._since = now
        rest = self._target - self._position
        if abs(rest) <= way + 1e-9:
            self._position = self._target
        else:
            self._position += math.copysign(way, rest)
