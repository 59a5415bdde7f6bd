"""The room's dimmable lights."""

from demo.simulated.machine import DONE, Blueprint, Taken
from devices.device import Capability, DeviceType, Kind, Property, PropertyName, Value

PROPERTIES = (
    Property(
        name=PropertyName("power"), capability=Capability.POWER, kind=Kind.ENUM, options=("on", "off"), settable=True
    ),
    Property(
        name=PropertyName("level"),
        capability=Capability.LEVEL,
        kind=Kind.NUMBER,
        unit="%",
        minimum=1,
        maximum=100,
        step=1,
        settable=True,
    ),
)


class Light:
    """Setting a level switches it on."""

    def __init__(self, serial: str) -> None:
        self.blueprint = Blueprint(
            slug="lights",
            name="Đèn lớp học",
            type=DeviceType.LIGHT,
            manufacturer="Mô phỏng",
            model="SIM-L8",
            serial=serial,
            properties=PROPERTIES,
        )
        self._on = True
        self._level = 100

    def values(self, now: float) -> dict[str, Value]:
        return {"power": "on" if self._on else "off", "level": self._level}

    def set(self, name: str, value: Value, now: float) -> Taken:
        if name == "level":
            self._on, self._level = True, round(float(value))
        else:
            self._on = value == "on"
        return DONE

    def next_change(self, now: float) -> float | None:
        return None
