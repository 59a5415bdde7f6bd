"""Sensors of a classroom: the air, and whether somebody is there. Values drift slowly, the same for the same seed."""

import math
import random

from demo.simulated.machine import Blueprint, Speeds, Taken
from devices.device import Capability, DeviceType, Kind, Property, PropertyName, Stage, Value

FRESH_AIR_PPM = 430.0
FULL_CLASS_PPM = 1350.0
AIR_TIME_S = 900.0  # in which two thirds of the way to the other is done


class AirSensor:
    """CO2, temperature and humidity. The air gets worse for a lesson's length, then the windows are opened."""

    def __init__(self, serial: str, speeds: Speeds) -> None:
        self.blueprint = Blueprint(
            slug="air",
            name="Cảm biến CO₂",
            type=DeviceType.CO2_SENSOR,
            manufacturer="Mô phỏng",
            model="SIM-A3",
            serial=serial,
            properties=(
                Property(name=PropertyName("co2"), capability=Capability.CO2, kind=Kind.NUMBER, unit="ppm"),
                Property(
                    name=PropertyName("temperature"), capability=Capability.TEMPERATURE, kind=Kind.NUMBER, unit="degC"
                ),
                Property(name=PropertyName("humidity"), capability=Capability.HUMIDITY, kind=Kind.NUMBER, unit="%"),
            ),
        )
        self._speeds = speeds
        self._random = random.Random(serial)
        self._ppm = self._random.uniform(550, 800)
        self._celsius = self._random.uniform(27, 30)
        self._humidity = self._random.uniform(60, 72)
        self._at: float | None = None

    def values(self, now: float) -> dict[str, Value]:
        passed = now - self._at if self._at is not None else 0.0
        if self._at is None or passed >= self._speeds.sensor_interval_s:
            self._drift(now, passed)
            self._at = now
        return {
            "co2": round(self._ppm),
            "temperature": round(self._celsius, 1),
            "humidity": round(self._humidity),
        }

    def set(self, name: str, value: Value, now: float) -> Taken:
        return Taken(Stage.FAILED, "unsupported")

    def next_change(self, now: float) -> float | None:
        return (self._at if self._at is not None else now) + self._speeds.sensor_interval_s

    def _drift(self, now: float, passed: float) -> None:
        lesson = now % 3600 < 2700
        goal = FULL_CLASS_PPM if lesson else FRESH_AIR_PPM
        self._ppm += (goal - self._ppm) * -math.expm1(-passed / AIR_TIME_S) + self._random.uniform(-4, 4)
        self._celsius = _between(25, self._celsius + self._random.uniform(-0.1, 0.1), 33)
        self._humidity = _between(50, self._humidity + self._random.uniform(-0.6, 0.6), 85)


class OccupancySensor:
    """Somebody is there for some minutes, then nobody for a few."""

    def __init__(self, serial: str, speeds: Speeds) -> None:
        self.blueprint = Blueprint(
            slug="occupancy",
            name="Cảm biến hiện diện",
            type=DeviceType.OCCUPANCY_SENSOR,
            manufacturer="Mô phỏng",
            model="SIM-M1",
            serial=serial,
            properties=(Property(name=PropertyName("occupancy"), capability=Capability.OCCUPANCY, kind=Kind.BOOL),),
        )
        self._speeds = speeds
        self._random = random.Random(serial)
        self._occupied = True
        self._until: float | None = None

    def values(self, now: float) -> dict[str, Value]:
        if self._until is None:
            self._until = now + self._stay_s()
        elif now >= self._until:
            self._occupied = not self._occupied
            self._until = now + self._stay_s()
        return {"occupancy": self._occupied}

    def set(self, name: str, value: Value, now: float) -> Taken:
        return Taken(Stage.FAILED, "unsupported")

    def next_change(self, now: float) -> float | None:
        return self._until

    def _stay_s(self) -> float:
        intervals = self._random.uniform(30, 90) if self._occupied else self._random.uniform(4, 12)
        return intervals * self._speeds.sensor_interval_s


def _between(low: float, value: float, high: float) -> float:
    return max(low, min(high, value))
