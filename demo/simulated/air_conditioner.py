"""An air conditioner, and the room's temperature that follows it slowly."""

import math

from demo.simulated.machine import DONE, Blueprint, Speeds, Taken
from devices.device import Capability, DeviceType, Kind, Property, PropertyName, Value

MODES = ("off", "cool", "dry", "fan_only")
FANS = ("auto", "low", "medium", "high")
OUTSIDE_C = 33.0
COOLING_TIME_S = 600.0  # in which two thirds of a difference are gone while it cools
WARMING_TIME_S = 2400.0  # and by itself

PROPERTIES = (
    Property(
        name=PropertyName("climate.mode"), capability=Capability.CLIMATE, kind=Kind.ENUM, options=MODES, settable=True
    ),
    Property(
        name=PropertyName("climate.setpoint"),
        capability=Capability.CLIMATE,
        kind=Kind.NUMBER,
        unit="degC",
        minimum=16,
        maximum=30,
        step=1,
        settable=True,
    ),
    Property(
        name=PropertyName("climate.fan"), capability=Capability.CLIMATE, kind=Kind.ENUM, options=FANS, settable=True
    ),
    Property(name=PropertyName("temperature"), capability=Capability.TEMPERATURE, kind=Kind.NUMBER, unit="degC"),
)


class AirConditioner:
    """Off at first, the room warm."""

    def __init__(self, serial: str, speeds: Speeds) -> None:
        self.blueprint = Blueprint(
            slug="ac",
            name="Điều hoà",
            type=DeviceType.AC,
            manufacturer="Mô phỏng",
            model="SIM-C12",
            serial=serial,
            properties=PROPERTIES,
        )
        self._speeds = speeds
        self._set: dict[str, Value] = {"climate.mode": "off", "climate.setpoint": 26, "climate.fan": "auto"}
        self._celsius = 30.5
        self._since = 0.0

    def values(self, now: float) -> dict[str, Value]:
        self._advance(now)
        return {**self._set, "temperature": round(self._celsius, 1)}

    def set(self, name: str, value: Value, now: float) -> Taken:
        self._advance(now)
        self._set[name] = round(float(value)) if name == "climate.setpoint" else value
        return DONE

    def next_change(self, now: float) -> float | None:
        return now + self._speeds.sensor_interval_s

    def _advance(self, now: float) -> None:
        passed, self._since = max(0.0, now - self._since) if self._since else 0.0, now
        cools = self._set["climate.mode"] == "cool" and self._celsius > float(self._set["climate.setpoint"])
        goal = float(self._set["climate.setpoint"]) if cools else OUTSIDE_C
        self._celsius += (goal - self._celsius) * -math.expm1(-passed / (COOLING_TIME_S if cools else WARMING_TIME_S))
